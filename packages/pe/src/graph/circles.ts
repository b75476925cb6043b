/**
 * Makes sure that no action waits for itself.
 *
 * Orders that an operator has configured may contradict each other (A before B, B before A), and then nothing in the
 * circle could ever begin. Such orders are not kept, and the circle is reported by name. What keeps data safe is kept
 * whatever happens: that a resource stops before it starts elsewhere, that a node is fenced first, that a guest is
 * there for what runs inside. If a circle is made of these alone, its actions are left out, with all that follows.
 */
import { type Draft } from './draft.ts';
import { circles, isAcyclic } from './loops.ts';

type Pair = readonly [number, number];

export interface Straightened {
  readonly drafts: readonly Draft[];
  readonly pairs: readonly Pair[];
  readonly circles: readonly (readonly Draft[])[];
}

export function withoutCircles(drafts: readonly Draft[], pairs: readonly Pair[]): Straightened {
  if (isAcyclic(drafts.length, pairs)) return { drafts, pairs, circles: [] };
  const found = findCircles(drafts.length, pairs);
  const named = found.map((circle) => circle.map((index) => drafts[index] as Draft));
  // First those against the order in which things were thought of, then all that may be given up.
  const fewer = cut(drafts, pairs, found, ([first, then]) => first >= then);
  if (isAcyclic(drafts.length, fewer)) return { drafts, pairs: fewer, circles: named };
  const fewest = cut(drafts, fewer, findCircles(drafts.length, fewer), () => true);
  if (isAcyclic(drafts.length, fewest)) return { drafts, pairs: fewest, circles: named };
  return { ...leaveOut(drafts, fewest), circles: named };
}

function findCircles(count: number, pairs: readonly Pair[]): readonly (readonly number[])[] {
  const after: number[][] = Array.from({ length: count }, () => []);
  for (const [first, then] of pairs) after[first]?.push(then);
  return circles(count, (index) => after[index] as number[]);
}

/** Without those pairs inside circles that may be given up and that `isChosen` names. */
function cut(
  drafts: readonly Draft[],
  pairs: readonly Pair[],
  found: readonly (readonly number[])[],
  isChosen: (pair: Pair) => boolean,
): readonly Pair[] {
  const circleOf = new Map(found.flatMap((circle, number) => circle.map((index) => [index, number])));
  return pairs.filter((pair) => {
    const [first, then] = pair;
    const isInside = circleOf.has(first) && circleOf.get(first) === circleOf.get(then);
    return !(isInside && isChosen(pair) && mayBeGivenUp(drafts[first] as Draft, drafts[then] as Draft));
  });
}

/** An order between two resources that do not depend on each other for being safe. */
function mayBeGivenUp(first: Draft, then: Draft): boolean {
  const a = first.subject;
  const b = then.subject;
  if (a === undefined || b === undefined || a.top === b.top) return false;
  if (a.bundle !== undefined && a.bundle === b.bundle) return false;
  const runsInside = a.launcher === b || b.launcher === a;
  const isBehind = first.node?.connection === b.of || then.node?.connection === a.of;
  return !runsInside && !isBehind;
}

/** Without the circles that are left, and without all that waits for them. */
function leaveOut(drafts: readonly Draft[], pairs: readonly Pair[]): Pick<Straightened, 'drafts' | 'pairs'> {
  const out = new Set(findCircles(drafts.length, pairs).flat());
  const after: number[][] = Array.from({ length: drafts.length }, () => []);
  for (const [first, then] of pairs) after[first]?.push(then);
  for (const index of out) for (const then of after[index] ?? []) out.add(then); // the set grows while it is gone through
  const kept = drafts.filter((_, index) => !out.has(index));
  const indexOf = new Map(kept.map((draft, index) => [draft, index]));
  const keptPairs = pairs.flatMap(([first, then]): readonly Pair[] => {
    const a = indexOf.get(drafts[first] as Draft);
    const b = indexOf.get(drafts[then] as Draft);
    return a === undefined || b === undefined ? [] : [[a, b]];
  });
  return { drafts: kept, pairs: keptPairs };
}
