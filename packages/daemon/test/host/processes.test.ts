import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessEnded, StartProcess } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { type Launch, launchByFork } from '../../src/host/launch.ts';
import { nativeLaunch } from '../../src/host/launch-native.ts';
import { ProcessRunner } from '../../src/host/processes.ts';

const shell = (script: string, more: Partial<StartProcess> = {}): StartProcess => ({
  type: 'startProcess',
  id: 'one',
  argv: ['/bin/sh', '-c', script],
  environment: {},
  stdin: '',
  timeoutMs: 5000,
  killAfterMs: 200,
  outputLimitBytes: 10_000,
  ...more,
});

/** A process that has ended may wait for its burial; it has no command line any more. */
function exists(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

const { launch: launchNatively, problem } = await nativeLaunch();

/** Both ways of starting a program keep the same promises; koffi is among what the tests install. */
const ways: readonly (readonly [string, Launch | undefined])[] = [
  ['by fork', launchByFork],
  ['natively', launchNatively],
];

test('both ways are here', () => {
  expect(problem).toBeUndefined();
});

describe.each(ways)('the process runner, starting programs %s', (_, launch) => {
  function run(effect: StartProcess, then?: (runner: ProcessRunner) => void): Promise<ProcessEnded> {
    return new Promise((resolve) => {
      const runner = new ProcessRunner(resolve, undefined, launch);
      runner.start(effect);
      then?.(runner);
    });
  }

  test('reports exit code, output and duration', async () => {
    const ended = await run(shell('echo out; echo err >&2; exit 7'));
    expect(ended).toMatchObject({ outcome: { type: 'exited', code: 7 }, stdout: 'out\n', stderr: 'err\n' });
    expect(ended.durationMs).toBeLessThan(4000);
  });

  test('keeps what a process said, however busy it is itself when that process ends', async () => {
    if (launch === undefined) throw new Error(problem);
    // Another process holds the pipe open, and the end is known before anybody has looked at the pipe.
    const script = 'sleep 5 & echo $! >&2; echo why >&2; exit 1';
    const deaf: Launch = (program, ended) => {
      const launched = launch(program, () => undefined);
      setImmediate(() => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
        ended({ type: 'exited', code: 1 });
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      });
      return launched;
    };
    const ended = await new Promise<ProcessEnded>((resolve) =>
      new ProcessRunner(resolve, undefined, deaf).start(shell(script)),
    );
    expect(ended.stderr).toMatch(/^\d+\nwhy\n$/u);
    process.kill(Number.parseInt(ended.stderr, 10));
  });

  test('gives an agent only the environment it was told, and /dev/null to read', async () => {
    const ended = await run(shell('cat; env | cut -d= -f1 | sort | tr "\\n" " "', { environment: { OCF_ROOT: '/x' } }));
    expect(ended.stdout.trim()).toBe('LC_ALL OCF_ROOT PATH PWD');
  });

  test('makes it the leader of a session of its own, with every signal as it is by default, in the folder named', async () => {
    const script = 'ps -o pid=,pgid=,sid= -p $$; grep -E "^Sig(Blk|Ign)" /proc/self/status; pwd';
    const ended = await run(shell(script, { workingDirectory: '/usr' }));
    const [ids = '', blocked, ignored, folder] = ended.stdout.split('\n');
    expect(new Set(ids.trim().split(/\s+/u)).size).toBe(1);
    expect([blocked, ignored]).toEqual(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000']);
    expect(folder).toBe('/usr');
  });

  test('leaves no file of its own open in the agent, and none of the agent in itself', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const list = 'ls /proc/$$/fd';
    const ended = await run(shell(list, { stdin: 'told' }));
    // Whoever started the tests may have left them more than three.
    expect(ended.stdout).toBe(spawnSync('/bin/sh', ['-c', list], { encoding: 'utf8' }).stdout);
    await expect.poll(() => readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  test('runs a script that names no interpreter, and finds a program on the PATH', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'script-'));
    writeFileSync(join(folder, 'plain'), 'echo plain\n', { mode: 0o755 });
    expect((await run(shell('', { argv: [join(folder, 'plain')] }))).stdout).toBe('plain\n');
    const named = await run(shell('', { argv: ['plain'], environment: { PATH: `${folder}:/bin` } }));
    expect(named.stdout).toBe('plain\n');
    rmSync(folder, { recursive: true });
  });

  test('tells each of many apart that end at once', async () => {
    const codes = [...Array(40).keys()];
    const ended = await new Promise<ProcessEnded[]>((resolve) => {
      const all: ProcessEnded[] = [];
      const runner = new ProcessRunner(
        (one) => void (all.push(one) === codes.length && resolve(all)),
        undefined,
        launch,
      );
      for (const code of codes) runner.start(shell(`exit ${code}`, { id: `agent ${code}` }));
    });
    const told = new Map(ended.map(({ id, outcome }) => [id, outcome]));
    expect(told).toEqual(new Map(codes.map((code) => [`agent ${code}`, { type: 'exited', code }])));
  });

  test('hands over standard input', async () => {
    const ended = await run(shell('cat', { stdin: 'action=off\n' }));
    expect(ended.stdout).toBe('action=off\n');
  });

  test('gives an agent all the time that it may take, be it more than the longest timer of the runtime', async () => {
    const ended = await run(shell('sleep 0.2', { timeoutMs: 30 * 24 * 3_600_000 }));
    expect(ended.outcome).toEqual({ type: 'exited', code: 0 });
  });

  test('ends the whole group of an agent that ignores its deadline', async () => {
    const ended = await run(
      shell('trap "" TERM; (trap "" TERM; sleep 30) & echo $!; wait', { timeoutMs: 100, killAfterMs: 50 }),
    );
    expect(ended.outcome).toEqual({ type: 'timedOut' });
    await expect.poll(() => exists(Number(ended.stdout))).toBe(false);
  });

  test('counts as over when the agent exits, though its service holds the pipes, and leaves the service alone', async () => {
    const ended = await run(shell('sleep 30 & echo $!'));
    expect(ended.outcome).toEqual({ type: 'exited', code: 0 });
    expect(ended.durationMs).toBeLessThan(3000);
    const pid = Number(ended.stdout);
    expect(exists(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  test('names the signal that ended an agent', async () => {
    const ended = await run(shell('kill -SEGV $$'));
    expect(ended.outcome).toEqual({ type: 'signalled', signal: 'SIGSEGV' });
    const killed = await run(shell('sleep 30'), (runner) =>
      runner.kill({ type: 'killProcess', id: 'one', signal: 'SIGKILL' }),
    );
    expect(killed.outcome).toEqual({ type: 'signalled', signal: 'SIGKILL' });
  });

  test.for<[string, readonly string[], string]>([
    ['is not there', ['/nowhere/agent'], 'ENOENT'],
    ['may not be run', [import.meta.filename], 'EACCES'],
    ['has an impossible argument', ['/bin/echo', 'a\0b'], 'ERR_INVALID_ARG_VALUE'],
  ])('says so when an agent %s', async ([, argv, code]) => {
    const ended = await run(shell('', { argv }));
    expect(ended.outcome).toMatchObject({ type: 'notStarted', code });
  });

  test('keeps the beginning and the end of megabytes of output, and says what is missing', async () => {
    const ended = await run(shell('echo first; head -c 5000000 /dev/zero; echo last', { outputLimitBytes: 1000 }));
    expect(ended.stdout.startsWith('first\n')).toBe(true);
    expect(ended.stdout.endsWith('last\n')).toBe(true);
    expect(ended.stdout).toContain('bytes left out');
    expect(ended.stdout.length).toBeLessThan(1200);
  });
});
