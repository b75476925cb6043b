import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { targets } from './targets.ts';

const corpus = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus.json'), 'utf8')) as Record<string, string[]>;

describe.for(Object.entries(targets))('programs that were found to reach far, for the %s', ([name, { run }]) => {
  test('break nothing', () => {
    const programs = corpus[name] ?? [];
    expect(programs.length).toBeGreaterThan(5);
    for (const program of programs)
      expect(() => run(new Uint8Array(Buffer.from(program, 'hex'))), program).not.toThrow();
  });
});
