import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FormerLife } from '../../src/host/former-life.ts';

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'run-'));
});
afterEach(() => rm(run, { recursive: true }));

const saved = { resource: 'web:0', agent: { class: 'ocf', type: 'x' }, records: [], recurring: [], callId: 3 };

describe('what a daemon leaves to its next life', () => {
  test('are the records of its resources', () => {
    const before = new FormerLife(run);
    before.saveResource('web:0', saved);
    before.saveResource('a/b', { ...saved, resource: 'a/b' });
    before.saveResource('a/b', undefined);

    expect(new FormerLife(run).read()).toEqual({ resources: [saved], survivors: [], problems: [] });
  });

  test('are agents that still run, and not those that have ended', async () => {
    const running = spawn('sleep', ['60'], { detached: true });
    const ended = spawn('true', { detached: true });
    const before = new FormerLife(run);
    before.processStarted('lrm/1', running.pid ?? 0);
    before.processStarted('lrm/2', ended.pid ?? 0);
    await once(ended, 'exit');
    const after = new FormerLife(run);
    expect(after.read().survivors).toEqual(['lrm/1']);

    const gone = once(running, 'exit');
    const result = await new Promise((resolve) => {
      after.killSurvivor('lrm/1', 'SIGKILL', resolve);
    });
    await gone;
    expect(result).toMatchObject({ id: 'lrm/1', outcome: { type: 'signalled', signal: 'SIGKILL' } });
  });

  test('that cannot be read are reported and forgotten', async () => {
    expect(new FormerLife(run).read().problems).toEqual([]);
    await writeFile(join(run, 'resources', 'web.json'), '{ half');
    const { resources, problems } = new FormerLife(run).read();
    expect(resources).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(new FormerLife(run).read().problems).toEqual([]);
  });
});
