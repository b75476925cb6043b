import { afterEach, describe, expect, test } from 'vitest';
import { Feeder } from '../../src/host/feeder.ts';

class Scene {
  nowMs = 100_000;
  isHeld = true;
  mayFeed = true;
  isAtRest = false;
  isExclusive = true;
  isReachable = true;
  fed = 0;
  disarmed = 0;
  readonly deaths: string[] = [];
  readonly problems: unknown[] = [];
  feeder: Feeder;

  constructor({ hasDisks = false, hasWatchdog = true, fails = false } = {}) {
    const scene = () => this;
    this.feeder = new Feeder({
      ...(hasWatchdog
        ? {
            watchdog: {
              feed: () => {
                if (fails) throw new Error('gone');
                this.fed += 1;
              },
              disarm: () => (this.disarmed += 1),
            },
          }
        : {}),
      countdownS: 5,
      ...(hasDisks ? { disks: { isReachable: () => this.isReachable } } : {}),
      node: {
        get mayFeedWatchdog() {
          return scene().mayFeed;
        },
        get isAtRest() {
          return scene().isAtRest;
        },
        get isQuorumExclusive() {
          return scene().isExclusive;
        },
      },
      isQuorumHeldNow: () => this.isHeld,
      nowMs: () => this.nowMs,
      die: (reason) => this.deaths.push(reason),
      problem: (error) => this.problems.push(error),
    });
  }

  /** Whether a look now feeds. */
  feeds(afterMs = 0): boolean {
    this.nowMs += afterMs;
    const before = this.fed;
    this.feeder.look();
    return this.fed > before;
  }
}

const scenes: Scene[] = [];
const scene = (...options: ConstructorParameters<typeof Scene>): Scene => {
  const one = new Scene(...options);
  scenes.push(one);
  return one;
};
afterEach(() => {
  for (const one of scenes.splice(0)) one.feeder.stop(false);
});

describe('the watchdog is fed', () => {
  test('while the node may act', () => {
    const one = scene();
    expect(one.feeds()).toBe(true);
    one.mayFeed = false;
    expect(one.feeds()).toBe(false);
  });

  test('for one countdown on old news of quorum, and no longer while something runs', () => {
    const one = scene();
    one.feeds();
    one.isHeld = false;
    expect(one.feeds(4900)).toBe(true);
    expect(one.feeds(200)).toBe(false);
    one.isAtRest = true;
    expect(one.feeds()).toBe(true);
  });

  test('while the node is within reach of messages on its disks', () => {
    const one = scene({ hasDisks: true });
    one.isHeld = false;
    one.isAtRest = true;
    expect(one.feeds()).toBe(true);
    one.isReachable = false;
    expect(one.feeds()).toBe(false);
  });

  test('out of reach of its disks, if no other partition can have quorum, and only then', () => {
    const one = scene({ hasDisks: true });
    one.isReachable = false;
    expect(one.feeds()).toBe(true);
    one.isExclusive = false; // one of two, with two_node
    expect(one.feeds()).toBe(false);
    one.isExclusive = true;
    one.isHeld = false; // its own word is not enough
    expect(one.feeds()).toBe(false);
  });

  test('never again once the machine is to go down', () => {
    const one = scene();
    one.feeder.doom();
    expect(one.feeds()).toBe(false);
  });

  test('although one feeding has failed', () => {
    const one = scene({ fails: true });
    one.feeds();
    one.feeds();
    expect(one.problems).toHaveLength(2);
  });

  test('until the end, and let go only if the node has left in order', () => {
    const one = scene();
    one.feeder.stop(false);
    expect(one.disarmed).toBe(0);
    const other = scene();
    other.feeder.stop(true);
    expect(other.disarmed).toBe(1);
  });
});

describe('without a watchdog', () => {
  test('a node out of reach of its disks and without quorum resets itself, when a watchdog would have', () => {
    const one = scene({ hasDisks: true, hasWatchdog: false });
    one.isReachable = false;
    one.isHeld = false;
    one.feeds(4900);
    expect(one.deaths).toEqual([]);
    one.feeds(200);
    one.feeds(200);
    expect(one.deaths).toHaveLength(1);
  });

  test('a node with a watchdog leaves that to it', () => {
    const one = scene({ hasDisks: true });
    one.isReachable = false;
    one.isHeld = false;
    one.feeds(60_000);
    expect(one.deaths).toEqual([]);
  });
});
