import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyConfiguration } from '@systole/cib';
import { printConfiguration, readText } from '../src/language/index.ts';
import { quote } from '../src/language/quote.ts';
import { configured, filesOf } from './support.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/);
const value = fc
  .oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[ "'\\$#;{}()=:@-]{0,6}$/))
  .filter((text) => [...text].every((character) => character >= ' ' || character === '\n' || character === '\t'));
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
