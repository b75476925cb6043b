/** Statements of constraints. */
import { type Colocation, type Constraint, type Order, type ResourceSet } from '@systole/cib';
import { infinity, ruleText, words, type Referenced } from './print-sets.ts';
import { quote } from './quote.ts';

export function constraintLines(constraint: Constraint, referenced: Referenced): readonly string[] | undefined {
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
