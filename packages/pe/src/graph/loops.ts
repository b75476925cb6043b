/** Finds actions that wait for each other in a circle, so that the circle can be named and cut rather than waited in. */

/** Whether all of the pairs' elements can be put in order. Cheap: to be asked before `circles`. */
export function isAcyclic(count: number, pairs: readonly (readonly [number, number])[]): boolean {
  const waitsFor = new Int32Array(count);
  const starts = new Int32Array(count + 1); // where the followers of each begin in `followers`
  for (const [first, then] of pairs) {
    waitsFor[then] = (waitsFor[then] as number) + 1;
    starts[first + 1] = (starts[first + 1] as number) + 1;
  }
  for (let at = 0; at < count; at++) starts[at + 1] = (starts[at + 1] as number) + (starts[at] as number);
  const followers = new Int32Array(pairs.length);
  const next = starts.slice(0, count);
  for (const [first, then] of pairs) {
    const at = next[first] as number;
    followers[at] = then;
    next[first] = at + 1;
  }
  const ready: number[] = [];
  for (let at = 0; at < count; at++) if (waitsFor[at] === 0) ready.push(at);
  let placed = 0;
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    placed++;
    for (let link = starts[at] as number; link < (starts[at + 1] as number); link++) {
      const then = followers[link] as number;
      waitsFor[then] = (waitsFor[then] as number) - 1;
      if (waitsFor[then] === 0) ready.push(then);
    }
  }
  return placed === count;
}

/**
 * The strongly connected parts of more than one element (or with a link to itself), each in the order of its numbers.
 * `after(i)` lists what comes after i. Iterative, so that long chains do not exhaust the stack; linear in the links.
 */
export function circles(count: number, after: (index: number) => readonly number[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  const order = new Int32Array(count).fill(-1);
  const lowest = new Int32Array(count);
  const isOpen = new Uint8Array(count);
  const open: number[] = [];
  let next = 0;
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const path: { at: number; links: readonly number[]; link: number }[] = [];
    const enter = (at: number): void => {
      order[at] = lowest[at] = next++;
      open.push(at);
      isOpen[at] = 1;
      path.push({ at, links: after(at), link: 0 });
    };
    enter(root);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const to = frame.links[frame.link++];
      if (to !== undefined) {
        if (order[to] === -1) enter(to);
        else if (isOpen[to] === 1) lowest[frame.at] = Math.min(lowest[frame.at] as number, order[to] as number);
        continue;
      }
      path.pop();
      const { at } = frame;
      const above = path.at(-1);
      if (above !== undefined) lowest[above.at] = Math.min(lowest[above.at] as number, lowest[at] as number);
      if (lowest[at] !== order[at]) continue;
      const part: number[] = [];
      for (let member = open.pop() as number; ; member = open.pop() as number) {
        isOpen[member] = 0;
        part.push(member);
        if (member === at) break;
      }
      if (part.length > 1 || frame.links.includes(at)) found.push(part.toSorted((a, b) => a - b));
    }
  }
  return found;
}
