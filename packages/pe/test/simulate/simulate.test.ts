/** What-if questions, transitions carried out in thought, summaries and explanations. */
import { explain, inject, parseResultSpec, schedule, simulate, summarize } from '@systole/pe';
import { describe, expect, test } from 'vitest';
import { dummy, meta, noon } from '../support/cluster.ts';
import { cibWith, type Parts, type Ran } from '../support/history.ts';

const now = noon;
const probed: readonly Ran[] = ['alpha', 'beta'].flatMap((node): Ran[] => [
  { node, operation: 'monitor', ago: 7200 },
  { node, resource: 'power', operation: 'monitor', ago: 7200 },
]);
const lost = 'in_ccm="false" crmd="offline" join="member" expected="member"';
const running: Parts = {
  ran: [...probed, { operation: 'start' }, { resource: 'power', node: 'beta', operation: 'start' }],
};

describe('what if', () => {
  const changed = (injections: Parameters<typeof inject>[1]) => {
    const injected = inject(cibWith(running), injections, now);
    if (!injected.ok) throw new Error(injected.error.join());
    return simulate(injected.value, { now });
  };

  test('a node is lost: it is fenced, and what ran there starts elsewhere after that', () => {
    const { decision, after } = changed({ nodesFailed: ['alpha'] });
    expect(summarize(decision)).toMatchObject([
      { change: 'fence', node: 'alpha', fence: 'reboot' },
      { change: 'move', rsc: 'web', from: 'alpha', to: 'beta' },
    ]);
    expect(after.resources.find((one) => one.rsc === 'web')?.nodes).toEqual(['beta']);
  });

  test('a node leaves cleanly: nothing is fenced', () => {
    const { decision } = changed({ nodesDown: ['alpha'] });
    expect(summarize(decision).map((one) => one.change)).toEqual(['start']);
  });

  test('a monitor fails: the resource is recovered', () => {
    const { decision } = changed({ results: ['web_monitor_10000@alpha=1'] });
    expect(summarize(decision)).toMatchObject([{ change: 'recover', rsc: 'web', from: 'alpha' }]);
  });

  test('quorum is lost: what needs it stops', () => {
    const { decision } = changed({ hasQuorum: false });
    expect(summarize(decision)).toContainEqual(expect.objectContaining({ change: 'stop', rsc: 'web' }));
  });

  test('the only fence device was removed: it is stopped, and nothing else is left alone before it is gone', () => {
    const cib = cibWith({ ...running, states: { alpha: lost } });
    const resources = cib.configuration.resources.filter((one) => one.id !== 'power');
    const { decision } = simulate({ ...cib, configuration: { ...cib.configuration, resources } }, { now });
    expect(summarize(decision)).toMatchObject([
      { change: 'fence', node: 'alpha' },
      { change: 'move', rsc: 'web' },
      { change: 'stop', rsc: 'power' },
    ]);
  });

  test('a resource changes its agent: its history is deleted, unless a probe is to write it anew', () => {
    const resources = dummy('web').replace('Dummy', 'Other');
    const deleted = (ran: readonly Ran[]): boolean =>
      simulate(cibWith({ ran, resources }), { now }).decision.transition.actions.some(
        (action) => action.key === 'web_delete_0' && action.node === 'alpha',
      );
    expect(deleted(probed)).toBe(true);
    expect(deleted([...probed.slice(1), { operation: 'stop', status: 1 }])).toBe(false);
  });

  test('unknown nodes and resources are said, all of them', () => {
    const injected = inject(cibWith(running), { nodesDown: ['gamma'], results: ['nix_start_0@alpha=0', 'what?'] }, now);
    expect(injected.ok ? [] : injected.error).toHaveLength(3);
  });

  test.each([
    [
      'web_monitor_10000@alpha=7',
      { resource: 'web', operation: 'monitor', intervalMs: 10_000, node: 'alpha', exitCode: 7 },
    ],
    [
      'my_db_migrate_to_0@b.example=1',
      { resource: 'my_db', operation: 'migrate_to', intervalMs: 0, node: 'b.example', exitCode: 1 },
    ],
  ])('%s is read', (text, expected) => {
    expect(parseResultSpec(text)).toEqual({ ok: true, value: expected });
  });
});

describe('a transition carried out in thought', () => {
  const fresh = cibWith({ ran: probed });

  test('leads to what it is for', () => {
    const { before, after } = simulate(fresh, { now });
    expect(before.resources.find((one) => one.rsc === 'web')?.role).toBe('Stopped');
    expect(after.resources.find((one) => one.rsc === 'web')).toMatchObject({ role: 'Started' });
  });

  test('with a failed start counts the failure, and does not go on from there', () => {
    const decision = schedule(fresh, { now });
    const start = decision.transition.actions.find((action) => action.key === 'web_start_0');
    const failures = new Map([[`web_start_0@${start?.node}`, 1]]);
    const { applied, after } = simulate(fresh, { now, failures });
    expect(applied.failed).toHaveLength(1);
    expect(after.resources.find((one) => one.rsc === 'web')?.flags).toContain('failed');
    const next = simulate(applied.cib, { now });
    expect(next.after.resources.find((one) => one.rsc === 'web')?.nodes).not.toEqual([start?.node]);
  });
});

describe('an explanation', () => {
  const decide = (parts: Parts) => schedule(cibWith(parts), { now, explains: true });

  test('says why here, with the constraint and its number, and why not there', () => {
    const resources = dummy('web', meta('web', { 'resource-stickiness': 100 }));
    const more = '';
    const cib = cibWith({ ...running, resources, more });
    const located = {
      ...cib,
      configuration: {
        ...cib.configuration,
        constraints: [
          { kind: 'location' as const, id: 'prefer-beta', resource: 'web', node: 'beta', score: 50, rules: [] },
        ],
      },
    };
    const explained = explain(schedule(located, { now, explains: true }), 'web');
    const [instance] = explained?.instances ?? [];
    expect(instance?.sentence).toContain('web will run on alpha: its score there, 100, is the highest (next: 50)');
    const beta = instance?.nodes.find((node) => node.node === 'beta');
    expect(beta).toMatchObject({ isChosen: false, score: 50 });
    expect(beta?.contributions).toContainEqual(expect.objectContaining({ constraint: 'prefer-beta', score: 50 }));
    expect(beta?.sentence).toContain('below the 100 on alpha');
  });

  test('names the tie-break that the placement strategy has', () => {
    const cib = cibWith({});
    const filled = {
      ...cib,
      configuration: {
        ...cib.configuration,
        options: [...cib.configuration.options, { id: 's', pairs: [{ name: 'placement-strategy', value: 'minimal' }] }],
      },
    };
    const sentence = explain(schedule(filled, { now, explains: true }), 'web')?.instances[0]?.sentence;
    expect(sentence).toMatch(/is the same on beta; among equals the smaller name wins$/);
  });

  test('says why a resource does not run', () => {
    const stopped = decide({ ...running, resources: dummy('web', meta('web', { 'target-role': 'Stopped' })) });
    expect(explain(stopped, 'web')?.instances[0]?.sentence).toContain('target-role says Stopped');
  });

  test('says what holds it', () => {
    const unmanaged = decide({ ...running, resources: dummy('web', meta('web', { 'is-managed': 'false' })) });
    expect(explain(unmanaged, 'web')?.instances[0]?.held).toEqual(['web is not managed (is-managed=false)']);
  });

  test('says of each action why it is there and what it waits for', () => {
    const { instances } = explain(decide({}), 'web') ?? { instances: [] };
    const start = instances[0]?.actions.find((action) => action.operation === 'start');
    expect(start?.sentence).toContain('it is to run on');
    expect(start?.waitsFor).toContain('web_monitor_0 on alpha');
  });

  test('of what does not exist is none', () => {
    expect(explain(decide({}), 'nix')).toBeUndefined();
  });
});
