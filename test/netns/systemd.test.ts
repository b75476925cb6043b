/** Units under our executor and our daemon under its unit file, with a real systemd: the first process of a sandbox. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/repository.ts';
import { notHere } from './cluster.ts';

const missing = ['/lib/systemd/systemd', '/usr/lib/ocf/resource.d/heartbeat/anything'].find(
  (path) => !existsSync(path),
);
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

/** What a part of the cases has found out. */
function found(part: 'units' | 'daemon'): Promise<ReadonlyMap<string, unknown>> {
  const sandbox = join(root, 'test', 'netns', 'sandbox');
  const argv = [process.execPath, join(sandbox, 'systemd-cases.ts'), part];
  return new Promise((resolve, reject) => {
    execFile(join(sandbox, 'enter-systemd'), argv, { timeout: 120_000 }, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      const lines = stdout.split('\n').filter((line) => line.startsWith('{"found"'));
      resolve(
        new Map(
          lines
            .map((line) => JSON.parse(line) as { readonly found: string; readonly value: unknown })
            .map((one) => [one.found, one.value]),
        ),
      );
    });
  });
}

describe.skipIf(reason !== undefined)('with a real systemd', () => {
  test('units start, stop and are watched as resources', { timeout: 120_000 }, async () => {
    const all = await found('units');
    expect(Object.fromEntries(all)).toEqual({
      'a template: probe, start, again, monitor': '7 0, 0 0, 0 0, 0 0',
      'while it runs under us': { restart: 'no', before: true, description: 'Cluster Controlled lab@3', dropIn: true },
      'after its death: monitor, start, monitor, stop, again, probe': '7 0, 0 0, 0 0, 0 0, 0 0, 7 0',
      'once it is stopped': { restart: 'always', dropIn: false },
      'a unit that is not there: probe, start, stop': '7 0, 5 7, 0 0',
      'a unit whose program is not there: start': '1 0',
      'a socket: probe, start, monitor, stop': '7 0, 0 0, 0 0, 0 0',
      'a unit on its way is waited for': { probe: '0 0', start: '0 0' },
      'one that stays on its way has failed': {
        result: expect.stringMatching(/^1 /) as string,
        // Whoever is first: the driver, or the executor that ends it.
        reason: expect.stringMatching(/still activating|did not finish within/) as string,
      },
      'a service is the init script where there is one: start': '0 0',
      'its script ran': 'start',
      'else the unit: start, monitor, stop': '0 0, 0 0, 0 0',
      end: true,
    });
  });

  test(
    'the daemon is started, restarted and stopped by its unit, and services outlive it',
    { timeout: 120_000 },
    async () => {
      const all = await found('daemon');
      expect(Object.fromEntries(all)).toEqual({
        verified: '',
        enabled: 'enabled',
        started: { active: 'active', answers: 0 },
        status: expect.stringContaining('alpha') as string,
        'a killed daemon comes back, and its service has not noticed': { same: true, restarts: '1' },
        stopped: { result: 'success', sleeper: false },
        disabled: 'disabled',
        end: true,
      });
    },
  );
});
