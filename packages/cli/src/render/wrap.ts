/** Lines of prose as wide as the screen, broken between words. */

/** Words closer to the edge than this would be one to a line: the screen is left to break them. */
const LEAST_COLUMNS = 20;

/**
 * Breaks the lines of a text that are longer than `columns` at blanks; what goes on stands `hang` columns to the right, or
 * where its line began. A word longer than a line stays whole, for copying.
 */
export function wrap(text: string, columns: number | undefined, hang?: number): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns, hang ?? /^ */.exec(line)?.[0].length ?? 0))
    .join('\n');
}

function wrapLine(line: string, columns: number, hang: number): string {
  if (line.length <= columns || columns - hang < LEAST_COLUMNS) return line;
  const lines: string[] = [];
  let rest = line;
  let indent = /^ */.exec(line)?.[0].length ?? 0;
  while (rest.length > columns) {
    // The last blank that still fits, else the first one behind the edge; never one of the indent or of a column's padding.
    const from = Math.max(indent, lines.length === 0 ? hang : indent);
    const fitting = rest.lastIndexOf(' ', columns);
    const at = fitting > from ? fitting : rest.indexOf(' ', Math.max(columns, from));
    if (at === -1) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = ' '.repeat(hang) + rest.slice(at).trimStart();
    indent = hang;
  }
  return [...lines, rest].join('\n');
}
