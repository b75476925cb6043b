/** The statement of each kind of item: its first line, and the lines that continue it. */
import type {
  AgentName,
  Alert,
  AlertRecipient,
  AttributeSet,
  Colocation,
  Constraint,
  Expression,
  FencingLevel,
  Operation,
  Order,
  Pair,
  ResourceSet,
  Rule,
} from '@systole/cib/document';
import { formatScore, INFINITY } from '@systole/cib/document';
import { findShortcut } from './acl-shortcuts.ts';
import type { BundleItem, Item, ItemOf } from './items.ts';
import { pairText, quote } from './quote.ts';

type Referenced = ReadonlySet<string>;

/** Undefined where the language has no words for something in the item. */
export function statementLines(item: Item, referenced: Referenced): readonly string[] | undefined {
  switch (item.kind) {
    case 'node':
      return nodeLines(item, referenced);
    case 'primitive':
    case 'template':
      return primitiveLines(item, referenced);
    case 'group':
      return [
        words('group', item.id, ...item.value.members),
        ...descriptionLine(item.value),
        ...setLines('params', item.value.parameters, referenced),
        ...setLines('meta', item.value.meta, referenced),
      ];
    case 'clone':
      return [
        words('clone', item.id, item.value.member),
        ...descriptionLine(item.value),
        ...setLines('params', item.value.parameters, referenced),
        ...setLines('meta', item.value.meta, referenced),
      ];
    case 'bundle':
      return bundleLines(item.value, referenced);
    case 'constraint':
      return constraintLines(item.value, referenced);
    case 'tag':
      return item.value.description === undefined ? [words('tag', item.id, ...item.value.members)] : undefined;
    case 'alert':
      return alertLines(item.value, referenced);
    case 'aclRole':
      return roleLines(item);
    case 'aclTarget':
    case 'aclGroup':
      if (item.value.name !== undefined) return undefined;
      return [words(item.kind === 'aclTarget' ? 'acl_target' : 'acl_group', item.id), ...item.value.roles];
    case 'options':
      return optionLines('property', item.value, referenced);
    case 'resourceDefaults':
      return optionLines('rsc_defaults', item.value, referenced);
    case 'operationDefaults':
      return optionLines('op_defaults', item.value, referenced);
    case 'fencing':
      return fencingLines(item.value);
  }
}

/** What is there, with a blank between. */
const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ');

const descriptionLine = (value: { readonly description?: string }): readonly string[] =>
  value.description === undefined ? [] : [pairText('description', value.description)];

const infinity = (score: number): string => formatScore(score).replace('INFINITY', 'inf');

const agentText = (agent: AgentName): string =>
  agent.class === 'ocf' && agent.provider === 'heartbeat'
    ? agent.type
    : [agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':');

// --- sets, pairs, rules ----------------------------------------------------------------------------------------

const setLines = (word: string, sets: readonly AttributeSet[], referenced: Referenced): readonly string[] =>
  sets.map((set) => words(word, setText(set, referenced)));

function setText(set: AttributeSet, referenced: Referenced): string {
  if (set.idRef !== undefined) return `$id-ref=${set.idRef}`;
  const { id, score, rule } = set;
  return words(
    id !== undefined && referenced.has(id) ? `$id=${id}` : undefined,
    score === undefined ? undefined : `${infinity(score)}:`,
    rule === undefined ? undefined : ruleText(rule, referenced),
    ...set.pairs.map((pair) => onePair(pair, referenced)),
  );
}

function onePair(pair: Pair, referenced: Referenced): string {
  if (pair.idRef !== undefined) return pair.name === undefined ? `@${pair.idRef}` : `@${pair.idRef}:${pair.name}`;
  const name = pair.name ?? '';
  if (pair.value === undefined) return name;
  const text = pairText(name, pair.value);
  return pair.id !== undefined && referenced.has(pair.id) ? `$${pair.id}:${text}` : text;
}

function ruleText(rule: Rule, referenced: Referenced): string {
  if (rule.idRef !== undefined) return `rule $id-ref=${rule.idRef}`;
  const score =
    rule.scoreAttribute ?? (rule.score === undefined || rule.score >= INFINITY ? undefined : infinity(rule.score));
  return words(
    'rule',
    rule.id !== undefined && referenced.has(rule.id) ? `$id=${rule.id}` : undefined,
    rule.role === undefined ? undefined : `$role=${rule.role}`,
    score === undefined ? undefined : `${score}:`,
    rule.expressions.map(expressionText).join(` ${rule.booleanOp ?? 'and'} `),
  );
}

function expressionText(expression: Expression): string {
  switch (expression.type) {
    case 'attribute': {
      const { attribute, operation, value, valueType, valueSource } = expression;
      if (operation === 'defined' || operation === 'not_defined') return `${operation} ${attribute}`;
      const comparison = valueType === undefined ? operation : `${valueType}:${operation}`;
      const isPlain = valueSource === undefined || valueSource === 'literal';
      return `${attribute} ${comparison} ${quote(isPlain ? (value ?? '') : `${valueSource}{${value ?? ''}}`)}`;
    }
    case 'date': {
      const { operation, start, end, duration, dateSpec } = expression;
      if (operation === 'lt') return `date lt ${quote(end ?? '')}`;
      if (operation === 'gt') return `date gt ${quote(start ?? '')}`;
      const amounts = Object.entries({ ...duration, ...dateSpec }).filter(([name]) => name !== 'id');
      return words(
        operation === 'in_range' ? 'date in' : 'date spec',
        start === undefined ? undefined : pairText('start', start),
        end === undefined ? undefined : pairText('end', end),
        ...amounts.map(([name, value]) => pairText(name, value)),
      );
    }
    default:
      // No words for these: the statement will not read back, and is printed as XML.
      return `<${expression.type}>`;
  }
}

// --- nodes, resources ------------------------------------------------------------------------------------------

function nodeLines({ value }: ItemOf<'node'>, referenced: Referenced): readonly string[] | undefined {
  if (value.score !== undefined) return undefined;
  const id =
    value.id === value.name ? undefined : /^[\w-]+$/.test(value.id) ? `${value.id}:` : `$id=${quote(value.id)}`;
  const type = value.type === undefined || value.type === 'member' ? '' : `:${value.type}`;
  return [
    words('node', id, `${value.name}${type}`),
    ...descriptionLine(value),
    ...setLines('attributes', value.attributes, referenced),
    ...setLines('utilization', value.utilization, referenced),
  ];
}

function primitiveLines(item: ItemOf<'primitive' | 'template'>, referenced: Referenced): readonly string[] {
  const { value } = item;
  const word = value.kind === 'primitive' ? 'primitive' : 'rsc_template';
  const made = value.kind === 'primitive' && value.template !== undefined ? `@${value.template}` : undefined;
  const { operations } = value;
  const operationsText =
    operations.idRef !== undefined
      ? `$id-ref=${operations.idRef}`
      : operations.id === undefined
        ? undefined
        : `$id=${operations.id}`;
  return [
    words(word, item.id, made ?? (value.agent === undefined ? '' : agentText(value.agent))),
    ...descriptionLine(value),
    ...setLines('params', value.parameters, referenced),
    ...setLines('meta', value.meta, referenced),
    ...setLines('utilization', value.utilization, referenced),
    ...(operationsText === undefined ? [] : [`operations ${operationsText}`]),
    ...operations.list.flatMap((operation) => operationLines(operation, referenced)),
  ];
}

function operationLines(operation: Operation, referenced: Referenced): readonly string[] {
  const setting = (name: string, value: string | boolean | undefined): string | undefined =>
    value === undefined ? undefined : pairText(name, String(value));
  const { id } = operation;
  return [
    words(
      'op',
      operation.name,
      operation.idRef === undefined ? undefined : `$id-ref=${operation.idRef}`,
      id !== undefined && referenced.has(id) ? `$id=${id}` : undefined,
      setting('interval', operation.interval),
      setting('timeout', operation.timeout),
      setting('start-delay', operation.startDelay),
      setting('interval-origin', operation.intervalOrigin),
      setting('on-fail', operation.onFail),
      setting('enabled', operation.enabled),
      setting('record-pending', operation.recordPending),
      setting('role', operation.role),
      setting('requires', operation.requires),
      setting('description', operation.description),
    ),
    ...setLines('op_params', operation.parameters, referenced),
    ...setLines('op_meta', operation.meta, referenced),
  ];
}

function bundleLines(bundle: BundleItem, referenced: Referenced): readonly string[] {
  const pairs = (values: Readonly<Record<string, string>>, skip = ''): readonly string[] =>
    Object.entries(values)
      .filter(([name]) => name !== skip)
      .map(([name, value]) => pairText(name, value));
  const { image = '', ...container } = bundle.container;
  return [
    words('bundle', bundle.id),
    ...descriptionLine(bundle),
    words(bundle.containerType, pairText('image', image), ...pairs(container)),
    ...(bundle.network === undefined ? [] : [words('network', ...pairs(bundle.network))]),
    ...bundle.ports.map((mapping) => words('port-mapping', ...pairs(mapping, 'id'))),
    ...(bundle.storage.length === 0 ? [] : ['storage']),
    ...bundle.storage.map((mapping) => words('storage-mapping', ...pairs(mapping, 'id'))),
    ...setLines('params', bundle.parameters, referenced),
    ...setLines('meta', bundle.meta, referenced),
    ...(bundle.primitive === undefined ? [] : [words('primitive', bundle.primitive)]),
  ];
}

// --- constraints -----------------------------------------------------------------------------------------------

function constraintLines(constraint: Constraint, referenced: Referenced): readonly string[] | undefined {
  if (constraint.lifetime !== undefined) return undefined;
  switch (constraint.kind) {
    case 'location': {
      const subject =
        constraint.resource ??
        (constraint.pattern === undefined ? undefined : quotePattern(constraint.pattern)) ??
        setsText(constraint.sets);
      if (subject === undefined) return undefined;
      const preference =
        constraint.node === undefined ? undefined : `${infinity(constraint.score ?? 0)}: ${quote(constraint.node)}`;
      return [
        words(
          'location',
          constraint.id,
          constraint.sets === undefined ? subject : `{ ${subject} }`,
          constraint.role === undefined ? undefined : `role=${constraint.role}`,
          constraint.discovery === undefined ? undefined : `resource-discovery=${constraint.discovery}`,
          preference,
        ),
        ...constraint.rules.map((rule) => ruleText(rule, referenced)),
      ];
    }
    case 'colocation':
      if (constraint.influence !== undefined || constraint.score === undefined) return undefined;
      return [
        words(
          'colocation',
          constraint.id,
          `${infinity(constraint.score)}:`,
          colocationText(constraint),
          constraint.nodeAttribute === undefined ? undefined : `node-attribute=${constraint.nodeAttribute}`,
        ),
      ];
    case 'order':
      if (constraint.requireAll !== undefined) return undefined;
      return [
        words(
          'order',
          constraint.id,
          constraint.orderKind === undefined ? scoreKind(constraint) : `${constraint.orderKind}:`,
          orderText(constraint),
          constraint.symmetrical === undefined ? undefined : `symmetrical=${constraint.symmetrical}`,
        ),
      ];
    case 'ticket':
      return [
        words(
          'rsc_ticket',
          constraint.id,
          `${constraint.ticket}:`,
          constraint.sets === undefined
            ? reference(constraint.resource, constraint.role)
            : markedSets(constraint.sets, 1),
          constraint.lossPolicy === undefined ? undefined : `loss-policy=${constraint.lossPolicy}`,
        ),
      ];
  }
}

const quotePattern = (pattern: string): string => (/[\s"'\\]/.test(pattern) ? quote(`/${pattern}/`) : `/${pattern}/`);

const scoreKind = (order: Order): string | undefined =>
  order.score === undefined ? undefined : order.score === 0 ? 'Optional:' : 'Mandatory:';

const reference = (resource: string | undefined, qualifier?: string): string | undefined =>
  resource === undefined || qualifier === undefined ? resource : `${resource}:${qualifier}`;

const colocationText = (constraint: Colocation): string =>
  constraint.sets === undefined
    ? words(
        reference(constraint.dependent, constraint.dependentRole ?? constraint.dependentInstance),
        reference(constraint.primary, constraint.primaryRole ?? constraint.primaryInstance),
      )
    : markedSets(constraint.sets, 2);

const orderText = (constraint: Order): string =>
  constraint.sets === undefined
    ? words(
        reference(constraint.first, constraint.firstAction ?? constraint.firstInstance),
        reference(constraint.then, constraint.thenAction ?? constraint.thenInstance),
      )
    : markedSets(constraint.sets, 2);

/** Sets that would read as a plain pair get a mark. */
function markedSets(sets: readonly ResourceSet[], count: number): string {
  const text = setsText(sets) ?? '';
  const isPlain = !/[([]/.test(text) && sets.reduce((sum, set) => sum + set.members.length, 0) <= count;
  return isPlain ? `_rsc_set_ ${text}` : text;
}

function setsText(sets: readonly ResourceSet[] | undefined): string | undefined {
  return sets?.map(oneSet).join(' ');
}

function oneSet(set: ResourceSet): string {
  const members = set.members.map((member) => reference(member, set.role ?? set.action));
  const isSequential = set.sequential !== false;
  if (set.requireAll === false) return words('[', ...members, isSequential ? 'sequential=true' : undefined, ']');
  return isSequential ? words(...members) : words('(', ...members, ')');
}

// --- options, fencing, access, alerts --------------------------------------------------------------------------

function optionLines(word: string, set: AttributeSet, referenced: Referenced): readonly string[] | undefined {
  if (set.score !== undefined) return undefined;
  if (set.idRef !== undefined) return [`${word} $id-ref=${set.idRef}`];
  return [
    words(word, set.id === undefined ? undefined : /^[\w.-]+$/.test(set.id) ? `${set.id}:` : `$id=${set.id}`),
    ...(set.rule === undefined ? [] : [ruleText(set.rule, referenced)]),
    ...set.pairs.map((pair) => onePair(pair, referenced)),
  ];
}

/** Levels that are not numbered 1, 2, … for each target cannot be said; the text then does not read back. */
function fencingLines(levels: readonly FencingLevel[]): readonly string[] {
  const byTarget = new Map<string, FencingLevel[]>();
  for (const level of levels) {
    const { target } = level;
    const text =
      target.type === 'node'
        ? `${target.name}:`
        : target.type === 'pattern'
          ? quote(`pattern:${target.pattern}`)
          : quote(`attr:${target.name}=${target.value}`);
    byTarget.set(text, [...(byTarget.get(text) ?? []), level]);
  }
  const lines = [...byTarget].map(([text, list]) =>
    words(text, ...list.toSorted((a, b) => a.index - b.index).map((level) => quote(level.devices.join(',')))),
  );
  return ['fencing_topology', ...lines];
}

function roleLines({ id, value }: ItemOf<'aclRole'>): readonly string[] {
  return [
    words('role', id),
    ...descriptionLine(value),
    ...value.permissions.map((permission) =>
      words(
        permission.kind,
        ...descriptionLine(permission),
        permission.xpath === undefined ? undefined : (findShortcut(permission.xpath) ?? xpathText(permission.xpath)),
        permission.reference === undefined ? undefined : `ref:${permission.reference}`,
        permission.attribute === undefined ? undefined : `attr:${permission.attribute}`,
        permission.objectType === undefined ? undefined : `type:${permission.objectType}`,
      ),
    ),
  ];
}

const xpathText = (xpath: string): string => `xpath:"${xpath.replace(/["\\]/g, (character) => `\\${character}`)}"`;

function alertLines(alert: Alert, referenced: Referenced): readonly string[] {
  const { select } = alert;
  return [
    words('alert', alert.id, quote(alert.path)),
    ...descriptionLine(alert),
    ...setLines('attributes', alert.parameters, referenced),
    ...(select === undefined
      ? []
      : [
          words(
            'select',
            select.nodes ? 'nodes' : undefined,
            select.fencing ? 'fencing' : undefined,
            select.resources ? 'resources' : undefined,
            select.attributes === undefined
              ? undefined
              : `attributes { ${select.attributes.map(({ name }) => quote(name)).join(' ')} }`,
          ),
        ]),
    ...setLines('meta', alert.meta, referenced),
    ...alert.recipients.map((recipient) => recipientText(recipient, referenced)),
  ];
}

const recipientText = (recipient: AlertRecipient, referenced: Referenced): string =>
  words(
    'to',
    quote(recipient.value),
    ...descriptionLine(recipient),
    ...setLines('attributes', recipient.parameters, referenced),
    ...setLines('meta', recipient.meta, referenced),
  );
