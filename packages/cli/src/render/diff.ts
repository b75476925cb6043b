/** The difference of two configurations, by statement. */
import { type Item, keyOf } from '../language/items.ts';
import { printItems } from '../language/print.ts';

/** Lines with `-` for what goes and `+` for what comes; statements that stay are left out. Empty if nothing differs. */
export function diffItems(before: readonly Item[], after: readonly Item[]): string {
  const old = new Map(before.map((item) => [keyOf(item.kind, item.id), item]));
  const now = new Map(after.map((item) => [keyOf(item.kind, item.id), item]));
  const lines: string[] = [];
  for (const [key, item] of old) {
    const next = now.get(key);
    if (next === undefined) lines.push(...prefixed('-', printItems([item], before)));
    else if (JSON.stringify(next.value) !== JSON.stringify(item.value))
      lines.push(...changed(printItems([item], before), printItems([next], after)));
  }
  for (const [key, item] of now) if (!old.has(key)) lines.push(...prefixed('+', printItems([item], after)));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

const prefixed = (sign: string, text: string): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `${sign} ${line}`);

/** Lines that both have stay unmarked. */
function changed(before: string, after: string): readonly string[] {
  const clean = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ \\$/, ''));
  const [old, now] = [clean(before), clean(after)];
  if (old.join('\n') === now.join('\n')) return [];
  const common = longestCommon(old, now);
  const lines: string[] = [];
  let [a, b] = [0, 0];
  for (const line of [...common, undefined]) {
    while (a < old.length && old[a] !== line) lines.push(`- ${old[a++]}`);
    while (b < now.length && now[b] !== line) lines.push(`+ ${now[b++]}`);
    if (line !== undefined) lines.push(`  ${line}`);
    a += 1;
    b += 1;
  }
  return lines;
}

/** Statements are short, so the plain way is quick enough. */
function longestCommon(a: readonly string[], b: readonly string[]): readonly string[] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from(b, () => 0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] ?? [];
      row[j] = a[i] === b[j] ? (lengths[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(lengths[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  const result: string[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      result.push(a[i] ?? '');
      i += 1;
      j += 1;
    } else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return result;
}
