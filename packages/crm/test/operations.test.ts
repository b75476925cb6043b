import { type Cib, emptyCib, type OperationRecord } from '@systole/cib';
import { describe, expect, test } from 'vitest';
import { joined, leftCleanly, nodeState, transientAttributes, withAttributes } from '../src/status/node-state.ts';
import {
  failureAttributes,
  type OperationOutcome,
  withoutOldFailure,
  withPending,
  withResult,
} from '../src/status/operations.ts';

const start = joined(emptyCib, { name: 'alpha', incarnation: 1, history: [], attributes: {} });
const agent = { class: 'ocf', provider: 'systole', type: 'dummy' };

const outcome = (record: Partial<OperationRecord>, isGood: boolean): OperationOutcome => ({
  node: 'alpha',
  resource: 'web',
  agent,
  record: {
    id: 'web_last_0',
    operation: 'start',
    intervalMs: 0,
    callId: 1,
    exitCode: isGood ? 0 : 1,
    status: 0,
    lastChange: 1000,
    ...record,
  },
  alsoChanged: [],
  removed: [],
  hasSucceeded: isGood,
  expectedExitCode: 0,
});

const attributes = (cib: Cib): Record<string, string> =>
  Object.fromEntries(transientAttributes(nodeState(cib, 'alpha')));
const ids = (cib: Cib): readonly string[] => nodeState(cib, 'alpha')?.history[0]?.operations.map(({ id }) => id) ?? [];

describe('a failure', () => {
  test('of a start is fatal unless the configuration says otherwise', () => {
    const failed = outcome({ operation: 'start' }, false);
    expect(attributes(withResult(start, failed))['fail-count-web#start_0']).toBe('INFINITY');

    const pairs = [{ name: 'start-failure-is-fatal', value: 'false' }];
    const lenient = { ...start, configuration: { ...start.configuration, options: [{ id: 'o', pairs }] } };
    expect(attributes(withResult(lenient, failed))['fail-count-web#start_0']).toBe('1');
  });

  test('of a stop is always fatal', () => {
    expect(attributes(withResult(start, outcome({ operation: 'stop' }, false)))['fail-count-web#stop_0']).toBe(
      'INFINITY',
    );
  });

  test('of a recurring monitor counts one more each time, with its time', () => {
    const failed = outcome({ id: 'web_last_failure_0', operation: 'monitor', intervalMs: 10_000 }, false);
    const after = withResult(withResult(start, failed), failed);
    expect(attributes(after)).toEqual({
      'fail-count-web#monitor_10000': '2',
      'last-failure-web#monitor_10000': '1000',
    });
  });

  test.for([
    ['a probe', { operation: 'monitor' }],
    ['a notification', { operation: 'notify' }],
    ['a cancelled operation', { operation: 'monitor', intervalMs: 10_000, status: 1 }],
  ] as const)('of %s does not count', ([, record]) => {
    expect(attributes(withResult(start, outcome(record, false)))).toEqual({});
  });
});

describe('the history', () => {
  const pending = {
    node: 'alpha',
    resource: 'web',
    agent,
    operation: 'start',
    key: 'web_start_0',
    transitionKey: '1:1:0:tr',
  };

  test('has an operation that may make a resource active from the moment it is ordered', () => {
    expect(ids(withPending(start, pending))).toEqual(['web_pending_0']);
    expect(ids(withPending(start, { ...pending, operation: 'stop' }))).toEqual([]);
  });

  test('keeps the last result beside what is pending, and drops that with the next', () => {
    const before = withResult(start, outcome({ operation: 'stop' }, true));
    const during = withPending(before, pending);
    expect(ids(during)).toEqual(['web_last_0', 'web_pending_0']);
    expect(ids(withResult(during, outcome({}, true)))).toEqual(['web_last_0']);
  });
});

describe('the record of a failure', () => {
  const monitor = { id: 'web_last_failure_0', operation: 'monitor', intervalMs: 10_000, callId: 2 };
  const failed = withResult(withResult(start, outcome({}, true)), outcome(monitor, false));

  test('goes with its count when a later start or stop tells how the resource is (simulator, seed 91492)', () => {
    const restarted = withResult(failed, outcome({ callId: 4 }, true));
    expect(ids(withoutOldFailure(restarted, 'alpha', 'web'))).toEqual(['web_last_0']);
  });

  test('stays as long as it is the last that is known', () => {
    const stuck = withResult(failed, outcome({ operation: 'stop', callId: 4 }, false));
    for (const cib of [failed, stuck]) expect(withoutOldFailure(cib, 'alpha', 'web')).toBe(cib);
  });
});

describe('a node that leaves in order', () => {
  test('keeps the history of what it leaves running, and of nothing else', () => {
    const running = withResult(start, outcome({ operation: 'start' }, true));
    expect(nodeState(leftCleanly(running, 'alpha'), 'alpha')?.history.map(({ id }) => id)).toEqual(['web']);

    const stopped = withResult(running, outcome({ operation: 'stop', callId: 2 }, true));
    expect(nodeState(leftCleanly(stopped, 'alpha'), 'alpha')?.history).toEqual([]);
    const probed = withResult(start, outcome({ operation: 'monitor', exitCode: 7 }, true));
    expect(nodeState(leftCleanly(probed, 'alpha'), 'alpha')?.history).toEqual([]);
    const stuck = withResult(running, outcome({ operation: 'stop', callId: 2 }, false));
    expect(nodeState(leftCleanly(stuck, 'alpha'), 'alpha')?.history).toHaveLength(1);
  });
});

describe('clean-up', () => {
  test('finds the failures of a resource, of its instances, and of one operation', () => {
    const names = {
      'fail-count-web#monitor_10000': '1',
      'last-failure-web#monitor_10000': '5',
      'fail-count-web:1#start_0': '1',
      'fail-count-db#start_0': '1',
      other: 'x',
    };
    const cib = withAttributes(start, 'alpha', names);
    expect(failureAttributes(cib, 'alpha', { resource: 'web' })).toHaveLength(3);
    expect(failureAttributes(cib, 'alpha', { resource: 'web', operation: 'start' })).toEqual([
      'fail-count-web:1#start_0',
    ]);
    expect(failureAttributes(cib, 'alpha', {})).toHaveLength(4);
  });
});
