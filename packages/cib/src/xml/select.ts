/**
 * The part of XPath that agents use to look into the CIB: steps to children (`/`) or descendants (`//`), by name or `*`,
 * with conditions on attributes (`[@a='x' and @b="y"]`). Anything else is refused rather than misread.
 */
import { parseXml, type XmlElement } from '@rgrove/parse-xml';
import { fail, ok, type Result } from '@systole/kernel';
import { type Output, writeXml } from './writer.ts';

interface Step {
  readonly isDeep: boolean;
  readonly name: string;
  /** Any of these lists, of which all must hold. */
  readonly conditions: readonly (readonly Condition[])[];
}

interface Condition {
  readonly attribute: string;
  /** Absent: it only has to be there. */
  readonly value?: string;
}

const stepPattern = /^(\/\/?)([\w.*-]+)((?:\[[^\]]*\])*)/;
const conditionPattern = /^@([\w.-]+)(?:\s*=\s*(?:'([^']*)'|"([^"]*)"))?$/;

function parsePath(path: string): Result<readonly Step[], string> {
  const steps: Step[] = [];
  let rest = path.trim();
  while (rest !== '') {
    const match = stepPattern.exec(rest);
    if (match === null) return fail(`"${rest}" is more of XPath than is understood here`);
    const conditions: (readonly Condition[])[] = [];
    for (const [, inner = ''] of (match[3] ?? '').matchAll(/\[([^\]]*)\]/g)) {
      const all: Condition[] = [];
      for (const text of inner.split(/\s+and\s+/)) {
        const condition = conditionPattern.exec(text.trim());
        if (condition === null) return fail(`[${inner}] is more of XPath than is understood here`);
        const value = condition[2] ?? condition[3];
        all.push({ attribute: condition[1] ?? '', ...(value === undefined ? {} : { value }) });
      }
      conditions.push(all);
    }
    steps.push({ isDeep: match[1] === '//', name: match[2] ?? '', conditions });
    rest = rest.slice(match[0].length);
  }
  return ok(steps);
}

const children = (element: XmlElement): readonly XmlElement[] =>
  element.children.filter((node): node is XmlElement => node.type === 'element');

const descendants = (element: XmlElement): readonly XmlElement[] =>
  children(element).flatMap((child) => [child, ...descendants(child)]);

const holds = (element: XmlElement, { attribute, value }: Condition): boolean => {
  const found = element.attributes[attribute];
  return found !== undefined && (value === undefined || found === value);
};

const outputOf = (element: XmlElement): Output => ({
  name: element.name,
  attributes: element.attributes,
  children: children(element).map(outputOf),
});

/** The elements of a document that `path` selects, each as XML, in the document's order. */
export function selectXml(xml: string, path: string): Result<readonly string[], string> {
  const steps = parsePath(path);
  if (!steps.ok) return steps;
  const { root } = parseXml(xml);
  if (root === null) return ok([]);
  let selected: readonly XmlElement[] | undefined;
  for (const { isDeep, name, conditions } of steps.value) {
    const reachable: readonly XmlElement[] =
      selected === undefined
        ? isDeep
          ? [root, ...descendants(root)]
          : [root]
        : selected.flatMap(isDeep ? descendants : children);
    selected = [...new Set(reachable)].filter(
      (element) =>
        (name === '*' || element.name === name) &&
        conditions.every((all) => all.every((condition) => holds(element, condition))),
    );
  }
  return ok((selected ?? []).map((element) => writeXml(outputOf(element))));
}
