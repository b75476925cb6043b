/** Tables of figures as text. */
import type { Measured } from './measure.ts';

export const figure = (value: Measured): string =>
  value === undefined ? '-' : value === 'too long' ? value : value < 10 ? value.toFixed(1) : value.toFixed(0);

/** How many times the peer's cost is ours. */
export const ratio = (peer: Measured, own: Measured): string =>
  typeof peer === 'number' && typeof own === 'number' ? `${(peer / own).toFixed(1)}×` : '-';

export function print(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [heads, ...rows];
  const widths = heads.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of all) {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    console.log(cells.join('  '));
  }
}
