import { describe, expect, test } from 'vitest';
import { exitReason, ocfExitCode, operationResult } from '../src/index.ts';

describe('exit codes', () => {
  test.for([
    [0, 0],
    [7, 7],
    [9, 9],
    [10, 1],
    [150, 1],
    [190, 190],
    [191, 191],
    [193, 1],
    [255, 1],
  ] as const)('an OCF agent’s %i is %i', ([code, meaning]) => {
    expect(ocfExitCode('ocf', 'monitor', code)).toBe(meaning);
  });

  test.for([
    [0, 0],
    [1, 7],
    [2, 7],
    [3, 7],
    [4, 1],
    [7, 1],
    [150, 5],
    [151, 4],
    [99, 1],
  ] as const)('status of an init script: %i is %i', ([code, meaning]) => {
    expect(ocfExitCode('lsb', 'monitor', code)).toBe(meaning);
  });

  test.for([
    [0, 0],
    [1, 1],
    [3, 3],
    [5, 5],
    [7, 7],
    [8, 1],
    [150, 1],
  ] as const)('anything else of an init script: %i is %i', ([code, meaning]) => {
    expect(ocfExitCode('lsb', 'start', code)).toBe(meaning);
  });

  test('a fence agent works or does not', () => {
    expect([0, 1, 2, 255].map((code) => ocfExitCode('fence', 'monitor', code))).toEqual([0, 1, 1, 1]);
  });
});

describe('exit reasons', () => {
  test('the last one that is not empty counts, wherever in its line it begins', () => {
    expect(exitReason('ocf-exit-reason:first\nx ocf-exit-reason:second\nlog\nocf-exit-reason:\n')).toBe('second');
    expect(exitReason('only a log line\n')).toBeUndefined();
  });
});

describe('results', () => {
  const of = (outcome: Parameters<typeof operationResult>[2]['outcome']): unknown =>
    operationResult('ocf', 'start', { outcome, stderr: '' }, 1500);

  test('a timeout, a foreign signal and a program that cannot run each say what they are', () => {
    expect(of({ type: 'timedOut' })).toMatchObject({ status: 2, exitCode: 1 });
    expect(of({ type: 'signalled', signal: 'SIGTERM' })).toMatchObject({ status: 4, exitCode: 1 });
    expect(of({ type: 'notStarted', code: 'ENOENT', message: 'no interpreter' })).toMatchObject({
      status: 0,
      exitCode: 5,
    });
    expect(of({ type: 'notStarted', code: 'EACCES', message: 'not executable' })).toMatchObject({
      status: 0,
      exitCode: 4,
    });
    expect(of({ type: 'notStarted', code: 'EAGAIN', message: 'no processes' })).toMatchObject({
      status: 4,
      exitCode: 1,
    });
  });
});
