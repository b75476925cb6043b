import { describe, expect, test } from 'vitest';
import { endedOf, execute, VirtualHost } from './virtual-host.ts';

/** The disk of a daemon that ran `web` with a monitor and was killed, perhaps with an operation in flight. */
function formerLife(inFlight?: 'stop' | 'start'): VirtualHost {
  const host = new VirtualHost();
  host.give(execute('start', { parameters: { port: '80' } }));
  host.finish('web', 0);
  host.give(execute('monitor', { intervalMs: 10_000, parameters: { port: '80' } }));
  host.finish('web', 0);
  if (inFlight !== undefined) host.give(execute(inFlight, { parameters: { port: '80' } }));
  return host;
}

function reborn(before: VirtualHost, survivors: readonly string[] = [], hasRebooted = false): VirtualHost {
  const host = new VirtualHost();
  for (const [resource, saved] of before.disk) host.disk.set(resource, saved);
  host.give({ type: 'restore', saved: [...before.disk.values()], survivors, hasRebooted });
  return host;
}

const ready = (host: VirtualHost): boolean => host.effects.some(({ type }) => type === 'ready');

describe('a daemon that comes back', () => {
  test('looks at what may run, with the parameters it ran with, before it does anything', () => {
    const host = reborn(formerLife());
    host.give(execute('start', { resource: 'db' }));
    expect(host.agents).toEqual(['web monitor']);
    expect(host.processOf('web').environment).toMatchObject({
      OCF_RESKEY_port: '80',
      OCF_RESKEY_CRM_meta_interval: '0',
    });
    expect(ready(host)).toBe(false);
    host.finish('web', 0);
    expect(ready(host)).toBe(true);
    expect(host.agents).toEqual(['db start']);
  });

  test('keeps the history and the monitors of what still runs, and starts nothing twice', () => {
    const before = formerLife();
    const host = reborn(before);
    host.finish('web', 0);
    expect(host.lrm.history()).toEqual(before.lrm.history());
    expect(host.timers.get('lrm/interval/web/monitor_10000')).toBe(10_000);
    expect(host.agents).toEqual([]);
  });

  test('replaces the history of what has gone by what it sees', () => {
    const host = reborn(formerLife());
    host.finish('web', 7);
    expect(host.lrm.history()).toMatchObject([
      { id: 'web', operations: [{ id: 'web_last_0', operation: 'monitor', exitCode: 7, status: 0 }] },
    ]);
    expect(host.timers.size).toBe(0);
  });

  test('kills the agents of its former life and waits for their end before it looks', () => {
    const before = formerLife('stop');
    const process = before.processOf('web').id;
    const host = reborn(before, [process]);
    expect(host.killed).toEqual([process]);
    expect(host.agents).toEqual([]);
    host.end(process, 0);
    expect(host.agents).toEqual(['web monitor']);
  });

  test('does not wait for a process that only read a description', () => {
    const host = reborn(formerLife(), ['lrm/describe/ocf:test:Dummy']);
    host.finish('web', 0);
    expect(ready(host)).toBe(true);
  });

  test('does not believe an operation that was in flight, whatever the look says', () => {
    const host = reborn(formerLife('stop'));
    host.finish('web', 0);
    expect(host.lrm.history()).toMatchObject([
      { operations: [{ id: 'web_last_0', operation: 'monitor', exitCode: 0, callId: expect.any(Number) as number }] },
    ]);
    expect(host.lrm.history()[0]?.operations).toHaveLength(1);
  });

  test('runs a monitor that it was asked for while it looked around, even where it found nothing running', () => {
    const host = reborn(formerLife());
    host.give(execute('monitor', { intervalMs: 5000, operationId: 'new' }));
    host.finish('web', 7);
    expect(host.agents).toEqual(['web monitor']);
    expect(endedOf(host.finish('web', 7))).toMatchObject([{ operationId: 'new' }]);
    expect([...host.timers.keys()]).toEqual(['lrm/interval/web/monitor_5000']);
  });

  test('after a boot of the node forgets everything, for nothing can be running', () => {
    const host = reborn(formerLife(), [], true);
    expect(ready(host)).toBe(true);
    expect(host.lrm.history()).toEqual([]);
    expect(host.disk.size).toBe(0);
    expect(host.agents).toEqual([]);
  });

  test('gives results call ids above those of its former life', () => {
    const host = reborn(formerLife());
    host.finish('web', 0);
    host.give(execute('stop'));
    host.finish('web', 0);
    expect(host.lrm.history()[0]?.operations[0]?.callId).toBeGreaterThan(2);
  });

  test('with nothing saved is ready at once', () => {
    const host = new VirtualHost();
    host.give({ type: 'restore', saved: [], survivors: [], hasRebooted: false });
    expect(ready(host)).toBe(true);
  });
});
