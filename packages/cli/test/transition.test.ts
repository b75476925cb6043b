import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { StoredInput } from '@systole/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { peinputs } from '../src/commands/inputs.ts';
import { readShadow } from '../src/commands/shadow.ts';
import { transition } from '../src/commands/transition.ts';
import { decideAgain } from '../src/shell/decided.ts';
import { begin, inputs, played } from './remembered.ts';

let folder = '';
const before = process.env['XDG_STATE_HOME'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systole-transition-'));
  process.env['XDG_STATE_HOME'] = folder;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (before === undefined) delete process.env['XDG_STATE_HOME'];
  else process.env['XDG_STATE_HOME'] = before;
});

async function answerTo(...words: readonly string[]): Promise<string> {
  const { context, said, remarks } = played();
  await transition(context, words);
  return said.join('') + remarks.join('');
}

describe('history peinputs', () => {
  const listed = async (...words: readonly string[]): Promise<string> => {
    const { context, said } = played();
    await peinputs(context, words);
    return said.join('');
  };

  test('lists what is kept, with who keeps it, all or some', async () => {
    expect(await listed()).toMatch(/^1 +\S+ \S+ +n1 +tr_1 +1\.2 KB\n2 .*\n3 .*tr_3 .*\n$/);
    expect((await listed('2:3')).split('\n')).toHaveLength(3);
    expect((await listed('1', '3')).match(/tr_\d/g)).toEqual(['tr_1', 'tr_3']);
    expect(await listed('2', 'v')).toMatch(/complete +the weather/);
    expect(await listed('9')).toBe('no node keeps any such input\n');
    expect(await listed('2020-01-01', '2')).toContain('tr_2');
    expect(await listed('1h')).toBe('no node keeps any such input\n');
    await expect(listed('soon')).rejects.toThrow('neither a number nor a range');
  });

  test('looks through the lens', async () => {
    const { context, said } = played();
    context.lens = { from: begin + 100_000, to: begin + 130_000 };
    await peinputs(context, []);
    expect(said.join('').match(/tr_\d/g)).toEqual(['tr_2']);
  });
});

describe('history transition', () => {
  test('show tells what was decided, from what, and what went wrong; log tells all that happened', async () => {
    const shown = await answerTo('2');
    expect(shown).toMatch(/^transition 2 \(tr_2\) led by n1, because of: the weather\n.*complete, 1 done/);
    expect(shown).toContain('decided from CIB 0.5.3 at 2026-01-01T00:02:00.000Z by n1 (systole 0.1.0)');
    expect(shown).toMatch(/Changes:\n +start +web +n2/);
    expect(shown).toMatch(/Steps:\n +1\. +start +web +on n2/);
    expect(shown).toMatch(/What went wrong:\n.*start of web on n2 failed with 2/);
    expect(shown).not.toContain('transition.started');

    const log = await answerTo('log', '2');
    expect(log.split('\n')).toHaveLength(4);
    expect(log).toContain('transition.started');
    expect(log).not.toContain('Changes:');
  });

  test.for([
    [['show', '2'], '2'],
    [['2', 'show'], '2'],
    [['show', 'tr_2'], '2'],
    [['show', '-1'], '2'],
    [['last', 'show'], '3'],
    [[], '3'],
    [['0'], '3'],
    [['2', 'nograph', 'vv', 'actions'], '2'],
  ] as const)('%j means transition %s', async ([words, number]) => {
    expect(await answerTo(...words)).toContain(`transition ${number} (tr_${number})`);
  });

  test('shows scores on demand, and refuses what it has no use for', async () => {
    expect(await answerTo('2', 'scores')).toMatch(/Scores:\n(?:.*\n)* +\S+ +web +n2 +INFINITY/);
    expect(await answerTo('2')).not.toContain('Scores:');
    await expect(answerTo('2', '3')).rejects.toThrow('no use for "3"');
    await expect(answerTo('99')).rejects.toMatchObject({ code: 'notFound' });
    await expect(answerTo('log', '2', '3')).rejects.toThrow('no use for "3"');
  });

  test('says so where nobody keeps the input, and tells what is remembered', async () => {
    const { context, said, remarks } = played(inputs.slice(0, 2));
    await transition(context, ['3']);
    expect(said.join('')).toContain('transition 3 (tr_3) led by n1');
    expect(said.join('')).not.toContain('Changes:');
    expect(remarks.join('')).toContain('no member keeps what transition 3 was decided from');
    await expect(transition(context, ['graph', '3'])).rejects.toMatchObject({ code: 'notFound' });
  });

  test('says so where this program decides otherwise, or secrets were taken out', async () => {
    const [first, second, third] = inputs as [StoredInput, StoredInput, StoredInput];
    const { context, remarks } = played([{ ...first, decision: 'other', release: '0.0.9' }, second, third]);
    await transition(context, ['2']);
    expect(remarks).toEqual([]);
    await transition(context, ['1']);
    expect(remarks.join('')).toContain('decides otherwise than the one that decided then (systole 0.0.9)');

    const masked = played([{ ...first, isMasked: true }]);
    await transition(masked.context, ['1']);
    expect(masked.remarks.join('')).toContain('secrets were taken out');
  });

  test('of a decision that could not be made shows what failed, and what this program makes of it', async () => {
    const [first] = inputs as [StoredInput];
    const { decision: _, ...rest } = {
      ...first,
      number: 0,
      transition: 'tr_failed',
      failure: 'TypeError: x is missing',
    };
    const now = played([...inputs, rest]);
    await peinputs(now.context, []);
    await transition(now.context, ['tr_failed']);
    expect(now.said.join('')).toMatch(/^failed +\S+ \S+ +n1 +tr_failed/m);
    expect(now.said.join('')).toMatch(
      /failed: TypeError: x is missing\nthis program .* decides:\n(?:.*\n)*.*start +web +n2/,
    );

    const resources = [{ kind: 'nonsense' }];
    const broken = {
      ...rest.cib,
      configuration: { ...rest.cib.configuration, resources },
    } as unknown as StoredInput['cib'];
    expect(() => decideAgain({ cib: broken, at: begin, mayBeMasked: false, origin: rest })).toThrow(
      'the policy engine fails here as it did then',
    );
  });

  test('with --format json gives the facts', async () => {
    const { context, said } = played(inputs, ['--format', 'json']);
    await transition(context, ['2']);
    expect(JSON.parse(said.join(''))).toMatchObject({
      id: 'tr_2',
      events: [{}, {}, {}],
      decided: { version: '0.5.3', isSame: true, changes: [{ change: 'start', rsc: 'web' }] },
    });
  });

  test('graph is for Graphviz, to standard output or a file', async () => {
    expect(await answerTo('graph', '2')).toMatch(/^digraph transition \{\n(?:.*\n)*.*web_start_0 n2/);
    expect(await answerTo('showdot', '2')).toMatch(/^digraph/);
    expect(await answerTo('2', 'graph', join(folder, 'g.dot'))).toBe('');
    expect(readFileSync(join(folder, 'g.dot'), 'utf8')).toMatch(/^digraph/);
  });

  test('save makes a shadow copy of the configuration, without what the cluster added', async () => {
    expect(await answerTo('save', '1')).toContain('saved as the shadow copy transition-1');
    const { configuration } = readShadow('transition-1');
    expect(configuration.constraints).toMatchObject([{ id: 'l' }]);
    expect(configuration.options.map(({ id }) => id)).toEqual(['o']);
    await expect(answerTo('save', '1')).rejects.toMatchObject({ code: 'refused' });
    expect(await answerTo('save', '1', 'other')).toContain('shadow copy other');
  });

  test('what is saved to a file is shown from it, and decides the same; for its owner only', async () => {
    for (const name of ['two.json.gz', 'two.json']) {
      const file = join(folder, name);
      await answerTo('save', '2', file);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { context, said, remarks } = played([], ['--format', 'json']);
      await transition(context, [file]);
      expect(JSON.parse(said.join(''))).toMatchObject({
        isSame: true,
        origin: { transition: 'tr_2', decision: inputs[1]?.decision },
        changes: [{ change: 'start', rsc: 'web' }],
      });
      expect(remarks).toEqual([]);
    }
    const xml = join(folder, 'two.xml');
    await answerTo('save', '2', xml);
    expect(readFileSync(xml, 'utf8')).toContain(`execution-date="${begin / 1000 + 120}"`);
    expect(await answerTo(xml)).toMatch(/at 2026-01-01T00:02:00.000Z\n(?:.*\n)*Changes:\n +start +web +n2/);
    writeFileSync(join(folder, 'packed'), gzipSync(readFileSync(xml)));
    expect(await answerTo(join(folder, 'packed'))).toMatch(/start +web +n2/);
  });

  test.skipIf(spawnSync('bzip2', ['--help']).error !== undefined)(
    'reads what bzip2 has packed, as Pacemaker does',
    async () => {
      const xml = join(folder, 'pe-input-2');
      await answerTo('save', '2', `${xml}.xml`);
      writeFileSync(`${xml}.bz2`, spawnSync('bzip2', ['-c', `${xml}.xml`]).stdout);
      expect(await answerTo(`${xml}.bz2`)).toMatch(/start +web +n2/);
      writeFileSync(`${xml}.bz2`, 'BZh9 and nothing more');
      await expect(answerTo(`${xml}.bz2`)).rejects.toThrow('cannot be unpacked by bzip2');
    },
  );

  test('of a file that is none says what is wrong', async () => {
    await expect(answerTo('/nowhere/x')).rejects.toMatchObject({ code: 'notFound' });
    const file = join(folder, 'bad.json');
    writeFileSync(file, JSON.stringify({ ...inputs[0], format: 'systole-input/9' }));
    await expect(answerTo(file)).rejects.toThrow('not the input of a decision in a format that this release knows');
    writeFileSync(file, JSON.stringify({ ...inputs[0], cib: { configuration: 3 } }));
    await expect(answerTo(file)).rejects.toMatchObject({ code: 'invalid' });
    writeFileSync(file, gzipSync('x'.repeat(1000)).subarray(0, 20));
    await expect(answerTo(file)).rejects.toThrow('is damaged');
    await expect(answerTo('log', file)).rejects.toThrow('no transition');
  });

  test('diff compares with the one before, with another, or with the live configuration', async () => {
    const since = await answerTo('diff', '2');
    expect(since).toContain('CIB 0.4.3 → 0.5.3');
    expect(since).toMatch(/- location l web 100: n2\n\+ location l web inf: n2/);
    expect(since).toContain('the status differs in 0 places');
    expect(await answerTo('3', 'diff', 'live')).toMatch(/\+ location l web 7: n2/);
    expect(await answerTo('diff', '1', '3')).toMatch(/\+ location l web -inf: n2/);
    expect(await answerTo('diff', '2', '2')).toContain('the configuration is the same');
    expect(await answerTo('diff', '3')).toMatch(/the status differs in [1-9]\d* places; add the word status/);
    expect(await answerTo('diff', '3', 'status')).toMatch(/^~ +status\.\S*web\S*exitCode +7 → 0$/m);
    await expect(answerTo('diff', '1')).rejects.toThrow('none is kept from before 1');
    const { context } = played();
    expect(await transition(context, ['diff', '2'])).toBe(1);
    expect(await transition(context, ['diff', '2', '2'])).toBe(0);
  });

  test('tags name what it had to do with', async () => {
    expect(await answerTo('tags', '2')).toBe('n2 web\n');
  });
});
