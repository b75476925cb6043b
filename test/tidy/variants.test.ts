/** The list of broken variants follows the code: a variant whose text is gone breaks nothing, and proves nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variants } from '../simulation/broken/variants.ts';

const packages = join(import.meta.dirname, '../../packages');

describe('a variant of the shipped code that is broken on purpose', () => {
  test.for(variants)('stands once in its file: $name', ({ file, find, replace }) => {
    const source = readFileSync(join(packages, file), 'utf8');
    expect(source.split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });
});
