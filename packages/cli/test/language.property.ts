import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyConfiguration } from '@systole/cib';
import { LanguageProblem, printConfiguration, printItems, readText, Session } from '../src/language/index.ts';
import { quote } from '../src/language/quote.ts';
import { configured, filesOf, noFiles } from './support.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/);
const value = fc
  .oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[ "'\\$#;{}()=:@-]{0,6}$/))
  .filter((text) =>
    Array.from(text).every((character) => character >= ' ' || character === '\n' || character === '\t'),
  );
const pairs = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1, maxLength: 4 });

describe('quoting', () => {
  test('any text is one word again', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readText(`word ${quote(text)}`).statements[0]?.words.map((word) => word.text)).toEqual(['word', text]);
      }),
    );
  });
});

describe('printing', () => {
  test('what is printed, loaded into an empty configuration, gives the same configuration', () => {
    const primitive = fc.record({ params: pairs, meta: pairs, interval: fc.integer({ min: 1, max: 99 }) });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, primitive), { selector: ([id]) => id, minLength: 2, maxLength: 5 }),
        (list) => {
          const text = (values: readonly (readonly [string, string])[]): string =>
            values.map(([key, each]) => quote(`${key}=${each}`)).join(' ');
          const primitives = list.map(
            ([id, { params, meta, interval }]) =>
              `primitive p-${id} Dummy params ${text(params)} meta ${text(meta)} op monitor interval=${interval}s`,
          );
          const members = list.map(([id]) => `p-${id}`).join(' ');
          const configuration = configured(
            `${primitives.join('\n')}\ngroup g ${members}\nlocation l g rule 5: date spec hours=9-17\n`,
          );
          const shown = printConfiguration(configuration);
          expect(configured('load replace shown', emptyConfiguration, filesOf({ shown }))).toEqual(configuration);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('going back', () => {
  test('a draft is to the letter what it was, whatever was done since', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'g', 'h', 'l', 'x');
    const statement = fc.oneof(
      fc.tuple(id, id).map(([one, two]) => `group ${one} ${two}`),
      fc.tuple(id, id).map(([one, two]) => `rename ${one} ${two}`),
      id.map((one) => `delete ${one}`),
      id.map((one) => `primitive ${one} Dummy params n=1`),
      fc.tuple(id, id).map(([one, two]) => `location ${one} ${two} 5: n1`),
      fc.tuple(id, id).map(([one, two]) => `tag ${one} ${two}`),
      fc.constantFrom('erase', 'property p=1', 'property p=2 q=3', 'node n1 attributes r=1', 'set a.n 2'),
    );
    const begin = configured(
      'node n1\nprimitive a Dummy params n=0\nprimitive b Dummy\nprimitive c Dummy\ngroup g a b\ntag t g c',
    );
    fc.assert(
      fc.property(
        fc.array(statement, { maxLength: 6 }),
        fc.array(statement, { minLength: 1, maxLength: 6 }),
        (first, then) => {
          const session = new Session(begin, noFiles);
          const attempt = (text: string): void => {
            try {
              session.run(text, '');
            } catch (error) {
              if (!(error instanceof LanguageProblem)) throw error;
            }
          };
          for (const text of first) attempt(text);
          const before = printItems(session.draft.items);
          const { draft } = session;
          const snapshot = draft.snapshot();
          for (const item of draft.items)
            if (item.kind === 'primitive') draft.update({ ...item, value: { ...item.value, description: 'changed' } });
          for (const text of then) {
            const [word, one = '', two = ''] = text.split(' ');
            try {
              if (word === 'delete') draft.remove([one]);
              else if (word === 'rename') draft.rename(one, two);
              else if (word === 'erase') draft.erase();
              else if (word === 'set') draft.set(one, two);
            } catch (error) {
              if (!(error instanceof LanguageProblem)) throw error;
            }
          }
          draft.restore(snapshot);
          expect(printItems(draft.items)).toBe(before);
        },
      ),
      { numRuns: 200 },
    );
  });
});
