/** Negative if list `a` is smaller at the first place where the two differ. Both have the same length. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [position, value] of a.entries()) {
    const other = b[position] ?? value;
    if (value !== other) return value - other;
  }
  return 0;
}
