/**
 * Chooses whom a node should be in a view with: a set of nodes that all hear each other, itself among them.
 *
 * Nodes are bits of a mask, by ascending id; `graph[x]` is the mask of those x and they hear mutually. While everybody
 * hears everybody the answer is immediate; otherwise the maximal cliques with this node are enumerated (Bron–Kerbosch
 * with a pivot, at most 5000 steps; what is beyond is filled greedily).
 *
 * No stealing: a node of another view is not taken away from a partner that it still hears and that we cannot take too,
 * unless that makes us quorate and its view is not. Otherwise a ring of four working paths keeps two half views for ever.
 */

export interface Neighbour {
  /** Members of the view it says it is in. */
  readonly view: number;
  /** Whom it hears. */
  readonly hears: number;
  /** Its view is active and quorate. */
  readonly quorate: boolean;
}

export interface TargetInput {
  readonly self: number;
  readonly graph: readonly number[];
  /** Members of our view that still are what they were: same life, not leaving, not gone on without us. */
  readonly present: number;
  /** Our view is active and quorate: then keeping its members comes first. */
  readonly quorate: boolean;
  readonly neighbours: readonly (Neighbour | undefined)[];
  readonly votes: (mask: number) => number;
  readonly enough: (mask: number) => boolean;
}

const stepsMax = 5000;

export function bitCount(mask: number): number {
  let rest = mask - ((mask >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** Whether `a` is preferred to `b`. Total: masks that differ never tie. */
function isBetter(input: TargetInput, a: number, b: number): boolean {
  if (a === b) return false;
  const [firstA, firstB] = input.quorate
    ? [bitCount(a & input.present), bitCount(b & input.present)]
    : [input.enough(a) ? 1 : 0, input.enough(b) ? 1 : 0];
  if (firstA !== firstB) return firstA > firstB;
  const [votesA, votesB] = [input.votes(a), input.votes(b)];
  if (votesA !== votesB) return votesA > votesB;
  const [sizeA, sizeB] = [bitCount(a), bitCount(b)];
  if (sizeA !== sizeB) return sizeA > sizeB;
  return (a & (1 << lowest(a ^ b))) !== 0;
}

function largestClique(input: TargetInput): number {
  const { graph, self } = input;
  const me = (1 << self) >>> 0;
  const neighbours = ((graph[self] ?? 0) & ~me) >>> 0;
  let complete = true;
  for (let rest = neighbours; rest !== 0; rest &= rest - 1) {
    const mask = (neighbours & ~(1 << lowest(rest))) >>> 0;
    if (((graph[lowest(rest)] ?? 0) & mask) >>> 0 !== mask) {
      complete = false;
      break;
    }
  }
  if (complete) return (neighbours | me) >>> 0;

  let best = me;
  let steps = 0;
  const grow = (clique: number, candidates: number, excluded: number): void => {
    steps += 1;
    if (steps > stepsMax) return;
    if (candidates === 0) {
      if (excluded === 0 && isBetter(input, clique >>> 0, best)) best = clique >>> 0;
      return;
    }
    let pivot = lowest(candidates);
    for (let rest = candidates; rest !== 0; rest &= rest - 1) {
      if (bitCount(candidates & (graph[lowest(rest)] ?? 0)) > bitCount(candidates & (graph[pivot] ?? 0)))
        pivot = lowest(rest);
    }
    let [open, closed] = [candidates, excluded];
    for (let rest = candidates & ~(graph[pivot] ?? 0); rest !== 0; rest &= rest - 1) {
      const bit = 1 << lowest(rest);
      const around = graph[lowest(rest)] ?? 0;
      grow(clique | bit, open & around, closed & around);
      open &= ~bit;
      closed |= bit;
    }
  };
  grow(me, neighbours, 0);
  if (steps > stepsMax) best = fillGreedily(graph, best, neighbours);
  return best;
}

function fillGreedily(graph: readonly number[], clique: number, candidates: number): number {
  let grown = clique;
  for (let rest = candidates & ~clique; rest !== 0; rest &= rest - 1) {
    const node = lowest(rest);
    if (((graph[node] ?? 0) & grown) >>> 0 === grown >>> 0) grown |= 1 << node;
  }
  return grown >>> 0;
}

export function chooseTarget(input: TargetInput): number {
  let target = largestClique(input);
  for (let changed = true; changed;) {
    changed = false;
    const quorate = input.enough(target);
    for (let rest = target & ~input.present & ~(1 << input.self); rest !== 0; rest &= rest - 1) {
      const node = lowest(rest);
      const neighbour = input.neighbours[node];
      if (neighbour === undefined || (quorate && !neighbour.quorate)) continue;
      const bereft = neighbour.view & neighbour.hears & ~target;
      if (bereft === 0) continue;
      target = (target & ~(1 << node)) >>> 0;
      changed = true;
      break;
    }
  }
  return target;
}
