import { describe, expect, test } from 'vitest';
import { dummy, meta } from '../support/cluster.ts';
import { decided } from '../support/decided.ts';

const stateful = (id: string): string => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Stateful"/>`;

test('instances of agents that do not know instances have no monitor where they do not run', () => {
  const resources = `<clone id="c">${meta('c', { 'globally-unique': 'true' })}<primitive id="s" class="systemd" type="s"><operations><op id="s-m" name="monitor" interval="10s" role="Stopped"/></operations></primitive></clone>`;
  const { actions, find } = decided({ nodes: ['a'], resources });
  expect(actions).toEqual(['monitor s:0 a', 'start s:0 a']);
  expect(find('start s:0 a')).toMatchObject({ resource: 's', instance: 's:0' });
});

describe('a clone', () => {
  test('asks one instance on each node, and starts after all have answered', () => {
    const { actions, isBefore } = decided({ nodes: ['a', 'b'], resources: `<clone id="c">${dummy('x')}</clone>` });
    expect(actions.filter((action) => action.startsWith('start'))).toHaveLength(2);
    expect(actions.filter((action) => action.startsWith('monitor'))).toHaveLength(2);
    const [first] = actions.filter((action) => action.startsWith('monitor'));
    for (const start of actions.filter((action) => action.startsWith('start'))) {
      expect(isBefore(first as string, start)).toBe(true);
    }
  });

  test('has points in time for the start of all instances', () => {
    const { points, isBefore } = decided({ nodes: ['a'], resources: `<clone id="c">${dummy('x')}</clone>` });
    expect(points).toEqual(['c_running_0', 'c_start_0']);
    expect(isBefore('c_start_0', 'c_running_0')).toBe(true);
  });

  test('that is interleaved goes down only where what it depends on goes down', () => {
    const interleaved = meta('two', { interleave: 'true' });
    const resources = `<clone id="one">${dummy('x')}</clone><clone id="two">${interleaved}${dummy('y')}</clone>`;
    const constraints = '<rsc_order id="o" first="one" then="two"/>';
    const running = ['x@a', 'x@b', 'y@a', 'y@b'];
    const { actions, find, isBefore } = decided({ nodes: ['a?', 'b'], resources, constraints, running });
    const stops = actions.filter((action) => action.startsWith('stop'));
    expect(stops.map((stop) => find(stop).node)).toEqual(['a', 'a']);
    const [x, y] = stops.toSorted() as [string, string];
    expect(isBefore(y, x)).toBe(true);
    expect(actions.some((action) => action.startsWith('start'))).toBe(false);
  });

  test('that is not interleaved waits for all instances', () => {
    const resources = `<clone id="one">${dummy('x')}</clone><clone id="two">${dummy('y')}</clone>`;
    const constraints = '<rsc_order id="o" first="one" then="two"/>';
    const { actions, isBefore } = decided({ nodes: ['a', 'b'], resources, constraints });
    for (const first of actions.filter((action) => action.startsWith('start x'))) {
      for (const then of actions.filter((action) => action.startsWith('start y'))) {
        expect(isBefore(first, then)).toBe(true);
      }
    }
  });

  test('tells its instances around the start of another, with who is what', () => {
    const resources = `<clone id="c">${meta('c', { notify: 'true' })}${dummy('x')}</clone>`;
    const { actions, find, isBefore } = decided({ nodes: ['a', 'b'], resources, running: ['x@a'] });
    const notifications = actions.filter((action) => action.startsWith('notify'));
    expect(notifications).toHaveLength(3); // before: the one that runs; after: both
    const start = actions.find((action) => action.startsWith('start')) as string;
    const told = notifications.find((one) => find(one).meta['notify_type'] === 'pre') as string;
    expect(isBefore(told, start)).toBe(true);
    expect(find(told).meta).toMatchObject({
      notify_operation: 'start',
      notify_active_uname: 'a',
      notify_start_uname: 'b',
      notify_stop_uname: ' ',
      notify_all_uname: 'a b',
    });
  });
});

describe('a promotable clone', () => {
  const resources = `<clone id="c">${meta('c', { promotable: 'true' })}${stateful('x')}</clone>`;
  const attributes = ['a master-x=10', 'b master-x=5'];

  test('is promoted after all instances have started', () => {
    const { actions, isBefore } = decided({ nodes: ['a', 'b'], resources, attributes });
    const promotions = actions.filter((action) => action.startsWith('promote'));
    expect(promotions).toHaveLength(1);
    for (const start of actions.filter((action) => action.startsWith('start'))) {
      expect(isBefore(start, promotions[0] as string)).toBe(true);
    }
  });

  test('says to agents how many there may be, by the old names as well', () => {
    const { find, actions } = decided({ nodes: ['a', 'b'], resources, attributes });
    const start = actions.find((action) => action.startsWith('start')) as string;
    expect(find(start).meta).toMatchObject({ clone_max: '2', promoted_max: '1', master_max: '1', notify: 'false' });
  });
});
