import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { exportCib } from '@systole/cib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importCopy } from '../src/commands/cib-import.ts';
import { explain } from '../src/commands/explain.ts';
import { compare, showConfiguration } from '../src/commands/history.ts';
import { simulate } from '../src/commands/other.ts';
import { collectInputs } from '../src/commands/report-inputs.ts';
import { readShadow, readShadowBase } from '../src/commands/shadow.ts';
import { transition } from '../src/commands/transition.ts';
import { cib, inputs, played, stored } from './remembered.ts';

let folder = '';
let file = '';
const before = process.env['XDG_STATE_HOME'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systole-decided-'));
  process.env['XDG_STATE_HOME'] = folder;
  file = join(folder, 'two.json.gz');
  writeFileSync(file, gzipSync(JSON.stringify(inputs[1])));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (before === undefined) delete process.env['XDG_STATE_HOME'];
  else process.env['XDG_STATE_HOME'] = before;
});

describe('simulate', () => {
  const simulated = async (...words: readonly string[]): Promise<string> => {
    const { context, said, remarks } = played();
    const status = await simulate(context, words);
    return `${status}\n${said.join('')}${remarks.join('')}`;
  };

  test('decides once more from a transition, or from its file, at its time', async () => {
    for (const words of [['--transition', '2'], ['--transition', 'tr_2'], ['--transition=-1'], ['--xml', file]])
      expect(await simulated(...words)).toMatch(
        /^0\nNow \(2026-01-01T00:02:00\.000Z.*\n(?:.*\n)*Changes:\n +start +web +n2/,
      );
    expect(await simulated('--transition', '2', '--at', '2026-02-01T00:00:00Z')).toContain('Now (2026-02-01T');
  });

  test('takes what-ifs of an earlier decision', async () => {
    expect(await simulated('--transition', '1', '--node-down', 'n2')).toMatch(/Changes:\n +start +web +n1/);
  });

  test('refuses two inputs, and what is none', async () => {
    expect(await simulated('--transition', '2', '--live')).toMatch(/^2\n.*give one of/);
    await expect(simulated('--transition', '99')).rejects.toMatchObject({ code: 'notFound' });
    writeFileSync(file, gzipSync(JSON.stringify(inputs[1])).subarray(0, 50));
    expect(await simulated('--xml', file)).toMatch(/^1\n.*is damaged/);
    expect(await simulated('--xml', '/nowhere')).toMatch(/^1\n.*cannot read \/nowhere/);
  });
});

describe('cib import', () => {
  test('makes a shadow copy of what a transition was decided from, compared with what is live', async () => {
    const { context, said } = played();
    await importCopy(context, ['1']);
    expect(said.join('')).toContain('shadow copy transition-1');
    expect(readShadow('transition-1').configuration).toEqual({
      ...cib(4, '100').configuration,
      options: cib(4, '100').configuration.options.slice(0, 1),
    });
    expect(readShadowBase('transition-1').version.epoch).toBe(9);

    await importCopy(context, [file, 'mine']);
    expect(readShadow('mine').version.epoch).toBe(5);
    await expect(importCopy(context, [file, 'mine'])).rejects.toMatchObject({ code: 'refused' });
  });

  test("makes one of a CIB in Pacemaker's XML if it is given a name", async () => {
    const xml = join(folder, 'a.xml');
    writeFileSync(xml, exportCib(cib(4, '100')));
    const { context } = played();
    await importCopy(context, [xml, 'named']);
    expect(readShadow('named').configuration.constraints).toHaveLength(1);
  });
});

describe('explain', () => {
  const explained = async (...words: readonly string[]): Promise<string> => {
    const { context, said } = played();
    await explain(context, words);
    return said.join('');
  };

  test('tells why it was decided so then', async () => {
    expect(await explained('web', '--transition', '2')).toMatch(/n2/);
    const then = await explained('web', '--transition', '3');
    expect(then).not.toBe(await explained('web', '--transition', '2'));
    expect(await explained('web', '--xml', file)).toBe(await explained('web', '--transition', '2'));
    await expect(explained('web', '--transition', '2', '--xml', file)).rejects.toThrow('not both');
  });
});

test('history show and diff take the id of a transition, or a file, in place of a number', async () => {
  const answerOf = async (run: typeof compare, ...words: readonly string[]): Promise<string> => {
    const { context, said } = played();
    await run(context, words);
    return said.join('');
  };
  expect(await answerOf(showConfiguration, 'tr_1')).toMatch(/location l web 100: n2/);
  expect(await answerOf(showConfiguration, 'tr_1')).not.toContain('systole-facts');
  expect(await answerOf(compare, 'tr_1', file)).toMatch(/- location l web 100: n2\n\+ location l web inf: n2/);
  expect(await answerOf(compare, 'tr_1')).toMatch(/\+ location l web 7: n2/);
  await expect(answerOf(compare, 'nonsense')).rejects.toThrow('not the number of a configuration');
  await expect(answerOf(compare, 'tr_9')).rejects.toMatchObject({ code: 'notFound' });
});

describe('what a report has of decisions', () => {
  const secretCib = () => {
    const given = cib(5, 'INFINITY');
    const pairs = [{ id: 'p1', name: 'passwd', value: 'geheimnis' }];
    const resources = given.configuration.resources.map((resource) => ({
      ...resource,
      parameters: [{ id: 'p', pairs }],
    }));
    return { ...given, configuration: { ...given.configuration, resources } } as typeof given;
  };

  test('is the newest, in the folder of who keeps them, without the secrets of their time', async () => {
    const { context } = played([...inputs, stored(4, secretCib())]);
    const files = new Map<string, string>();
    expect(await collectInputs(context, [], (name, text) => files.set(name, text))).toEqual([]);
    expect([...files.keys()]).toEqual([4, 3, 2, 1].map((n) => `n1/policy-inputs/transition-${n}-tr_${n}.json`));
    expect([...files.values()].join('')).not.toContain('geheimnis');
    expect(JSON.parse(files.get('n1/policy-inputs/transition-2-tr_2.json') ?? '')).toEqual(inputs[1]);

    // One with secrets can still be looked at, as such.
    const masked = join(folder, 'masked.json');
    writeFileSync(masked, files.get('n1/policy-inputs/transition-4-tr_4.json') ?? '');
    expect(JSON.parse(readFileSync(masked, 'utf8'))).toMatchObject({ isMasked: true });
    const { context: other, said, remarks } = played();
    await transition(other, [masked]);
    expect(said.join('')).toMatch(/start +web +n2/);
    expect(remarks.join('')).toContain('secrets were taken out');
  });

  test('names what could not be had', async () => {
    const { context } = played();
    const gatherInput = () => Promise.resolve({ parts: [{ node: 'n1', problem: 'torn' }], missing: [] });
    Object.assign(context.client, { gatherInput });
    const lost = await collectInputs(context, [], () => undefined);
    expect(lost).toHaveLength(3);
    expect(lost[0]).toBe('input of transition 3 (tr_3): torn');
  });
});
