import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyConfiguration } from '@systole/cib';
import { checkConfiguration } from '@systole/cib/schema';
import { describe, expect, test } from 'vitest';
import { printConfiguration, Session } from '../src/language/index.ts';

const examples = join(import.meta.dirname, '..', '..', '..', 'examples');
const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.crm'));

const load = (text: string, name: string) => {
  const session = new Session(emptyConfiguration, { readFile: (path) => readFileSync(path, 'utf8') });
  session.run(text, name);
  return session.draft.finish();
};

/** What stands inside a group or clone is shown before it, so loading may change the order of statements. */
const statements = (text: string): readonly string[] => text.split(/\n(?=\S)/u).toSorted();

describe('the examples', () => {
  test.for(files)('%s is a valid configuration, and survives being shown and loaded again', (name) => {
    const configuration = load(readFileSync(join(examples, name), 'utf8'), name);
    expect(checkConfiguration(configuration)).toMatchObject({ ok: true });
    const shown = printConfiguration(configuration);
    expect(statements(printConfiguration(load(shown, 'shown')))).toEqual(statements(shown));
  });
});
