/**
 * The part of XPath that agents and permissions use to point into the CIB: steps to children (`/`) or descendants
 * (`//`), by name or `*`, with conditions on attributes (`[@a='x' and @b="y" or starts-with(@c,'z')]`), and several such
 * paths with `|` between them. Anything else is refused rather than misread.
 */
import { fail, ok, type Result } from '@systole/kernel';

/** Several alternatives, of each of which all steps are taken. */
export type XPath = readonly (readonly Step[])[];

interface Step {
  readonly isDeep: boolean;
  readonly name: string;
  /** All must hold: each is true if all conditions of any of its lists hold. */
  readonly predicates: readonly (readonly (readonly Condition[])[])[];
}

interface Condition {
  readonly attribute: string;
  readonly test: 'present' | 'equal' | 'different' | 'startsWith' | 'contains';
  readonly value: string;
}

/** What is looked into: elements with attributes and children, whoever made them. */
export interface XmlNode<T> {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly children?: readonly T[];
}

const stepPattern = /^(\/\/?)([\w.*-]+)((?:\[[^\]]*\])*)/;
const conditionPattern = /^@([\w.-]+)(?:\s*(!?=)\s*(?:'([^']*)'|"([^"]*)"))?/;
const functionPattern = /^(starts-with|contains)\(\s*@([\w.-]+)\s*,\s*(?:'([^']*)'|"([^"]*)")\s*\)/;

/** @returns what of the path is not understood. */
export function parseXPath(path: string): Result<XPath, string> {
  const alternatives: (readonly Step[])[] = [];
  let steps: Step[] = [];
  let rest = path.trim();
  while (rest !== '') {
    if (rest.startsWith('|') && steps.length > 0) {
      alternatives.push(steps);
      steps = [];
      rest = rest.slice(1).trim();
      continue;
    }
    const match = stepPattern.exec(rest);
    if (match === null) return fail(`"${rest}" is more of XPath than is understood here`);
    const predicates: (readonly (readonly Condition[])[])[] = [];
    for (const [, inner = ''] of (match[3] ?? '').matchAll(/\[([^\]]*)\]/g)) {
      const predicate = parsePredicate(inner);
      if (predicate === undefined) return fail(`[${inner}] is more of XPath than is understood here`);
      predicates.push(predicate);
    }
    steps.push({ isDeep: match[1] === '//', name: match[2] ?? '', predicates });
    rest = rest.slice(match[0].length).trimStart();
  }
  if (steps.length === 0) return fail(`"${path}" names nothing`);
  return ok([...alternatives, steps]);
}

function parsePredicate(inner: string): readonly (readonly Condition[])[] | undefined {
  const any: Condition[][] = [[]];
  let rest = inner.trim();
  while (true) {
    const found = readCondition(rest);
    if (found === undefined) return undefined;
    any.at(-1)?.push(found.condition);
    rest = rest.slice(found.length).trimStart();
    if (rest === '') return any;
    const joint = /^(and|or)\s+/.exec(rest);
    if (joint === null) return undefined;
    if (joint[1] === 'or') any.push([]);
    rest = rest.slice(joint[0].length);
  }
}

function readCondition(text: string): { readonly condition: Condition; readonly length: number } | undefined {
  const called = functionPattern.exec(text);
  if (called !== null) {
    const test = called[1] === 'contains' ? 'contains' : 'startsWith';
    return {
      condition: { attribute: called[2] ?? '', test, value: called[3] ?? called[4] ?? '' },
      length: called[0].length,
    };
  }
  const match = conditionPattern.exec(text);
  if (match === null) return undefined;
  const test = match[2] === undefined ? 'present' : match[2] === '=' ? 'equal' : 'different';
  return { condition: { attribute: match[1] ?? '', test, value: match[3] ?? match[4] ?? '' }, length: match[0].length };
}

function holds<T>(element: XmlNode<T>, { attribute, test, value }: Condition): boolean {
  const found = element.attributes[attribute];
  if (found === undefined) return false;
  switch (test) {
    case 'present':
      return true;
    case 'equal':
      return found === value;
    case 'different':
      return found !== value;
    case 'startsWith':
      return found.startsWith(value);
    case 'contains':
      return found.includes(value);
  }
}

/** The elements that the path selects, each once. */
export function selectNodes<T extends XmlNode<T>>(root: T, path: XPath): ReadonlySet<T> {
  return new Set(path.flatMap((steps) => walk(root, steps)));
}

function walk<T extends XmlNode<T>>(root: T, steps: readonly Step[]): readonly T[] {
  const descendants = (element: T): readonly T[] =>
    (element.children ?? []).flatMap((child) => [child, ...descendants(child)]);
  let selected: readonly T[] | undefined;
  for (const { isDeep, name, predicates } of steps) {
    const reachable: readonly T[] =
      selected === undefined
        ? isDeep
          ? [root, ...descendants(root)]
          : [root]
        : selected.flatMap((element) => (isDeep ? descendants(element) : (element.children ?? [])));
    selected = [...new Set(reachable)].filter(
      (element) =>
        (name === '*' || element.name === name) &&
        predicates.every((any) => any.some((all) => all.every((condition) => holds(element, condition)))),
    );
  }
  return selected ?? [];
}
