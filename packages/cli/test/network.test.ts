import { describe, expect, test } from 'vitest';
import { renderNetwork } from '../src/render/network.ts';

const facts = {
  node: 1,
  mode: 'operational',
  active: true,
  view: { tag: { number: 41 }, members: [{ node: 1 }, { node: 2 }] },
  names: { 1: 'n1', 2: 'n2' },
  peers: [
    {
      node: 2,
      heard: true,
      hearsMe: true,
      silenceMs: 30,
      limitMs: 350,
      clockSkewMs: -1000,
      links: [
        { link: 0, up: true, path: 'multicast', rttMs: 0.4, loss: 0.0125 },
        { link: 1, up: false },
      ],
    },
  ],
  links: [
    { link: 0, up: true, mtu: 1500, sendFailures: 0 },
    { link: 1, up: false, mtu: 1500, sendFailures: 12 },
  ],
  order: { highest: 90, delivered: 88, stable: 85, logEntries: 5, logBytes: 700, pendingEntries: 3, pendingBytes: 400 },
  stallMs: 17,
  counters: {
    messagesDelivered: 88,
    submissionsRepeated: 2,
    gapsReported: 4,
    gapsAnswered: 1,
    tailsSent: 9,
    viewsActivated: 6,
    attemptsAbandoned: 1,
    replayed: 7,
    unauthenticated: 0,
  },
};

describe('the status of messaging', () => {
  const text = renderNetwork(facts);

  test.for([
    ['members and view', /n1 is operational; view 41 has n1, n2/],
    ['links with loss and latency', /n2\s+0\s+up, multicast\s+0\.4 ms\s+1\.3 %\s+30 of 350 ms/],
    ['a clock that is a second off', /its clock is -1000 ms off/],
    ['links of its own that do not work', /link 1 of this node is DOWN, 12 sends failed/],
    ['the depth of its queues', /88 delivered, 3 wait for their place \(400 bytes\), 5 not at all members yet/],
    ['retransmissions', /2 submissions, 1 gaps answered of 4 reported, 9 tails/],
    ['stalls', /longest stall of the last minute 17 ms/],
    ['what was refused, and only that', /refused datagrams: replayed 7$/],
  ] as const)('tells %s', ([, pattern]) => {
    expect(text).toMatch(pattern);
  });

  test('says when the view is not active, and when nobody is heard', () => {
    expect(renderNetwork({ ...facts, active: false })).toContain('NOT ACTIVE');
    expect(renderNetwork({ node: 1, names: { 1: 'n1' } })).toContain('no other node is heard');
  });
});
