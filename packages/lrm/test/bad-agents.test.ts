/** Agents that do what none should, as real processes: each gets its verdict, and nothing of it is left behind unseen. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { Executor, ownPlaces } from '../../../test/support/executor.ts';
import type { LrmEffect, OperationEnded } from '../src/index.ts';

vi.setConfig({ testTimeout: 30_000 });

const folder = mkdtempSync(join(tmpdir(), 'systole-bad-agents-'));
const agents = join(folder, 'resource.d', 'bad');
mkdirSync(agents, { recursive: true });
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const describesItself =
  'if [ "$1" = meta-data ]; then echo "<resource-agent name=\'a\'><parameters/><actions/></resource-agent>"; exit 0; fi\n';

const open: Executor[] = [];
const strays: number[] = [];
afterEach(() => {
  for (const executor of open.splice(0)) executor.close();
  for (const pid of strays.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
});

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

let count = 0;

/** An operation of an agent with this script; the script may write into `$work`. */
async function ask(
  script: string,
  { timeoutMs = 10_000, metadata = describesItself, operation = 'start' } = {},
): Promise<{
  readonly record: OperationEnded['record'];
  readonly work: string;
  readonly effects: readonly LrmEffect[];
}> {
  const type = `agent${(count += 1)}`;
  const work = join(folder, type);
  mkdirSync(work);
  writeFileSync(join(agents, type), `#!/bin/sh\nwork=${work}\n${metadata}${script}\n`);
  chmodSync(join(agents, type), 0o755);
  const executor = new Executor({ ...ownPlaces(), ocf: [join(folder, 'resource.d')] });
  open.push(executor);
  const effects: LrmEffect[] = [];
  const record = await new Promise<OperationEnded['record']>((resolve) => {
    executor.listen((effect) => {
      effects.push(effect);
      if (effect.type === 'operationEnded') resolve(effect.record);
    });
    executor.give({
      type: 'execute',
      operationId: 'one',
      resource: type,
      agent: { class: 'ocf', provider: 'bad', type },
      operation,
      intervalMs: 0,
      timeoutMs,
      parameters: {},
      meta: {},
      transitionKey: '1:1:0:test',
      expectedExitCode: 0,
    });
  });
  return { record, work, effects };
}

const pidIn = (work: string, name = 'pid'): number => {
  const pid = Number(readFileSync(join(work, name), 'utf8'));
  strays.push(pid);
  return pid;
};

const timedOut = { exitCode: 1, status: 2 };

describe('an agent that', () => {
  test('hangs is ended at its timeout, with its children', async () => {
    const { record, work } = await ask('sleep 60 & echo $! >$work/pid; wait', { timeoutMs: 500 });
    expect(record).toMatchObject(timedOut);
    await vi.waitFor(() => expect(isAlive(pidIn(work))).toBe(false));
  });

  test('ignores TERM is killed a second later, and its children that ignore it too', async () => {
    const script =
      'trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $! >$work/pid; while :; do sleep 1; done';
    const { record, work } = await ask(script, { timeoutMs: 500 });
    expect(record).toMatchObject(timedOut);
    expect(record.execMs).toBeGreaterThanOrEqual(1400);
    await vi.waitFor(() => expect(isAlive(pidIn(work))).toBe(false));
  });

  test('forks away is done when it exits; what it left, its pipes in hand, is its service and lives on', async () => {
    const { record, work } = await ask('setsid sh -c "while :; do echo noise; sleep 0.1; done" & echo $! >$work/pid');
    expect(record).toMatchObject({ exitCode: 0, status: 0 });
    expect(record.execMs).toBeLessThan(3000);
    expect(isAlive(pidIn(work))).toBe(true);
  });

  test('escapes into a session of its own at its timeout leaves no verdict waiting', async () => {
    const { record } = await ask('setsid sleep 20 & echo $! >$work/pid; sleep 60', { timeoutMs: 500 });
    expect(record).toMatchObject(timedOut);
    pidIn(join(folder, `agent${count}`));
  });

  test('fills its pipes is read to the end, of which a bounded part is kept', async () => {
    const { record, effects } = await ask('yes 01234 | head -c 30000000; yes error | head -c 30000000 >&2; exit 0');
    expect(record).toMatchObject({ exitCode: 0, status: 0 });
    expect(JSON.stringify(effects).length).toBeLessThan(128 * 1024);
  });

  test.for([
    [42, 1],
    [200, 1],
    [255, 1],
    [10, 1],
  ] as const)('exits with the foreign code %i has failed with %i', async ([code, reported]) => {
    expect((await ask(`exit ${code}`)).record).toMatchObject({ exitCode: reported, status: 0 });
  });

  test('is killed by somebody has failed, and the signal is named', async () => {
    const { record } = await ask('kill -SEGV $$; sleep 5');
    expect(record).toMatchObject({ exitCode: 1, status: 4 });
    expect(record.exitReason).toContain('SIGSEGV');
  });

  test.for([
    ['says nothing', 'if [ "$1" = meta-data ]; then exit 0; fi\n'],
    ['fails', 'if [ "$1" = meta-data ]; then exit 3; fi\n'],
    ['prints broken XML', 'if [ "$1" = meta-data ]; then echo "<resource-agent name=x><parameters>"; exit 0; fi\n'],
    ['prints megabytes', 'if [ "$1" = meta-data ]; then yes "<x>" | head -c 20000000; exit 0; fi\n'],
    ['dies', 'if [ "$1" = meta-data ]; then kill -9 $$; fi\n'],
  ] as const)('%s when asked to describe itself runs all the same, and that is told', async ([, metadata]) => {
    const { record, effects } = await ask('exit 0', { metadata });
    expect(record).toMatchObject({ exitCode: 0, status: 0 });
    await vi.waitFor(() =>
      expect(effects.some((effect) => effect.type === 'rejected' && effect.reason.includes('does not describe'))).toBe(
        true,
      ),
    );
  });

  test('prints what is no text is kept as far as it is', async () => {
    const { record } = await ask(
      String.raw`printf 'a\377\000b\n' >&2; echo "ocf-exit-reason:it $(printf '\377') broke" >&2; exit 1`,
    );
    expect(record).toMatchObject({ exitCode: 1, status: 0 });
    expect(record.exitReason).toMatch(/^it .* broke$/u);
    expect(() => JSON.parse(JSON.stringify(record)) as unknown).not.toThrow();
  });
});
