import { describe, expect, test } from 'vitest';
import { isUnfinished, readText } from '../src/language/index.ts';

const words = (text: string): readonly (readonly string[])[] =>
  readText(text).statements.map((statement) => statement.words.map((word) => word.text));

describe('statements and words', () => {
  test('a backslash at the end of a line continues the statement', () => {
    expect(words('a b \\\n\tc\\\n d\ne')).toEqual([['a', 'b', 'c', 'd'], ['e']]);
  });

  test('quotes hold blanks together, wherever in a word they stand', () => {
    expect(words(`a="b c" 'd e'f "g\\"h" i\\ j`)).toEqual([['a=b c', 'd ef', 'g"h', 'i j']]);
  });

  test('nothing is special in single quotes, and a backslash protects only quotes and itself in double quotes', () => {
    expect(words(String.raw`'a\b$c' "d\e\\f"`)).toEqual([[String.raw`a\b$c`, String.raw`d\e\f`]]);
  });

  test('a line that begins with # is a comment of the statement behind it; elsewhere # is a letter', () => {
    const text = readText('# one\n  # two\na #uname b#c\n# last');
    expect(text.statements.map(({ comments }) => comments)).toEqual([['one', 'two']]);
    expect(text.statements[0]?.words.map((word) => word.text)).toEqual(['a', '#uname', 'b#c']);
    expect(text.comments).toEqual(['last']);
  });

  test('every word knows its line and column, also behind a quoted line break', () => {
    const [first, second] = readText('a "b\nc" d\ne').statements;
    expect(first?.words.map(({ line, column }) => [line, column])).toEqual([
      [1, 1],
      [1, 3],
      [2, 4],
    ]);
    expect(second?.words[0]).toMatchObject({ line: 3, column: 1 });
  });

  test('after xml the rest is one word as it stands', () => {
    expect(words('xml <a b="c d"> \\\n  <e/> \\\n</a>\nnext')).toEqual([['xml', '<a b="c d">   <e/> </a>'], ['next']]);
  });

  test('a quote that is never closed is told where it begins', () => {
    expect(() => readText('a\nb "c\nd')).toThrow(
      expect.objectContaining({ place: expect.objectContaining({ line: 2, column: 3 }) as unknown }),
    );
  });

  test('a statement is unfinished while a quote is open or a backslash stands at its end', () => {
    expect([isUnfinished('a "b'), isUnfinished('a \\'), isUnfinished('a "b"')]).toEqual([true, true, false]);
  });
});
