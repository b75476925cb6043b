/** What recorded results say of a resource: its role, its failures, and what they demand. */
import { failCount } from '@systole/pe';
import { describe, expect, test } from 'vitest';
import { dummy, meta } from '../support/cluster.ts';
import { type Parts, primitiveOf, type Ran, situationWith } from '../support/history.ts';

const started: Ran = { operation: 'start' };
const watched: Ran = { operation: 'monitor', interval: 10_000 };
const failedMonitor: Ran = { ...watched, exit: 1, id: 'web_last_failure_0' };

const web = (ran: readonly Ran[], more: Parts = {}) => {
  const situation = situationWith({ ...more, ran });
  return { situation, web: primitiveOf(situation), stops: situation.demands.filter((one) => one.type === 'stop') };
};
const onFail = (value: string): Parts => ({
  resources: dummy('web', `<operations><op id="w-m" name="monitor" interval="10s" on-fail="${value}"/></operations>`),
});

describe('a role', () => {
  test('is what the newest result says', () => {
    expect(web([started]).web.role).toBe('Started');
    expect(web([started, { operation: 'stop' }]).web.role).toBe('Stopped');
    expect(web([started, { operation: 'stop' }, started]).web.activeNodes.map((node) => node.name)).toEqual(['alpha']);
  });

  test('is not running where a probe expected that and found it', () => {
    const { web: one } = web([{ operation: 'monitor' }]);
    expect(one.role).toBe('Stopped');
    expect([...one.probedNodes].map((node) => node.name)).toEqual(['alpha']);
  });

  test('is running where a probe found it though nobody started it', () => {
    const { web: one, situation } = web([{ operation: 'monitor', exit: 0 }]);
    expect(one.role).toBe('Started');
    expect(one.isFailed).toBe(false);
    expect(situation.failedOperations).toHaveLength(0);
  });

  test('is unknown, and not stopped, where a probe could not ask', () => {
    const { web: one } = web([{ operation: 'monitor', exit: 5 }]);
    expect(one.role).toBe('Stopped');
    expect([...one.allowed].find(([node]) => node.name === 'alpha')?.[1].score).toBe(-1_000_000);
  });

  test('shows an operation that has not finished', () => {
    const { web: one } = web([{ operation: 'start', status: -1 }]);
    expect(one.pending).toMatchObject({ operation: 'start' });
    expect(one.hasPendingStart).toBe(true);
  });
});

describe('a failed monitor', () => {
  test('means a restart unless on-fail says otherwise', () => {
    const { web: one, stops } = web([started, watched, failedMonitor]);
    expect(one).toMatchObject({ isFailed: true, mustStopIfFailed: true, role: 'Started' });
    expect(stops).toMatchObject([{ node: { name: 'alpha' }, isOptional: false }]);
  });

  test('is cleared by a later success of the same monitor', () => {
    expect(web([started, failedMonitor, watched]).web.isFailed).toBe(false);
  });

  test('with on-fail=ignore is noted and nothing more', () => {
    const { web: one, stops, situation } = web([started, failedMonitor], onFail('ignore'));
    expect(one).toMatchObject({ isFailed: false, hasIgnoredFailure: true });
    expect(stops).toHaveLength(0);
    expect(situation.failedOperations).toHaveLength(1);
  });

  test('with on-fail=block leaves the resource alone', () => {
    expect(web([started, failedMonitor], onFail('block')).web).toMatchObject({ isBlocked: true, isManaged: false });
  });

  test('with on-fail=stop keeps it stopped everywhere', () => {
    const { web: one } = web([started, failedMonitor], onFail('stop'));
    expect(one.wantedRole).toBe('Stopped');
    expect([...one.allowed.values()].every(({ score }) => score === -1_000_000)).toBe(true);
  });

  test('with on-fail=standby empties the node', () => {
    const { situation } = web([started, failedMonitor], onFail('standby'));
    expect(situation.nodeByName.get('alpha')).toMatchObject({ isStandby: true, isStandbyByFailure: true });
  });

  test('with on-fail=fence makes the node unclean', () => {
    const { situation } = web([started, failedMonitor], onFail('fence'));
    expect(situation.nodeByName.get('alpha')?.isUnclean).toBe(true);
    expect(situation.demands).toMatchObject([{ type: 'fence', reason: 'web failed there' }]);
  });
});

describe('a failed stop', () => {
  const failedStop: Ran = { operation: 'stop', exit: 1, id: 'web_last_failure_0' };

  test('is recovered from by fencing', () => {
    expect(web([started, failedStop]).situation.nodeByName.get('alpha')?.isUnclean).toBe(true);
  });

  test('blocks the resource where fencing is off', () => {
    const { web: one, situation } = web([started, failedStop], { options: { 'stonith-enabled': 'false' } });
    expect(one.isBlocked).toBe(true);
    expect(situation.nodeByName.get('alpha')?.isUnclean).toBe(false);
  });
});

describe('failures', () => {
  const counted = { alpha: { 'fail-count-web#monitor_10000': '2', 'last-failure-web#monitor_10000': '1782903600' } };

  test('are counted by resource and node', () => {
    const { situation, web: one } = web([started], { attributes: counted });
    const alpha = situation.nodeByName.get('alpha');
    const beta = situation.nodeByName.get('beta');
    if (alpha === undefined || beta === undefined) throw new Error('no nodes');
    expect(failCount(situation, one, alpha, { isEffective: true }).count).toBe(2);
    expect(failCount(situation, one, beta, { isEffective: true }).count).toBe(0);
  });

  test('expire after failure-timeout, and their count is to be cleared', () => {
    const resources = dummy('web', meta('web', { 'failure-timeout': '10min' }));
    const { web: one, situation } = web([started, failedMonitor], { resources, attributes: counted });
    expect(one.isFailed).toBe(false);
    expect(situation.demands).toMatchObject(
      [{ type: 'clearFailCount', reason: 'it expired' }, {}].slice(0, situation.demands.length),
    );
    expect(situation.demands.length).toBeGreaterThan(0);
  });

  test.for(['start', 'stop'])('of a %s leave it unknown whether it runs, however old: it is stopped', (operation) => {
    const resources = dummy('web', meta('web', { 'failure-timeout': '10min' }));
    const failed: Ran = { operation, exit: 1, ago: 7200, id: 'web_last_failure_0' };
    const { web: one } = web([{ operation: 'start', exit: 1, ago: 7300 }, failed], { resources, attributes: counted });
    expect(one).toMatchObject({ isFailed: false, role: 'Started' });
    expect(one.activeNodes.map((node) => node.name)).toEqual(['alpha']);
  });

  test('that will expire say when', () => {
    const resources = dummy('web', meta('web', { 'failure-timeout': '2h' }));
    const { web: one, situation } = web([started, failedMonitor], { resources, attributes: counted });
    expect(one.isFailed).toBe(true);
    expect(situation.recheck?.at).toBe(1_782_903_600 + 7200 + 1);
  });
});

describe('a live migration', () => {
  const sent: Ran = { operation: 'migrate_to', from: 'alpha', to: 'beta' };
  const seenOnBeta: Ran = { operation: 'monitor', node: 'beta', ago: 7200 };

  test('that left the source and did not arrive is partial', () => {
    const { web: one } = web([seenOnBeta, started, sent]);
    expect(one.partialMigration).toMatchObject({ source: { name: 'alpha' }, target: { name: 'beta' } });
    expect(one.activeNodes.map((node) => node.name).toSorted()).toEqual(['alpha', 'beta']);
  });

  test('that arrived and was not stopped on the source is dangling there', () => {
    const arrived: Ran = { operation: 'migrate_from', node: 'beta', from: 'alpha', to: 'beta' };
    const { web: one } = web([started, sent, arrived]);
    expect(one.danglingSources.map((node) => node.name)).toEqual(['alpha']);
    expect(one.activeNodes.map((node) => node.name)).toEqual(['beta']);
  });
});

test('what the configuration does not know is removed: to be stopped, and allowed nowhere', () => {
  const situation = situationWith({ ran: [{ resource: 'old', operation: 'start' }] });
  const old = primitiveOf(situation, 'old');
  expect(old).toMatchObject({ isRemoved: true, role: 'Started', isManaged: true });
  expect([...old.allowed.values()].every(({ score }) => score === -1_000_000)).toBe(true);
});

test('a failure-timeout of more than 49 days is one of 49 days, as in Pacemaker', () => {
  const resources = dummy('web', meta('web', { 'failure-timeout': '100d' }));
  const failed = (days: number): boolean =>
    primitiveOf(
      situationWith({
        resources,
        ran: [
          { ...started, ago: days * 86_400 },
          { ...failedMonitor, ago: days * 86_400 },
        ],
      }),
    ).isFailed;
  expect([failed(48), failed(50)]).toEqual([true, false]);
});
