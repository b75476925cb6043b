/** Tables of text: columns as wide as their widest cell. */
import stringWidth from 'string-width';

const width = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text));

const pad = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - width(text)));

/** Rows as lines, two blanks between columns; nothing at the end of a line. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  return rows
    .map((row) => (indent + row.map((cell, index) => pad(cell, widths[index] ?? 0)).join('  ')).trimEnd())
    .join('\n');
}
