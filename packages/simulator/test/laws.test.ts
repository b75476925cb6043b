/** Laws on a handful of events: what breaks them, and what does not. */
import { describe, expect, test } from 'vitest';
import type { WorldEvent } from '../src/events.ts';
import type { Law, TrueWorld } from '../src/laws/law.ts';
import { bounds } from '../src/laws/s11-bounds.ts';
import { oneQuorum } from '../src/laws/s2-quorum-to-start.ts';
import { obeysPolicy } from '../src/laws/s9-policy.ts';
import { planFor } from '../src/planning.ts';

const settings = {
  ...planFor(1).settings,
  nodes: 3,
  fencing: true,
  watchdog: false,
  noQuorumPolicy: 'stop',
  resources: [{ id: 'web0', kind: 'primitive', members: [], stickiness: 0, migrationThreshold: 0 }],
} as const;

class FakeWorld implements TrueWorld {
  now = 0;
  readonly settings = settings;
  full = 0;
  /** Machines that stand still and whose arbiter's vote has run out. */
  asleep: readonly number[] = [];
  isPowered = (): boolean => true;
  nameOf = (machine: number): string => `n${machine}`;
  machineOf = (name: string): number => Number(name.slice(1));
  hasSleptThroughItsVote = (machine: number): boolean => this.asleep.includes(machine);
  fillings = () => [{ queue: 'letters', count: this.full, max: 10 }];
}

const view = { number: 4, hash: 1 };
const seen = (effect: object, part = 'messaging') =>
  ({ type: 'seen', machine: 1, life: 1, seen: { part, effect } }) as unknown as WorldEvent;
const quorum = (state: 'held' | 'lost'): WorldEvent => seen({ type: 'quorum', state: { state } });
const service = (after: 'started' | 'stopped'): WorldEvent =>
  ({ type: 'service', machine: 1, resource: 'web0', instance: 'web0', before: 'stopped', after, why: '' }) as const;

function tell(law: Law, world: FakeWorld, ...events: readonly WorldEvent[]): string | undefined {
  return events.map((event) => law.see(event, world)).find((text) => text !== undefined);
}

describe('S3 with an arbiter', () => {
  const of = (machine: number, effect: object): WorldEvent =>
    ({ type: 'seen', machine, life: machine, seen: { part: 'messaging', effect } }) as unknown as WorldEvent;
  const alone = (machine: number): readonly WorldEvent[] => [
    { type: 'lifeBegan', machine, life: machine },
    of(machine, { type: 'view', view: { tag: { number: 3, hash: machine }, members: [] } }),
    of(machine, { type: 'viewActive' }),
    of(machine, { type: 'quorum', state: { state: 'held', exclusiveAfterMs: 400 } }),
  ];
  const start = (machine: number): WorldEvent => ({
    type: 'operation',
    machine,
    life: machine,
    instance: 'web0',
    operation: 'start',
  });
  /** n2 has had the arbiter's vote for ten seconds when n1 gets it. */
  const moved = (world: FakeWorld): Law => {
    const law = oneQuorum({ ...settings, quorum: 'arbiter' });
    tell(law, world, ...alone(2));
    world.now = 10_000;
    tell(law, world, ...alone(1));
    world.now = 12_000;
    return law;
  };

  test('is broken by a start where another is awake and believes in its vote', () => {
    const world = new FakeWorld();
    expect(tell(moved(world), world, start(1))).toMatch(/n1 begins start of web0 .* of n2 is alone quorate/);
  });

  test('holds while the other sleeps and its vote has run out', () => {
    const world = new FakeWorld();
    world.asleep = [2];
    expect(tell(moved(world), world, start(1))).toBeUndefined();
  });

  test('is broken by a sleeper that wakes and starts something on its old vote', () => {
    const world = new FakeWorld();
    world.asleep = [2];
    const law = moved(world);
    tell(law, world, start(1));
    world.asleep = [];
    expect(tell(law, world, start(2))).toMatch(/n2 begins start of web0 .* of n1 is alone quorate/);
  });

  test('counts from the word of the node, which may come long after the activation of its view', () => {
    const world = new FakeWorld();
    const law = oneQuorum({ ...settings, quorum: 'arbiter' });
    tell(law, world, ...alone(2).slice(0, 3));
    world.now = 3000;
    tell(law, world, ...alone(2).slice(3), ...alone(1));
    world.now = 3300;
    expect(tell(law, world, start(1))).toBeUndefined();
    world.now = 3500;
    expect(tell(law, world, start(1))).toMatch(/is alone quorate/);
  });
});

describe('S9', () => {
  /** A node that runs a service and has lost quorum in an active view. */
  const lost = (law: Law, world: FakeWorld): string | undefined =>
    tell(
      law,
      world,
      { type: 'lifeBegan', machine: 1, life: 1 },
      service('started'),
      seen({ type: 'view', view: { tag: view, members: [] } }),
      seen({ type: 'viewActive', view }),
      quorum('held'),
      quorum('lost'),
    );

  test('is broken by a service that outlasts its time without quorum', () => {
    const [law, world] = [obeysPolicy(settings), new FakeWorld()];
    expect(lost(law, world)).toBeUndefined();
    world.now = 5000;
    expect(tell(law, world, { type: 'quiet' })).toBeUndefined();
    world.now = 15_000;
    expect(tell(law, world, { type: 'quiet' })).toMatch(/n1 has been without quorum .* still there: web0/);
  });

  test('holds where the service stops, where a stop has failed, and while a fault explains the delay', () => {
    const stopFails = seen({ type: 'operationEnded', hasSucceeded: false, record: { operation: 'stop' } }, 'lrm');
    const pause: WorldEvent = { type: 'fault', fault: { kind: 'pause', node: 1, forMs: 20_000 } };
    for (const excuse of [service('stopped'), stopFails, pause]) {
      const [law, world] = [obeysPolicy(settings), new FakeWorld()];
      lost(law, world);
      tell(law, world, excuse);
      world.now = 15_000;
      expect(tell(law, world, { type: 'quiet' })).toBeUndefined();
    }
  });

  test('asks a node that had quorum to reset itself at once, if the policy says so', () => {
    const [law, world] = [obeysPolicy({ ...settings, noQuorumPolicy: 'suicide' }), new FakeWorld()];
    lost(law, world);
    world.now = 300;
    expect(tell(law, world, { type: 'quiet' })).toMatch(/has not reset itself/);
  });

  test('asks a watchdog to fire, whatever else goes wrong', () => {
    const [law, world] = [obeysPolicy({ ...settings, watchdog: true }), new FakeWorld()];
    lost(law, world);
    tell(law, world, { type: 'fault', fault: { kind: 'pause', node: 1, forMs: 20_000 } });
    world.now = 7000;
    expect(tell(law, world, { type: 'quiet' })).toMatch(/its watchdog has not reset it/);
  });
});

describe('S11', () => {
  test('is broken by a queue above its bound', () => {
    const [law, world] = [bounds(), new FakeWorld()];
    world.full = 10;
    expect(tell(law, world, { type: 'lifeBegan', machine: 1, life: 1 }, { type: 'quiet' })).toBeUndefined();
    world.full = 11;
    world.now = 1000;
    expect(tell(law, world, { type: 'quiet' })).toBe('letters of n1: 11, and 10 is the most');
  });
});
