/** How a rule compares the values of attributes: as text, whole numbers, numbers, or versions. */

export type ValueType = 'string' | 'integer' | 'number' | 'version';

/** Negative if `a` is less, 0 if they are equal. What is no number compares as text; an absent value is the least. */
export function compareValues(a: string | undefined, b: string | undefined, type: ValueType): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  switch (type) {
    case 'version':
      return compareVersionTexts(a, b);
    case 'integer':
      return numbersOrText(a, b, /^\s*[+-]?\d+$/);
    case 'number':
      return numbersOrText(a, b, /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i);
    case 'string':
      return ignoringCase(a, b);
  }
}

const ignoringCase = (a: string, b: string): number => {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  return left < right ? -1 : Number(left > right);
};

const numbersOrText = (a: string, b: string, form: RegExp): number =>
  form.test(a) && form.test(b) ? Math.sign(Number(a) - Number(b)) : ignoringCase(a, b);

/** Compares the leading dotted numbers, missing ones as 0: `1.2` is before `1.10`. */
export function compareVersionTexts(a: string, b: string): number {
  const segments = (text: string): readonly number[] =>
    (/^\s*(\d+(?:\.\d+)*)/.exec(text)?.[1] ?? '').split('.').map(Number);
  const [left, right] = [segments(a), segments(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
