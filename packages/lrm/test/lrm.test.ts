import { operationDigest } from '@systole/cib';
import { describe, expect, test } from 'vitest';
import { dummy, endedOf, execute, VirtualHost } from './virtual-host.ts';

const types = (effects: readonly { readonly type: string }[]): readonly string[] => effects.map(({ type }) => type);

/** A host on which `web` runs and is monitored every 10 s. */
function withRunningService(): VirtualHost {
  const host = new VirtualHost();
  host.give(execute('start'));
  host.finish('web', 0);
  host.give(execute('monitor', { intervalMs: 10_000 }));
  host.finish('web', 0);
  return host;
}

describe('an operation', () => {
  test('is announced as pending, run, and reported with both its results', () => {
    const host = new VirtualHost();
    const asked = host.give(execute('start', { operationId: 'op_x', parameters: { ip: '10.0.0.1' } }));

    expect(asked.find((effect) => effect.type === 'operationPending')).toMatchObject({
      operationId: 'op_x',
      record: { id: 'web_last_0', status: -1, exitCode: 193, callId: -1, key: 'web_start_0' },
    });
    expect(host.processOf('web')).toMatchObject({
      argv: ['/usr/lib/ocf/resource.d/test/Dummy', 'start'],
      timeoutMs: 20_000,
    });
    expect(host.processOf('web').environment).toMatchObject({
      OCF_RESKEY_ip: '10.0.0.1',
      OCF_RESOURCE_INSTANCE: 'web',
    });

    const [ended] = endedOf(host.finish('web', 0));
    expect(ended).toMatchObject({
      operationId: 'op_x',
      hasSucceeded: true,
      record: {
        id: 'web_last_0',
        status: 0,
        exitCode: 0,
        callId: 1,
        transitionMagic: '0:0;1:2:0:te',
        digest: operationDigest({ ip: '10.0.0.1' }),
        onNode: 'alpha',
      },
    });
    expect(host.lrm.isIdle()).toBe(true);
  });

  test('that fails leaves a record of the failure beside the latest one, with the agent’s reason', () => {
    const host = new VirtualHost();
    host.give(execute('start'));
    const [ended] = endedOf(host.finish('web', 5, { stderr: 'ocf-exit-reason:no such thing\n' }));
    expect(ended).toMatchObject({
      hasSucceeded: false,
      output: 'ocf-exit-reason:no such thing\n',
      record: { id: 'web_last_0', exitCode: 5, exitReason: 'no such thing' },
      alsoChanged: [{ id: 'web_last_failure_0', exitCode: 5 }],
    });
  });

  test('that outlasts its timeout is a generic error of the attempt', () => {
    const host = new VirtualHost();
    host.give(execute('start', { timeoutMs: 1500 }));
    const [ended] = endedOf(host.finish('web', { type: 'timedOut' }));
    expect(ended?.record).toMatchObject({ status: 2, exitCode: 1, transitionMagic: '2:1;1:2:0:te' });
  });

  test('of an agent that is not there ends at once as not installed, and runs nothing', () => {
    const host = new VirtualHost(() => false);
    const [ended] = endedOf(host.give(execute('monitor', { expectedExitCode: 7 })));
    expect(ended?.record).toMatchObject({ status: 7, exitCode: 5 });
    expect(host.running.size).toBe(0);
  });

  test('of a name that can be no agent is refused for the whole cluster', () => {
    const host = new VirtualHost();
    const [ended] = endedOf(host.give(execute('start', { agent: { class: 'ocf', type: 'Dummy' } })));
    expect(ended?.record).toMatchObject({ status: 6, exitCode: 6 });
    expect(host.lrm.history()).toEqual([]);
  });

  test('whose script has no interpreter line is run by the shell', () => {
    const host = new VirtualHost();
    host.give(execute('start'));
    host.finish('web', { type: 'notStarted', code: 'ENOEXEC', message: 'spawn ENOEXEC' });
    expect(host.processOf('web').argv).toEqual(['/bin/sh', '/usr/lib/ocf/resource.d/test/Dummy', 'start']);
    expect(endedOf(host.finish('web', 0))[0]?.record.exitCode).toBe(0);
  });

  test('asked for twice under one id runs once', () => {
    const host = new VirtualHost();
    host.give(execute('start', { operationId: 'same' }));
    const again = host.give(execute('start', { operationId: 'same' }));
    expect(types(again)).toEqual(['rejected']);
    expect(host.agents).toEqual(['web start']);
  });

  test('that notifies always counts as done and stays out of the history', () => {
    const host = new VirtualHost();
    host.give(execute('notify', { meta: { notify_type: 'pre', notify_operation: 'start' } }));
    const [ended] = endedOf(host.finish('web', 3));
    expect(ended).toMatchObject({ hasSucceeded: true, record: { id: 'web_pre_notify_start_0', exitCode: 0 } });
    expect(host.lrm.history()).toEqual([]);
  });

  test('beyond a hundred waiting for one resource is refused', () => {
    const host = new VirtualHost();
    for (let count = 0; count <= 100; count += 1) host.give(execute('start'));
    const [refused] = endedOf(host.give(execute('start')));
    expect(refused?.record).toMatchObject({ status: 4, exitReason: '100 operations are waiting for web already' });
  });
});

describe('the order of operations', () => {
  test('one resource runs one at a time, in the order of asking', () => {
    const host = new VirtualHost();
    host.give(execute('start'), execute('monitor'), execute('promote'));
    expect(host.agents).toEqual(['web start']);
    host.finish('web', 0);
    expect(host.agents).toEqual(['web monitor']);
    host.finish('web', 0);
    expect(host.agents).toEqual(['web promote']);
  });

  test('different resources do not wait for each other', () => {
    const host = new VirtualHost();
    host.give(execute('start'), execute('start', { resource: 'db' }));
    expect(host.agents).toEqual(['web start', 'db start']);
  });

  test('a start delay holds back what comes after it', () => {
    const host = new VirtualHost();
    host.give(execute('start', { startDelayMs: 3000 }), execute('monitor'));
    expect(host.agents).toEqual([]);
    host.expire('lrm/delay/web');
    expect(host.agents).toEqual(['web start']);
    host.finish('web', 0);
    expect(host.agents).toEqual(['web monitor']);
  });

  test('an operation in its start delay can be cancelled and never runs', () => {
    const host = new VirtualHost();
    host.give(execute('start', { startDelayMs: 3000 }));
    const effects = host.give({ type: 'cancel', resource: 'web', operation: 'start', intervalMs: 0 });
    expect(endedOf(effects)[0]).toMatchObject({ record: { status: 1, exitCode: 0 }, removed: ['web_last_0'] });
    expect(host.timers.size).toBe(0);
    expect(host.lrm.history()).toEqual([]);
  });

  test('a one-time operation that has begun cannot be cancelled', () => {
    const host = new VirtualHost();
    host.give(execute('start'));
    const effects = host.give({ type: 'cancel', resource: 'web', operation: 'start', intervalMs: 0 });
    expect(effects).toMatchObject([{ type: 'operationCancelled', wasKnown: false }]);
    expect(host.killed).toEqual([]);
  });
});

describe('a recurring operation', () => {
  test('runs again when its interval has passed since its last run ended', () => {
    const host = withRunningService();
    expect(host.timers.get('lrm/interval/web/monitor_10000')).toBe(10_000);
    host.expire('lrm/interval/web/monitor_10000');
    expect(host.agents).toEqual(['web monitor']);
    expect(host.timers.size).toBe(0);
    host.finish('web', 0);
    expect(host.timers.size).toBe(1);
  });

  test('reports its first result and then only changes', () => {
    const host = withRunningService();
    expect(endedOf(host.effects).filter(({ isRecurring }) => isRecurring)).toHaveLength(1);
    host.expire('lrm/interval/web/monitor_10000');
    expect(endedOf(host.finish('web', 0))).toHaveLength(0);
    host.expire('lrm/interval/web/monitor_10000');
    expect(endedOf(host.finish('web', 7))).toMatchObject([
      {
        hasSucceeded: false,
        record: { id: 'web_last_failure_0', operation: 'monitor', exitCode: 7, intervalMs: 10_000 },
      },
    ]);
    host.expire('lrm/interval/web/monitor_10000');
    expect(endedOf(host.finish('web', 7))).toHaveLength(0);
  });

  test('that fails leaves the record of its success, so that it still counts as set up', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    host.finish('web', 7);
    const ids = host.lrm.history()[0]?.operations.map(({ id, exitCode }) => `${id} ${exitCode}`);
    expect(ids).toEqual(['web_last_0 0', 'web_monitor_10000 0', 'web_last_failure_0 7']);
  });

  test('asked for anew that succeeds takes its old failure away, which nobody has recovered from', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    host.finish('web', 7);
    host.expire('lrm/interval/web/monitor_10000');
    host.finish('web', 0);
    expect(host.lrm.history()[0]?.operations.map(({ id }) => id)).toContain('web_last_failure_0');
    host.give(execute('monitor', { intervalMs: 10_000, operationId: 'anew', transitionKey: '3:9:0:te' }));
    expect(endedOf(host.finish('web', 0))).toMatchObject([{ operationId: 'anew', removed: ['web_last_failure_0'] }]);
    expect(host.lrm.history()[0]?.operations.map(({ id }) => id)).toEqual(['web_last_0', 'web_monitor_10000']);
  });

  test('asked for anew after a recovery leaves the failure to be seen', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    host.finish('web', 7);
    host.give(execute('stop'));
    host.finish('web', 0);
    host.give(execute('start'));
    host.finish('web', 0);
    host.give(execute('monitor', { intervalMs: 10_000, operationId: 'anew', transitionKey: '3:9:0:te' }));
    expect(endedOf(host.finish('web', 0))).toMatchObject([{ operationId: 'anew', removed: [] }]);
    expect(host.lrm.history()[0]?.operations.map(({ id }) => id)).toContain('web_last_failure_0');
  });

  test('asked for again stays one, runs at once and reports again', () => {
    const host = withRunningService();
    host.give(execute('monitor', { intervalMs: 10_000, operationId: 'second' }));
    expect(host.agents).toEqual(['web monitor']);
    expect(host.timers.size).toBe(0);
    expect(endedOf(host.finish('web', 0))).toMatchObject([{ operationId: 'second' }]);
    host.give({ type: 'cancel', resource: 'web', operation: 'monitor', intervalMs: 10_000 });
    expect(host.timers.size).toBe(0);
  });

  test('asked for again while it runs is not killed for it, unless its parameters changed', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    host.give(execute('monitor', { intervalMs: 10_000 }));
    expect(host.killed).toEqual([]);
    host.give(execute('monitor', { intervalMs: 10_000, parameters: { port: '81' } }));
    expect(host.killed).toHaveLength(1);
    host.finish('web', { type: 'signalled', signal: 'SIGKILL' });
    expect(host.processOf('web').environment).toMatchObject({ OCF_RESKEY_port: '81' });
  });

  test('that waits is cancelled without a trace', () => {
    const host = withRunningService();
    const effects = host.give({ type: 'cancel', resource: 'web', operation: 'monitor', intervalMs: 10_000 });
    expect(effects.find((effect) => effect.type === 'operationCancelled')).toMatchObject({
      wasKnown: true,
      removed: ['web_monitor_10000'],
    });
    expect(host.timers.size).toBe(0);
  });

  test('in flight is killed by a stop, which waits only for the process to be gone', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    const monitor = host.processOf('web').id;
    const effects = host.give(execute('stop'));
    expect(host.killed).toEqual([monitor]);
    expect(effects.find((effect) => effect.type === 'operationCancelled')).toMatchObject({
      removed: ['web_monitor_10000'],
    });
    expect(host.agents).toEqual(['web monitor']);
    const after = host.finish('web', { type: 'signalled', signal: 'SIGKILL' });
    expect(endedOf(after)).toEqual([]);
    expect(host.agents).toEqual(['web stop']);
    host.finish('web', 0);
    expect(host.timers.size).toBe(0);
    expect(host.lrm.history()[0]?.operations.map(({ id }) => id)).toEqual(['web_last_0']);
  });

  test('with an unknown interval cannot be cancelled', () => {
    const host = withRunningService();
    expect(host.give({ type: 'cancel', resource: 'web', operation: 'monitor', intervalMs: 2000 }).at(-1)).toMatchObject(
      {
        type: 'operationCancelled',
        wasKnown: false,
      },
    );
    expect(host.timers.size).toBe(1);
  });

  test('counts its timeout in its digest', () => {
    const host = withRunningService();
    const record = host.lrm.history()[0]?.operations.find(({ id }) => id === 'web_monitor_10000');
    expect(record?.digest).toBe(operationDigest({}, { timeoutMs: 20_000 }));
  });
});

describe('digests', () => {
  test('tell apart what a reload can change, and leave secrets out', () => {
    const host = new VirtualHost();
    host.give(execute('start', { parameters: { slow: '1', fast: '2', pin: '3' } }));
    const record = endedOf(host.finish('web', 0))[0]?.record;
    expect(record).toMatchObject({
      digest: operationDigest({ slow: '1', fast: '2', pin: '3' }),
      restartDigest: operationDigest({ slow: '1', pin: '3' }),
      forceRestart: ' slow pin ',
      secureDigest: operationDigest({ slow: '1', fast: '2' }),
      secureParameters: ' pin ',
    });
  });

  test('wait for the agent’s description where a start was quicker', () => {
    const host = new VirtualHost();
    host.describes = false;
    host.give(execute('start', { parameters: { slow: '1' } }));
    expect(endedOf(host.finish('web', 0))).toEqual([]);
    const effects = host.end('lrm/describe/ocf:test:Dummy', 1);
    expect(endedOf(effects)).toMatchObject([{ hasSucceeded: true }]);
    expect(types(effects)).toContain('rejected');
  });
});

describe('secrets', () => {
  test('are read just before the agent runs and stay out of what is saved', () => {
    const host = new VirtualHost();
    const asked = host.give(execute('start', { parameters: { password: 'lrm://', port: '80' } }));
    const wish = asked.find((effect) => effect.type === 'readSecrets');
    expect(wish).toMatchObject({ resource: 'web', names: ['password'] });
    host.give({ type: 'secretsRead', id: wish?.id ?? '', outcome: { type: 'read', values: { password: 'x1!' } } });
    expect(host.processOf('web').environment).toMatchObject({ OCF_RESKEY_password: 'x1!' });
    host.finish('web', 0);
    expect(JSON.stringify([...host.disk])).not.toContain('x1!');
  });

  test('that cannot be read fail everything but a stop', () => {
    const host = new VirtualHost();
    const fails = (operation: string): void => {
      const asked = host.give(execute(operation, { parameters: { password: 'lrm://' } }));
      const id = asked.find((effect) => effect.type === 'readSecrets')?.id ?? '';
      host.give({ type: 'secretsRead', id, outcome: { type: 'failed', message: 'no file' } });
    };
    fails('start');
    expect(endedOf(host.effects)[0]?.record).toMatchObject({ status: 11, exitCode: 2 });
    fails('stop');
    expect(host.agents).toEqual(['web stop']);
  });
});

describe('forgetting a resource', () => {
  test('waits for the operation in flight and leaves nothing', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    const asked = host.give({ type: 'forget', operationId: 'f', resource: 'web' });
    expect(types(asked)).not.toContain('historyForgotten');
    const effects = host.finish('web', { type: 'signalled', signal: 'SIGKILL' });
    expect(effects).toContainEqual({ type: 'historyForgotten', operationId: 'f', resource: 'web' });
    expect(host.lrm.history()).toEqual([]);
    expect(host.disk.size).toBe(0);
  });

  test('can be of one operation’s failure only', () => {
    const host = withRunningService();
    host.expire('lrm/interval/web/monitor_10000');
    host.finish('web', 7);
    const forget = (intervalMs: number): readonly { readonly type: string }[] =>
      host.give({ type: 'forget', resource: 'web', only: { operation: 'monitor', intervalMs } });
    expect(forget(5000)).toContainEqual({ type: 'historyForgotten', resource: 'web', records: [] });
    expect(forget(10_000)).toContainEqual({
      type: 'historyForgotten',
      resource: 'web',
      records: ['web_last_failure_0'],
    });
  });
});

describe('a fence device', () => {
  const agent = { class: 'stonith', type: 'fence_x' };

  test('is started by having the fencer try it, stopped without touching it, and probed from memory', () => {
    const host = new VirtualHost();
    const device = { agent, resource: 'power' };
    expect(endedOf(host.give(execute('monitor', { ...device, expectedExitCode: 7 })))[0]?.record.exitCode).toBe(7);
    const [ask] = host.give(execute('start', device)).filter((effect) => effect.type === 'askDevice');
    expect(ask).toMatchObject({ device: 'power', action: 'monitor' });
    const answer = { type: 'deviceAnswered', requestId: ask?.requestId ?? '', isOk: true, reason: '' } as const;
    expect(endedOf(host.give(answer))[0]?.record.exitCode).toBe(0);
    expect(endedOf(host.give(execute('monitor', device)))[0]?.record.exitCode).toBe(0);
    expect(endedOf(host.give(execute('stop', device)))[0]?.record.exitCode).toBe(0);
    expect(host.running.size).toBe(0);
  });

  test('that does not answer has not started', () => {
    const host = new VirtualHost();
    const [ask] = host.give(execute('start', { agent, resource: 'power' })).filter(({ type }) => type === 'askDevice');
    const requestId = ask?.type === 'askDevice' ? ask.requestId : '';
    const [ended] = endedOf(host.give({ type: 'deviceAnswered', requestId, isOk: false, reason: 'no answer' }));
    expect(ended?.record).toMatchObject({ status: 4, exitCode: 1, exitReason: 'no answer' });
  });
});

describe('another agent under the same name', () => {
  test('is another resource: the history before means nothing', () => {
    const host = withRunningService();
    host.give(execute('monitor', { agent: { ...dummy, type: 'Stateful' }, expectedExitCode: 7 }));
    host.finish('web', 7);
    expect(host.lrm.history()).toMatchObject([{ agent: { type: 'Stateful' }, operations: [{ id: 'web_last_0' }] }]);
    expect(host.timers.size).toBe(0);
  });
});
