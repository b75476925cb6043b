import { describe, expect, test } from 'vitest';
import { executorMeta } from '../../src/transition.ts';
import { dummy, meta } from '../support/cluster.ts';
import { decided, decidedWithState } from '../support/decided.ts';

const monitored = (id: string, inner = ''): string =>
  dummy(id, `${inner}<operations><op id="${id}-m" name="monitor" interval="10s" timeout="5s"/></operations>`);

describe('a primitive', () => {
  test('is looked for on every node before it starts, and monitored after', () => {
    const { actions, isBefore } = decided({ nodes: ['a', 'b'], resources: monitored('web') });
    expect(actions).toEqual(['monitor web a', 'monitor web b', 'monitor/10000 web a', 'start web a']);
    expect(isBefore('monitor web a', 'start web a')).toBe(true);
    expect(isBefore('monitor web b', 'start web a')).toBe(true);
    expect(isBefore('start web a', 'monitor/10000 web a')).toBe(true);
  });

  test('is expected not to run where nothing is known of it', () => {
    expect(decided({ nodes: ['a'], resources: dummy('web') }).find('monitor web a').expectedExitCode).toBe(7);
  });

  test('stops on its old node before it starts on the new one', () => {
    const { isBefore } = decided({ nodes: ['a?', 'b'], resources: dummy('web'), running: ['web@a'] });
    expect(isBefore('stop web a', 'start web b')).toBe(true);
  });

  test('that is as it should be needs nothing', () => {
    expect(decided({ nodes: ['a'], resources: dummy('web'), running: ['web@a'] }).actions).toEqual([]);
  });

  test('that is not managed is neither stopped nor started, and its state is still found out', () => {
    const resources = dummy('web', meta('web', { 'is-managed': 'false' }));
    expect(decided({ nodes: ['a?', 'b'], resources, running: ['web@a'] }).actions).toEqual(['monitor web b']);
  });

  test('migrates instead of stopping and starting where it may', () => {
    const resources = dummy('vm', meta('vm', { 'allow-migrate': 'true' }));
    const { actions, points, isBefore, find } = decided({ nodes: ['a?', 'b'], resources, running: ['vm@a'] });
    expect(actions).toEqual(['migrate_from vm b', 'migrate_to vm a', 'monitor vm b', 'stop vm a']);
    expect(points).toContain('vm_start_0');
    expect(isBefore('migrate_to vm a', 'migrate_from vm b')).toBe(true);
    expect(isBefore('migrate_from vm b', 'stop vm a')).toBe(true);
    expect(find('migrate_to vm a')).toMatchObject({ source: 'a', target: 'b' });
    // Agents read both, and the history keeps both.
    expect(executorMeta(find('migrate_to vm a'))).toMatchObject({ migrate_source: 'a', migrate_target: 'b' });
  });

  test('active on two nodes is stopped on both before it starts again', () => {
    const { isBefore } = decided({ nodes: ['a', 'b'], resources: dummy('web'), running: ['web@a', 'web@b'] });
    expect(isBefore('stop web a', 'start web a')).toBe(true);
    expect(isBefore('stop web b', 'start web a')).toBe(true);
  });

  test('with stop_unexpected stays where it belongs and stops elsewhere', () => {
    const resources = dummy('web', meta('web', { 'multiple-active': 'stop_unexpected' }));
    const { actions } = decided({ nodes: ['a', 'b'], resources, running: ['web@a', 'web@b'] });
    expect(actions).toEqual(['stop web b']);
  });

  test('takes the timeout of its probe from its most frequent monitor', () => {
    expect(decided({ nodes: ['a'], resources: monitored('web') }).find('monitor web a').timeoutMs).toBe(5000);
  });

  test('brings its parameters and what agents read of the operation', () => {
    const parameters =
      '<instance_attributes id="p"><nvpair id="p1" name="ip" value="192.0.2.1"/></instance_attributes>';
    const { find } = decided({ nodes: ['a'], resources: monitored('web', parameters) });
    expect(find('monitor/10000 web a')).toMatchObject({
      parameters: { ip: '192.0.2.1' },
      meta: { name: 'monitor' },
      agent: 'ocf:pacemaker:Dummy',
      intervalMs: 10_000,
    });
  });
});

describe('a node', () => {
  const device = '<primitive id="pdu" class="stonith" type="fence_pdu"/>';

  test('that leaves is shut down after all that runs there has stopped', () => {
    const { isBefore } = decided({
      nodes: ['a', 'b'],
      resources: dummy('web'),
      running: ['web@a'],
      attributes: ['a shutdown=1700000000'],
    });
    expect(isBefore('stop web a', 'shutdown a')).toBe(true);
  });

  test('that is lost is fenced before anything starts in its place; what ran there needs no stop', () => {
    const state = '<node_state id="1" uname="a" in_ccm="false" crmd="offline" join="member" expected="member">';
    const { actions, isBefore, points } = decidedWithState(state, {
      nodes: ['a', 'b'],
      options: { 'fencing-enabled': 'true' },
      resources: device + dummy('web'),
      running: ['web@a'],
    });
    expect(actions).toContain('reboot a');
    expect(actions).not.toContain('stop web a');
    expect(points).toContain('web_stop_0');
    expect(isBefore('reboot a', 'start web b')).toBe(true);
  });
});
