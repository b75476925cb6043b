/** Configurations of the kinds that vendors' guides have, with their prompts, line breaks and quotes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyConfiguration } from '@systole/cib';
import { describe, expect, test } from 'vitest';
import { printConfiguration, Session } from '../src/language/index.ts';
import { configured, noFiles } from './support.ts';

const folder = join(import.meta.dirname, 'vendors');

/** Which resource stands before which is not in the text: groups and clones come behind what they hold. */
const statements = (text: string): readonly string[] => text.split(/\n(?!\t)/).toSorted();

describe("a vendor's configuration", () => {
  test.each(readdirSync(folder))('is accepted as it is typed, and survives being shown: %s', (file) => {
    const given = configured(readFileSync(join(folder, file), 'utf8'));
    const shown = printConfiguration(given);
    const session = new Session(emptyConfiguration, noFiles);
    session.load(shown, file, 'replace');
    expect(statements(printConfiguration(session.draft.finish()))).toEqual(statements(shown));
    expect(given.resources.length).toBeGreaterThan(1);
  });
});
