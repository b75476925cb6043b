import { describe, expect, test } from 'vitest';
import { dummy, meta, placed } from '../support/cluster.ts';

describe('a resource goes', () => {
  test('to the node with the higher score', () => {
    const { nodeOf } = placed({
      resources: dummy('web'),
      constraints: '<rsc_location id="l" rsc="web" node="c" score="5"/>',
    });
    expect(nodeOf('web')).toBe('c');
  });

  test('among equal nodes to the one with fewer resources, then to the smaller name', () => {
    const { nodeOf } = placed({ resources: ['w', 'x', 'y', 'z'].map((id) => dummy(id)).join('') });
    expect(['w', 'x', 'y', 'z'].map(nodeOf)).toEqual(['a', 'b', 'c', 'a']);
  });

  test('where it is, if that is as good as any and better than nothing', () => {
    const parts = { resources: dummy('web'), running: ['web@c'] };
    const sticky = placed({ ...parts, resources: dummy('web', meta('web', { 'resource-stickiness': 1 })) });
    expect(sticky.nodeOf('web')).toBe('c');
    expect(sticky.scoreOf('web', 'c')).toBe(1);
    // With the same number of resources on each node it stays even without stickiness.
    expect(placed(parts).nodeOf('web')).toBe('c');
  });

  test('away from a node that something else wants more than it sticks', () => {
    const { nodeOf } = placed({
      resources: dummy('web', meta('web', { 'resource-stickiness': 10 })),
      constraints: '<rsc_location id="l" rsc="web" node="a" score="11"/>',
      running: ['web@c'],
    });
    expect(nodeOf('web')).toBe('a');
  });

  test('never to a node that is offline or in standby, whatever its score', () => {
    const constraints =
      '<rsc_location id="l" rsc="web" node="a" score="INFINITY"/><rsc_location id="m" rsc="web" node="b" score="INFINITY"/>';
    const { nodeOf } = placed({ nodes: ['a!', 'b?', 'c'], resources: dummy('web'), constraints });
    expect(nodeOf('web')).toBe('c');
  });

  test('nowhere, if it is banned everywhere', () => {
    const ban = (node: string): string => `<rsc_location id="l${node}" rsc="web" node="${node}" score="-INFINITY"/>`;
    const { nodeOf, placeOf } = placed({ resources: dummy('web'), constraints: ['a', 'b', 'c'].map(ban).join('') });
    expect(nodeOf('web')).toBeUndefined();
    expect(placeOf('web').nextRole).toBe('Stopped');
  });

  test('in a cluster that opts in only where a constraint lets it', () => {
    const { nodeOf, placement } = placed({
      options: { 'symmetric-cluster': 'false' },
      resources: dummy('web') + dummy('db'),
      constraints: '<rsc_location id="l" rsc="web" node="b" score="0"/>',
    });
    expect([nodeOf('web'), nodeOf('db')]).toEqual(['b', undefined]);
    expect(placement.scores.map(({ rsc, node }) => `${rsc} ${node}`)).toEqual(['web b']);
  });
});

describe('a resource that', () => {
  test('has failed as often as its migration threshold leaves the node', () => {
    const { nodeOf } = placed({
      resources: dummy('web', meta('web', { 'migration-threshold': 2, 'resource-stickiness': 100 })),
      running: ['web@a'],
      attributes: ['a fail-count-web#monitor_10000=2'],
    });
    expect(nodeOf('web')).toBe('b');
  });

  test('is not managed stays on its node, even one that cannot run anything', () => {
    const { nodeOf, placeOf } = placed({
      nodes: ['a?', 'b'],
      resources: dummy('web', meta('web', { 'is-managed': 'false' })),
      running: ['web@a'],
    });
    expect([nodeOf('web'), placeOf('web').isManaged]).toEqual(['a', false]);
  });

  test('is not wanted is banned everywhere', () => {
    const { nodeOf, scoreOf } = placed({
      resources: dummy('web', meta('web', { 'target-role': 'Stopped' })),
      running: ['web@a'],
    });
    expect([nodeOf('web'), scoreOf('web', 'a')]).toEqual([undefined, -1_000_000]);
  });

  test('has a higher priority chooses first', () => {
    const { placement } = placed({ resources: dummy('low') + dummy('high', meta('high', { priority: 5 })) });
    expect(placement.order.map(({ id }) => id)).toEqual(['high', 'low']);
  });

  test('cannot be fenced safely is left alone: fencing is enabled and there is no device', () => {
    const { placeOf } = placed({ options: { 'fencing-enabled': 'true' }, resources: dummy('web'), running: ['web@b'] });
    expect([placeOf('web').isManaged, placeOf('web').node?.name]).toEqual([false, 'b']);
  });
});

describe('without quorum and with the policy freeze', () => {
  test('what is stopped is not started, what runs goes on', () => {
    const cib = {
      options: { 'no-quorum-policy': 'freeze' },
      resources: dummy('web', meta('web', { 'target-role': 'Started' })),
    };
    expect(placed({ ...cib, running: ['web@b'] }).nodeOf('web')).toBe('b');
  });
});

describe('a ticket', () => {
  const resources = dummy('web', meta('web', { 'resource-stickiness': 5 }));

  test('that is not granted keeps its resources from running', () => {
    const constraints = '<rsc_ticket id="t" rsc="web" ticket="site"/>';
    expect(placed({ resources, constraints }).nodeOf('web')).toBeUndefined();
    const tickets = '<ticket_state id="site" granted="true"/>';
    expect(placed({ resources, constraints, tickets }).nodeOf('web')).toBe('a');
  });

  test('lost with the policy freeze leaves its resources where they are, and blocks them', () => {
    const constraints = '<rsc_ticket id="t" rsc="web" ticket="site" loss-policy="freeze"/>';
    const { nodeOf, placeOf } = placed({ resources, constraints, running: ['web@c'] });
    expect([nodeOf('web'), placeOf('web').isBlocked]).toEqual(['c', true]);
  });

  test('lost with the policy fence has the nodes fenced', () => {
    const { placement, nodeOf } = placed({
      options: { 'fencing-enabled': 'true' },
      resources: `${resources}<primitive id="fence" class="stonith" type="fence_x"/>`,
      constraints: '<rsc_ticket id="t" rsc="web" ticket="site" loss-policy="fence"/>',
      running: ['web@c'],
    });
    expect(placement.fencing.map(({ node }) => node.name)).toEqual(['c']);
    expect(nodeOf('web')).toBeUndefined();
  });
});

describe('a shutdown lock', () => {
  const parts = {
    options: { 'shutdown-lock': 'true' },
    resources: dummy('web'),
    running: ['web@b'],
    attributes: ['b shutdown=1700000000'],
  };

  test('makes a resource wait for its node instead of moving', () => {
    const { nodeOf, placeOf } = placed(parts);
    expect(nodeOf('web')).toBeUndefined();
    expect(placeOf('web').lock).toMatchObject({ node: { name: 'b' }, since: 1_700_000_000 });
  });

  test('has an end where a limit is set', () => {
    const limited = placed({ ...parts, options: { ...parts.options, 'shutdown-lock-limit': '2min' } });
    expect(limited.placement.recheck?.at).toBe(1_700_000_121);
  });
});

test('a rule that holds on every node lets nothing be looked for inside bundles', () => {
  const bundle = `<bundle id="b"><docker image="i" replicas="1"/><network control-port="3121"/>${dummy('inner')}</bundle>`;
  const { placeOf, situation } = placed({
    nodes: ['a'],
    resources: bundle + dummy('web'),
    constraints:
      '<rsc_location id="l" rsc="web"><rule id="r" score="10"><date_expression id="d" operation="gt" start="2020-01-01"/></rule></rsc_location>',
  });
  const inside = situation.nodeByName.get('b-0');
  expect(placeOf('web').allowed[inside?.index ?? -1]).toEqual({ score: 10, discovery: 'never' });
});
