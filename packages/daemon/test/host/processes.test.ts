import { readFileSync } from 'node:fs';
import type { ProcessEnded, StartProcess } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
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

function run(effect: StartProcess, then?: (runner: ProcessRunner) => void): Promise<ProcessEnded> {
  return new Promise((resolve) => {
    const runner = new ProcessRunner(resolve);
    runner.start(effect);
    then?.(runner);
  });
}

/** A process that has ended may wait for its burial; it has no command line any more. */
function exists(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

describe('the process runner', () => {
  test('reports exit code, output and duration', async () => {
    const ended = await run(shell('echo out; echo err >&2; exit 7'));
    expect(ended).toMatchObject({ outcome: { type: 'exited', code: 7 }, stdout: 'out\n', stderr: 'err\n' });
    expect(ended.durationMs).toBeLessThan(4000);
  });

  test('gives an agent only the environment it was told, and /dev/null to read', async () => {
    const ended = await run(shell('cat; env | cut -d= -f1 | sort | tr "\\n" " "', { environment: { OCF_ROOT: '/x' } }));
    expect(ended.stdout.trim()).toBe('LC_ALL OCF_ROOT PATH PWD');
  });

  test('hands over standard input', async () => {
    const ended = await run(shell('cat', { stdin: 'action=off\n' }));
    expect(ended.stdout).toBe('action=off\n');
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
