import { byCodeUnit } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { dummy, meta, placed } from '../support/cluster.ts';

/** Absent names come last. */
const byName = (a: string | undefined, b: string | undefined): number => byCodeUnit(a ?? '~', b ?? '~');

const clone = (values: Readonly<Record<string, string | number>> = {}): string =>
  `<clone id="pool">${meta('pool', values)}${dummy('db')}</clone>`;
const at = (rsc: string, node: string, score: string, more = ''): string =>
  `<rsc_location id="l-${rsc}-${node}" rsc="${rsc}" node="${node}" score="${score}" ${more}/>`;
const nodesOf = ({ placement }: ReturnType<typeof placed>, configId: string): readonly (string | undefined)[] =>
  placement.places
    .filter(({ instance }) => instance.configId === configId && !instance.isRemoved)
    .map(({ node }) => node?.name);

describe('a clone', () => {
  test('has an instance on each node', () => {
    expect(nodesOf(placed({ resources: clone() }), 'db').toSorted(byName)).toEqual(['a', 'b', 'c']);
  });

  test('has no more instances than clone-max, and keeps those that run', () => {
    const cluster = placed({ resources: clone({ 'clone-max': 2 }), running: ['db@b', 'db@c'] });
    expect(nodesOf(cluster, 'db').toSorted(byName)).toEqual(['b', 'c']);
  });

  test('that is globally unique can have several instances on a node', () => {
    const values = { 'globally-unique': 'true', 'clone-max': 4, 'clone-node-max': 2 };
    const cluster = placed({ nodes: ['a', 'b'], resources: clone(values) });
    expect(nodesOf(cluster, 'db').toSorted(byName)).toEqual(['a', 'a', 'b', 'b']);
  });

  test('leaves out the node that its failures ban, with all of its instances', () => {
    const cluster = placed({
      resources: clone({ 'migration-threshold': 1 }),
      running: ['db@a', 'db@b', 'db@c'],
      attributes: ['b fail-count-db#monitor_10000=1'],
    });
    expect(
      nodesOf(cluster, 'db')
        .filter((node) => node !== undefined)
        .toSorted(byName),
    ).toEqual(['a', 'c']);
  });

  test('of a group has each group together', () => {
    const resources = `<clone id="pool"><group id="g">${dummy('x')}${dummy('y')}</group></clone>`;
    const cluster = placed({ resources });
    expect(nodesOf(cluster, 'x')).toEqual(nodesOf(cluster, 'y'));
  });

  test('draws what must be with it to any of its nodes, and keeps it from others', () => {
    const constraints = '<rsc_colocation id="k" rsc="web" with-rsc="pool" score="INFINITY"/>';
    const cluster = placed({
      resources: clone({ 'clone-max': 1 }) + dummy('web'),
      constraints: constraints + at('pool', 'c', '5'),
    });
    expect(cluster.nodeOf('web')).toBe('c');
  });
});

const promotable = (values: Readonly<Record<string, string | number>> = {}): string =>
  `<clone id="pool">${meta('pool', { promotable: 'true', ...values })}<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/></clone>`;
const promotedNodes = ({ placement }: ReturnType<typeof placed>): readonly (string | undefined)[] =>
  placement.places
    .filter(({ nextRole, instance }) => nextRole === 'Promoted' && instance.kind === 'primitive')
    .map(({ node }) => node?.name);

describe('a promotable clone', () => {
  const running = ['db@a', 'db@b', 'db@c'];

  test('promotes the instance with the highest promotion score', () => {
    const cluster = placed({ resources: promotable(), running, attributes: ['a master-db=5', 'b master-db=10'] });
    expect(promotedNodes(cluster)).toEqual(['b']);
    expect(
      cluster.placement.scores
        .filter(({ stage }) => stage === 'promotion')
        .map(({ node, score }) => `${node} ${score}`),
    ).toEqual(['b 10', 'a 5', 'c -1']);
  });

  test('promotes none without a promotion score or a constraint for the role', () => {
    expect(promotedNodes(placed({ resources: promotable(), running }))).toEqual([]);
    const wanted = at('pool', 'c', '5', 'role="Promoted"');
    expect(promotedNodes(placed({ resources: promotable(), running, constraints: wanted }))).toEqual(['c']);
  });

  test('keeps the promoted instance where scores tie', () => {
    const attributes = ['a master-db=5', 'b master-db=5', 'c master-db=5'];
    const promotedOnC = ['db@a', 'db@b', 'db@c:promoted'];
    expect(promotedNodes(placed({ resources: promotable(), running: promotedOnC, attributes }))).toEqual(['c']);
  });

  test('promotes as many as promoted-max', () => {
    const attributes = ['a master-db=5', 'b master-db=10', 'c master-db=1'];
    expect(
      promotedNodes(placed({ resources: promotable({ 'promoted-max': 2 }), running, attributes })).toSorted(byName),
    ).toEqual(['a', 'b']);
  });

  test('is promoted where what goes with the promoted instance can be', () => {
    const cluster = placed({
      resources: promotable() + dummy('web'),
      running,
      attributes: ['a master-db=5', 'b master-db=5'],
      constraints:
        '<rsc_colocation id="k" rsc="web" with-rsc="pool" with-rsc-role="Promoted" score="INFINITY"/>' +
        at('web', 'a', '-INFINITY'),
    });
    expect([promotedNodes(cluster), cluster.nodeOf('web')]).toEqual([['b'], 'b']);
  });

  test('has no promoted instance without the ticket that the role needs', () => {
    const constraints = '<rsc_ticket id="t" rsc="pool" rsc-role="Promoted" ticket="site"/>';
    const cluster = placed({ resources: promotable(), running, attributes: ['a master-db=5'], constraints });
    expect(promotedNodes(cluster)).toEqual([]);
    expect(nodesOf(cluster, 'db').toSorted(byName)).toEqual(['a', 'b', 'c']);
  });

  test('of which nothing is wanted but unpromoted instances has only those', () => {
    const cluster = placed({
      resources: promotable({ 'target-role': 'Unpromoted' }),
      running: ['db@a:promoted', 'db@b'],
      attributes: ['a master-db=5'],
    });
    expect(promotedNodes(cluster)).toEqual([]);
    expect(nodesOf(cluster, 'db').filter((node) => node !== undefined)).toHaveLength(3);
  });
});

describe('a bundle', () => {
  const bundle = (attributes: string, network = '<network control-port="3121"/>'): string =>
    `<bundle id="box"><docker image="i" ${attributes}/>${network}${dummy('app')}</bundle>`;

  test('has its containers on different hosts, and in each the primitive', () => {
    const cluster = placed({ resources: bundle('replicas="2"') });
    expect([cluster.nodeOf('box-docker-0'), cluster.nodeOf('box-docker-1')]).toEqual(['a', 'b']);
    expect([cluster.nodeOf('app:0'), cluster.nodeOf('app:1')]).toEqual(['box-0', 'box-1']);
  });

  test('has each address with its container', () => {
    const resources = bundle('replicas="1"', '<network ip-range-start="10.0.0.1"/>');
    const cluster = placed({ resources, constraints: at('box', 'c', '5') });
    expect([cluster.nodeOf('box-docker-0'), cluster.nodeOf('box-ip-10.0.0.1'), cluster.nodeOf('box-0')]).toEqual([
      'c',
      'c',
      'c',
    ]);
  });

  test('lets nothing else run inside', () => {
    const cluster = placed({ nodes: ['a'], resources: bundle('replicas="1"') + dummy('web') });
    expect(cluster.nodeOf('web')).toBe('a');
  });
});

describe('a remote node', () => {
  const remote = '<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>';

  test('runs resources as soon as its connection has a place, and never its own connection', () => {
    const cluster = placed({ nodes: ['a'], resources: dummy('web') + remote, constraints: at('web', 'far', '5') });
    expect([cluster.nodeOf('far'), cluster.nodeOf('web')]).toEqual(['a', 'far']);
  });

  test('runs nothing while its connection is stopped', () => {
    const stopped = `<primitive id="far" class="ocf" provider="pacemaker" type="remote">${meta('far', { 'target-role': 'Stopped' })}</primitive>`;
    const cluster = placed({ nodes: ['a'], resources: dummy('web') + stopped, constraints: at('web', 'far', '5') });
    expect(cluster.nodeOf('web')).toBe('a');
  });
});

test('an instance acts with the priority of its clone, whatever its promotion score was', () => {
  const resources = `<clone id="pool">${meta('pool', { promotable: 'true', priority: 3 })}<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/></clone>`;
  const { placeOf } = placed({ nodes: ['a'], resources, running: ['db@a'], attributes: ['a master-db=100'] });
  expect(placeOf('db:0').priority).toBe(3);
});
