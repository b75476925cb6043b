/** Traps in constraints: what has run out, contradicts, can never hold, or goes in a circle. */
import { type Configuration, type Constraint, INFINITY, namedResources } from '@systole/cib';
import type { Finding } from './finding.ts';

export function constraints(configuration: Configuration, now: number): readonly Finding[] {
  const names = new Set(configuration.nodes.map((node) => node.name));
  const found: Finding[] = [];
  for (const constraint of configuration.constraints) {
    if (constraint.kind !== 'location') continue;
    if (constraint.node !== undefined && names.size > 0 && !names.has(constraint.node)) {
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} names the node "${constraint.node}", which does not exist`,
        advice: 'correct the name; a node that has yet to join is fine',
      });
    }
    if (isExpired(constraint, now))
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} has expired and has no effect any more`,
        advice: `delete ${constraint.id}`,
      });
  }
  return [
    ...found,
    ...contradictions(configuration.constraints),
    ...nowhere(configuration),
    ...circles(configuration.constraints),
  ];
}

/** Rules that only hold before a time that is past. */
const isExpired = (constraint: Constraint, now: number): boolean =>
  constraint.kind === 'location' &&
  constraint.rules.length > 0 &&
  constraint.rules.every(
    (rule) =>
      rule.booleanOp !== 'or' &&
      rule.expressions.some(
        (expression) =>
          expression.type === 'date' &&
          expression.end !== undefined &&
          expression.operation !== 'gt' &&
          Date.parse(expression.end) < now,
      ),
  );

/** Pairs that must be together and must not; and those whose order works against their colocation. */
function contradictions(list: readonly Constraint[]): readonly Finding[] {
  const found: Finding[] = [];
  const together = new Map<string, Constraint>();
  const apart = new Map<string, Constraint>();
  const dependsOn = new Map<string, Constraint>();
  for (const constraint of list) {
    if (constraint.kind !== 'colocation' || constraint.sets !== undefined) continue;
    const pair = namedResources(constraint).toSorted().join(' ');
    const score = constraint.score ?? 0;
    if (score >= INFINITY) together.set(pair, constraint);
    if (score <= -INFINITY) apart.set(pair, constraint);
    if (score > 0) dependsOn.set(`${constraint.dependent ?? ''} ${constraint.primary ?? ''}`, constraint);
  }
  for (const [pair, constraint] of together) {
    const other = apart.get(pair);
    if (other !== undefined)
      found.push({
        level: 'error',
        id: constraint.id,
        text: `${constraint.id} wants ${pair.replace(' ', ' and ')} together, ${other.id} wants them apart: one of them can never run`,
        advice: 'delete one of the two',
      });
  }
  for (const constraint of list) {
    if (constraint.kind !== 'order' || constraint.sets !== undefined || constraint.orderKind === 'Optional') continue;
    const { first = '', then = '', firstAction = 'start' } = constraint;
    const against = dependsOn.get(`${first} ${then}`);
    if (against !== undefined && firstAction === 'start' && (constraint.thenAction ?? 'start') === 'start') {
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} starts ${first} before ${then}, but ${against.id} places ${first} where ${then} is: where ${then} cannot run, ${first} cannot either, though it would start first`,
        advice: `turn the colocation around: ${then} with ${first}`,
      });
    }
  }
  return found;
}

/** Resources that are kept off every node. */
function nowhere(configuration: Configuration): readonly Finding[] {
  const nodes = configuration.nodes.map((node) => node.name);
  if (nodes.length === 0) return [];
  const banned = new Map<string, Set<string>>();
  for (const constraint of configuration.constraints) {
    if (
      constraint.kind !== 'location' ||
      constraint.resource === undefined ||
      constraint.node === undefined ||
      constraint.role !== undefined
    )
      continue;
    if ((constraint.score ?? 0) > -INFINITY) continue;
    const set = banned.get(constraint.resource) ?? new Set<string>();
    banned.set(constraint.resource, set.add(constraint.node));
  }
  return [...banned]
    .filter(([, set]) => nodes.every((node) => set.has(node)))
    .map(([id]): Finding => ({
      level: 'error',
      id,
      text: `${id} is banned from every node: it can never run`,
      advice: `systole resource clear ${id}, or delete the constraints`,
    }));
}

/** Orders that lead back to where they began. */
function circles(list: readonly Constraint[]): readonly Finding[] {
  const next = new Map<string, { readonly to: string; readonly id: string }[]>();
  for (const constraint of list) {
    if (
      constraint.kind !== 'order' ||
      constraint.sets !== undefined ||
      (constraint.orderKind ?? 'Mandatory') !== 'Mandatory'
    )
      continue;
    if ((constraint.firstAction ?? 'start') !== (constraint.thenAction ?? 'start')) continue;
    const from = constraint.first ?? '';
    next.set(from, [...(next.get(from) ?? []), { to: constraint.then ?? '', id: constraint.id }]);
  }
  const done = new Set<string>();
  const found: Finding[] = [];
  const visit = (name: string, path: readonly string[], ids: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      const circle = [...path.slice(start), name].join(' → ');
      found.push({
        level: 'error',
        id: ids.at(-1) ?? name,
        text: `orders go in a circle: ${circle}`,
        advice: `delete one of ${ids.slice(start).join(', ')}`,
      });
      return;
    }
    if (done.has(name)) return;
    for (const { to, id } of next.get(name) ?? []) visit(to, [...path, name], [...ids, id]);
    done.add(name);
  };
  for (const name of next.keys()) visit(name, [], []);
  return found;
}
