/** Which nodes are there, and what is known of them. */
import { compareNodeNames } from '../../src/status/nodes.ts';
import { describe, expect, test } from 'vitest';
import { dummy, meta } from '../support/cluster.ts';
import { type Parts, situationWith } from '../support/history.ts';

const alpha = (state: string, more: Parts = {}) => {
  const node = situationWith({ ...more, states: { alpha: state } }).nodeByName.get('alpha');
  if (node === undefined) throw new Error('no alpha');
  return node;
};

describe('a member', () => {
  test('that has joined is online', () => {
    expect(alpha('in_ccm="true" crmd="online" join="member" expected="member"')).toMatchObject({
      isOnline: true,
      isUnclean: false,
    });
  });

  test('that left cleanly is offline, and nothing has to be fenced', () => {
    expect(alpha('in_ccm="false" crmd="offline" join="down" expected="down"')).toMatchObject({
      isOnline: false,
      isUnclean: false,
    });
  });

  test('that should be there and is not is unclean', () => {
    expect(alpha('in_ccm="false" crmd="offline" join="down" expected="member"').isUnclean).toBe(true);
  });

  test('without fencing is only offline', () => {
    const node = alpha('in_ccm="false" crmd="offline" join="down" expected="member"', {
      options: { 'stonith-enabled': 'false' },
    });
    expect(node).toMatchObject({ isOnline: false, isUnclean: false });
  });

  test('whose controller has not joined yet is pending', () => {
    expect(alpha('in_ccm="true" crmd="offline" join="down" expected="down"')).toMatchObject({
      isPending: true,
      isUnclean: false,
    });
  });

  test('that is pending for longer than node-pending-timeout is fenced', () => {
    const state = 'in_ccm="1782900000" crmd="0" join="down" expected="down"';
    expect(alpha(state, { options: { 'node-pending-timeout': '10min' } }).isUnclean).toBe(true);
    expect(alpha(state, { options: { 'node-pending-timeout': '10h' } }).isUnclean).toBe(false);
  });

  test('that was never seen is unclean, unless startup-fencing is off', () => {
    const nodes = '<node id="1" uname="alpha"/><node id="2" uname="beta"/><node id="3" uname="gamma"/>';
    expect(situationWith({ nodes }).nodeByName.get('gamma')?.isUnclean).toBe(true);
    const blind = situationWith({ nodes, options: { 'startup-fencing': 'false' } });
    expect(blind.nodeByName.get('gamma')?.isUnclean).toBe(false);
  });
});

test('a primitive with remote-node makes a guest node, with a connection that nobody configured', () => {
  const resources = dummy('vm', meta('vm', { 'remote-node': 'guest1' }));
  const situation = situationWith({ resources });
  expect(situation.nodeByName.get('guest1')).toMatchObject({ kind: 'guest', isOnline: false });
  expect(situation.instanceById.get('guest1')).toMatchObject({ isConnection: true, launcher: { id: 'vm' } });
});

test('node health becomes a score and a colour', () => {
  const attributes = { alpha: { '#health-disk': 'red' }, beta: { '#health-disk': 'yellow' } };
  const options = { 'node-health-strategy': 'migrate-on-red' };
  const { nodeByName } = situationWith({ attributes, options });
  expect(nodeByName.get('alpha')).toMatchObject({ health: 'red', healthScore: -1_000_000 });
  expect(nodeByName.get('beta')).toMatchObject({ health: 'yellow', healthScore: 0 });
});

test('nodes are listed with numbers in their names compared as numbers, and letters without case', () => {
  expect(['node10', 'Node9', 'node1', 'alpha'].toSorted(compareNodeNames)).toEqual([
    'alpha',
    'node1',
    'Node9',
    'node10',
  ]);
});
