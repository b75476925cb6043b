/**
 * Reads location constraints: the score of a resource on each node that a constraint speaks of. A rule is asked for
 * every node; a node for which it does not hold gets no score from it.
 *
 * The role `Started` or `Unpromoted` means any role, because an instance is unpromoted before it is promoted.
 *
 * Semantics: Pacemaker Explained, "Deciding Which Nodes a Resource Can Run On" and "Rules".
 */
import { evaluateRule, parseScore, type Location, type Role, type Rule, type RuleContext } from '@systole/cib';
import { unreachable } from '@systole/kernel';
import type { Instance } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import type { LocationRule, NodeScore } from './constraint.ts';
import { ignored, unknown, type References } from './references.ts';

/** A resource that a constraint is for, and what the constraint says of just this one. */
interface Target {
  readonly resource: Instance;
  readonly role?: Role | undefined;
  readonly score?: number | undefined;
  /** What the constraint's pattern matched: the whole id, then its parts in parentheses. */
  readonly submatches?: readonly (string | undefined)[];
}

export function readLocation(
  constraint: Location,
  situation: Situation,
  references: References,
  noteChange: (at: number) => void,
): readonly LocationRule[] {
  return targetsOf(constraint, situation, references).flatMap((target) => {
    const score = target.score ?? constraint.score;
    if (constraint.node !== undefined && score !== undefined) {
      return onNamedNode(constraint, target, constraint.node, score, situation, references);
    }
    return constraint.rules.flatMap((rule) => byRule(constraint, target, rule, situation, references, noteChange));
  });
}

function targetsOf(constraint: Location, situation: Situation, references: References): readonly Target[] {
  if (constraint.sets !== undefined && constraint.sets.length > 0) {
    return constraint.sets.flatMap((given) => {
      const set = references.set(given);
      const resources = set === undefined ? [] : (references.members(set, constraint.id) ?? []);
      return resources.map((resource) => ({ resource, role: set?.role ?? constraint.role, score: set?.score }));
    });
  }
  if (constraint.pattern !== undefined) return matching(constraint, constraint.pattern, situation, references);
  const id = constraint.resource ?? '';
  const reference = references.lookUp(id);
  switch (reference.type) {
    case 'resource':
      return [{ resource: reference.resource, role: constraint.role }];
    case 'several': {
      const resources = references.members({ members: [id] }, constraint.id) ?? [];
      return resources.map((resource) => ({ resource, role: constraint.role }));
    }
    case 'unknown':
      references.messages.push(unknown(constraint.id, id));
      return [];
    default:
      return unreachable(reference);
  }
}

/** The outermost resources whose id the pattern matches (or, after `!`, does not match). */
function matching(
  constraint: Location,
  pattern: string,
  situation: Situation,
  references: References,
): readonly Target[] {
  const isInverted = pattern.startsWith('!');
  const expression = compile(isInverted ? pattern.slice(1) : pattern);
  if (expression === undefined) {
    references.messages.push(ignored(constraint.id, `"${pattern}" is not a regular expression`));
    return [];
  }
  const targets: Target[] = [];
  for (const resource of situation.roots) {
    const match = expression.exec(resource.id);
    if (match !== null && !isInverted) targets.push({ resource, role: constraint.role, submatches: [...match] });
    if (match === null && isInverted) targets.push({ resource, role: constraint.role });
  }
  return targets;
}

/** POSIX extended expressions have classes that ours lack, and lack escapes that ours have: there, `\d` is a `d`. */
function compile(pattern: string): RegExp | undefined {
  const translated = pattern
    .replace(/\[:([a-z]+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replace(/\\([AC-RT-VX-Zac-rt-vx-z])/g, '$1');
  try {
    return new RegExp(translated);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: 'A-Fa-f0-9',
};

function onNamedNode(
  constraint: Location,
  target: Target,
  name: string,
  score: number,
  situation: Situation,
  references: References,
): readonly LocationRule[] {
  const node = situation.nodeByName.get(name);
  // A constraint for a node that has left for good is common and harmless: not a message.
  if (node === undefined) return [];
  return [
    {
      id: constraint.id,
      constraintId: constraint.id,
      resource: target.resource,
      role: countedRole(target.role),
      discovery: constraint.discovery ?? 'always',
      scores: inLifetime(constraint, situation, references, [{ node, score }]),
    },
  ];
}

function byRule(
  constraint: Location,
  target: Target,
  given: Rule,
  situation: Situation,
  references: References,
  noteChange: (at: number) => void,
): readonly LocationRule[] {
  const rule = given.idRef === undefined ? given : references.cib.rule(given.idRef);
  if (rule === undefined) {
    references.messages.push(ignored(constraint.id, `there is no rule "${given.idRef}"`));
    return [];
  }
  const { resource, submatches } = target;
  const scoreAttribute = rule.scoreAttribute?.replace(/%(\d)/g, (whole, digit: string) =>
    submatches === undefined ? whole : (submatches[Number(digit)] ?? ''),
  );
  const scores: NodeScore[] = [];
  let at = situation.nodes[0];
  // One context for all nodes: there are as many evaluations as rules times nodes.
  const context: RuleContext = {
    now: situation.now,
    references: references.cib,
    get nodeAttributes() {
      return at?.attributes ?? nothing;
    },
    get parameters() {
      return at === undefined ? nothing : references.parameters(resource, at);
    },
    meta: resource.meta,
    noteChange,
    ...(submatches === undefined ? {} : { submatches }),
  };
  for (const node of situation.nodes) {
    at = node;
    if (!evaluateRule(rule, context) || !isInLifetime(constraint, context)) continue;
    if (scoreAttribute === undefined) {
      scores.push({ node, score: rule.score ?? 0 });
      continue;
    }
    const host = resource.meta.get('container-attribute-target') === 'host' ? hostOf(node) : node;
    const value = host?.attributes.get(scoreAttribute);
    const score = value === undefined || value === '' ? undefined : parseScore(value);
    if (score !== undefined) scores.push({ node, score });
  }
  return [
    {
      id: rule.id ?? constraint.id,
      constraintId: constraint.id,
      resource,
      role: countedRole(rule.role),
      discovery: constraint.discovery ?? 'always',
      scores,
    },
  ];
}

const nothing: ReadonlyMap<string, string> = new Map();

/** Where the container of a guest node is now; other nodes are their own hosts. */
function hostOf(node: Situation['nodes'][number]): Situation['nodes'][number] | undefined {
  const connection = node.connection;
  if (connection?.kind !== 'primitive' || connection.launcher === undefined) return node;
  return connection.launcher.activeNodes[0];
}

const countedRole = (role: Role | undefined): LocationRule['role'] =>
  role === 'Promoted' || role === 'Stopped' ? role : 'Unknown';

const isInLifetime = (constraint: Location, context: RuleContext): boolean =>
  constraint.lifetime === undefined || constraint.lifetime.some((rule) => evaluateRule(rule, context));

function inLifetime(
  constraint: Location,
  situation: Situation,
  references: References,
  scores: readonly NodeScore[],
): readonly NodeScore[] {
  if (constraint.lifetime === undefined) return scores;
  return scores.filter(({ node }) =>
    isInLifetime(constraint, {
      now: situation.now,
      references: references.cib,
      nodeAttributes: node.attributes,
    }),
  );
}
