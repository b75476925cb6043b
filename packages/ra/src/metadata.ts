/**
 * An agent's own description: which parameters it takes, which actions it offers. One model for OCF agents and fence
 * agents, whose XML differs in details only.
 *
 * Descriptions are foreign text: size is checked before parsing, and one that is broken says why and is as good as none.
 * Nothing branches on the version an agent claims: nearly all claim a wrong one. What it offers counts.
 */
import { parseXml, type XmlElement, XmlText } from '@rgrove/parse-xml';
import { fail, ok, parseDuration, type Result } from '@systole/kernel';

export interface AgentDescription {
  readonly name: string;
  readonly version?: string;
  readonly shortDescription: string;
  readonly longDescription: string;
  readonly parameters: readonly ParameterDescription[];
  readonly actions: readonly ActionDescription[];
}

export interface ParameterDescription {
  readonly name: string;
  readonly shortDescription: string;
  readonly longDescription: string;
  /** `string`, `integer`, `boolean`, `select`, `time`, … as the agent says. */
  readonly type: string;
  readonly default?: string;
  /** Of a `select`. */
  readonly options: readonly string[];
  readonly isRequired: boolean;
  /** Only one resource may have a value of it (older `unique=1`), or a group of parameters together. */
  readonly uniqueGroup?: string;
  /** May change while the resource runs, by `reload-agent`. */
  readonly isReloadable: boolean;
  readonly isPrivate: boolean;
  readonly isDeprecated: boolean;
  /** The newer name, where this one is deprecated. */
  readonly replacedBy?: string;
}

export interface ActionDescription {
  readonly name: string;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  readonly startDelayMs?: number;
  readonly depth?: string;
  readonly role?: string;
  /** All attributes as written; fence agents say `automatic` and `on_target` here. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** More than any agent prints (the largest of Debian's has 60 kB); a description beyond it is refused. */
export const descriptionBytesMax = 1024 * 1024;

/** Fails with a sentence for the agent's author. */
export function parseDescription(text: string): Result<AgentDescription, string> {
  if (text.length > descriptionBytesMax) return fail(`a description of ${text.length} bytes is more than is read`);
  const begin = text.search(/<(?:\?xml|!DOCTYPE|!--|resource-agent)/);
  if (begin === -1) return fail('no XML in what the agent printed');
  let root: XmlElement | null;
  try {
    root = parseXml(text.slice(begin).trimEnd(), { ignoreUndefinedEntities: true }).root;
  } catch (error) {
    return fail(`its description is not XML: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
  if (root === null || root.name !== 'resource-agent') return fail('its description has no element resource-agent');
  return ok({
    name: root.attributes['name'] ?? '',
    ...present('version', childText(root, 'version') || root.attributes['version']),
    shortDescription: root.attributes['shortdesc'] ?? childText(root, 'shortdesc'),
    longDescription: childText(root, 'longdesc'),
    parameters: elements(child(root, 'parameters'), 'parameter').map(parameter),
    actions: elements(child(root, 'actions'), 'action').map(action),
  });
}

/** Names of the parameters whose change needs a restart where the agent offers a reload; `undefined` if it offers none. */
export function restartParameters(description: AgentDescription): readonly string[] | undefined {
  const offers = (name: string): boolean => description.actions.some((action) => action.name === name);
  if (offers('reload-agent')) {
    return description.parameters.filter(({ isReloadable }) => !isReloadable).map(({ name }) => name);
  }
  if (offers('reload')) {
    return description.parameters.filter(({ uniqueGroup }) => uniqueGroup !== undefined).map(({ name }) => name);
  }
  return undefined;
}

/** Parameters that must not be shown: those the agent calls private, and what every agent means by these names. */
export function privateParameters(description: AgentDescription | undefined): ReadonlySet<string> {
  const usual = ['password', 'passwd', 'user'];
  return new Set([
    ...usual,
    ...(description?.parameters ?? []).filter(({ isPrivate }) => isPrivate).map(({ name }) => name),
  ]);
}

function parameter(element: XmlElement): ParameterDescription {
  const content = child(element, 'content');
  const attributes = element.attributes;
  const uniqueGroup = attributes['unique-group'] ?? (isTrue(attributes['unique']) ? attributes['name'] : undefined);
  return {
    name: attributes['name'] ?? '',
    shortDescription: childText(element, 'shortdesc'),
    longDescription: childText(element, 'longdesc'),
    type: content?.attributes['type'] ?? 'string',
    ...present('default', content?.attributes['default'] ?? attributes['default']),
    options: elements(content, 'option').map((option) => option.attributes['value'] ?? ''),
    isRequired: isTrue(attributes['required']),
    ...present('uniqueGroup', uniqueGroup),
    isReloadable: isTrue(attributes['reloadable']),
    isPrivate: isTrue(attributes['private']),
    isDeprecated: isTrue(attributes['deprecated']) || child(element, 'deprecated') !== undefined,
    ...present('replacedBy', child(child(element, 'deprecated'), 'replaced-with')?.attributes['name']),
  };
}

function action(element: XmlElement): ActionDescription {
  const { attributes } = element;
  const millis = (name: string): number | undefined => {
    const text = attributes[name];
    const parsed = text === undefined ? undefined : parseDuration(text);
    return parsed?.ok === true ? parsed.value : undefined;
  };
  return {
    name: attributes['name'] ?? '',
    ...present('timeoutMs', millis('timeout')),
    ...present('intervalMs', millis('interval')),
    ...present('startDelayMs', millis('start-delay')),
    ...present('depth', attributes['depth']),
    ...present('role', attributes['role']),
    attributes: { ...attributes },
  };
}

type Present<Name extends string, Value> = { readonly [key in Name]?: Value };

const present = <Name extends string, Value>(name: Name, value: Value | undefined): Present<Name, Value> =>
  value === undefined ? {} : ({ [name]: value } as Present<Name, Value>);

const isTrue = (text: string | undefined): boolean => text === '1' || text?.toLowerCase() === 'true';

const child = (element: XmlElement | undefined, name: string): XmlElement | undefined => elements(element, name)[0];

const elements = (element: XmlElement | undefined, name: string): readonly XmlElement[] =>
  (element?.children ?? []).filter(
    (node): node is XmlElement => node.type === 'element' && (node as XmlElement).name === name,
  );

/** Text of the first child of that name, paragraphs kept, indentation dropped. */
function childText(element: XmlElement, name: string): string {
  const found = child(element, name);
  if (found === undefined) return '';
  return found.children
    .map((node) => (node instanceof XmlText ? node.text : ''))
    .join('')
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
