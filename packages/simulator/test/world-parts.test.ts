/** The parts of the virtual world do what their names say, and the same every time. */
import { describe, expect, test } from 'vitest';
import { Agenda } from '../src/agenda.ts';
import { Agents } from '../src/agents.ts';
import { Disk } from '../src/disk.ts';
import { draw, Fingerprint } from '../src/draw.ts';
import { fastSeal } from '../src/fast-seal.ts';
import { calm, type Datagram, Network } from '../src/network.ts';
import { Services } from '../src/services.ts';

function runAll(agenda: Agenda, until = 100_000): void {
  while (agenda.step(until));
}

describe('the agenda', () => {
  test('runs in order of time, and of insertion at the same time', () => {
    const agenda = new Agenda();
    const told: string[] = [];
    for (const [at, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [3, 'b'],
    ] as const)
      agenda.at(at, () => void told.push(`${name}${agenda.now}`));
    runAll(agenda);

    expect(told).toEqual(['a1', 'b3', 'c5', 'd5']);
  });

  test('moves the past to now', () => {
    const agenda = new Agenda();
    const told: number[] = [];
    agenda.at(10, () => agenda.at(2, () => void told.push(agenda.now)));
    runAll(agenda);

    expect(told).toEqual([10]);
  });

  test('keeps its order over a thousand drawn times', () => {
    const agenda = new Agenda();
    const told: number[] = [];
    for (let index = 0; index < 1000; index += 1)
      agenda.at(draw(1, 'at', index) % 500, () => void told.push(agenda.now));
    runAll(agenda);

    expect(told).toHaveLength(1000);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });
});

describe('chance', () => {
  test('is a function of its name', () => {
    expect(draw(7, 'loss', 1, 2)).toBe(draw(7, 'loss', 1, 2));
    expect(
      new Set([draw(7, 'loss', 1, 2), draw(7, 'loss', 2, 1), draw(8, 'loss', 1, 2), draw(7, 'delay', 1, 2)]).size,
    ).toBe(4);
  });

  test('is spread evenly', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 10_000; index += 1) {
      const bucket = draw(3, 'x', index) % 10;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }

    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });

  test('a fingerprint tells order and content apart', () => {
    const print = (...texts: readonly string[]): string => {
      const fingerprint = new Fingerprint();
      for (const text of texts) fingerprint.add(text);
      return fingerprint.toString();
    };

    expect(print('a', 'b')).toBe(print('ab'));
    expect(print('a', 'b')).not.toBe(print('b', 'a'));
  });
});

describe('the network', () => {
  const nodes = [1, 2, 3];
  const start = () => {
    const agenda = new Agenda();
    const arrived: (Datagram & { readonly to: number; readonly at: number })[] = [];
    const network = new Network(
      1,
      agenda,
      nodes,
      (to, datagram) => void arrived.push({ ...datagram, to, at: agenda.now }),
    );
    return { agenda, network, arrived };
  };
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);

  test('multicast reaches all others, unicast one', () => {
    const { agenda, network, arrived } = start();
    network.multicast(1, 0, bytes);
    network.unicast(2, 0, 3, bytes);
    runAll(agenda);

    expect(arrived.map(({ from, to }) => `${from}→${to}`).toSorted()).toEqual(['1→2', '1→3', '2→3']);
  });

  test('a cut is one way, ends, and may be of one link', () => {
    const { agenda, network, arrived } = start();
    network.cut([1], [2], 1000, 0);
    network.unicast(1, 0, 2, bytes);
    network.unicast(1, 1, 2, bytes);
    network.unicast(2, 0, 1, bytes);
    agenda.at(1000, () => network.unicast(1, 0, 2, bytes));
    runAll(agenda);

    expect(arrived.map(({ from, link, at }) => [from, link, at >= 1000])).toEqual(
      expect.arrayContaining([
        [1, 1, false],
        [2, 0, false],
        [1, 0, true],
      ]),
    );
    expect(arrived).toHaveLength(3);
  });

  test('a clog holds everything and releases it in another order', () => {
    const { agenda, network, arrived } = start();
    network.clog([1], [2], 500);
    for (let index = 0; index < 20; index += 1) network.unicast(1, 0, 2, Uint8Array.of(index));
    runAll(agenda);
    const order = arrived.map((datagram) => datagram.bytes[0] ?? -1);

    expect(arrived.every(({ at }) => at === 500)).toBe(true);
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('loses the share that the weather says', () => {
    const { agenda, network, arrived } = start();
    network.weather({ ...calm, loss: 0.2 });
    for (let index = 0; index < 2000; index += 1) network.unicast(1, 0, 2, bytes);
    runAll(agenda);

    expect(arrived.length / 2000).toBeGreaterThan(0.75);
    expect(arrived.length / 2000).toBeLessThan(0.85);
  });

  test('what it corrupts does not open', () => {
    const { agenda, network, arrived } = start();
    const cipher = fastSeal.cipher({ id: 1, key: new Uint8Array(32), primary: true }, 'x', 1, [1, 2]);
    const datagram = new Uint8Array(100);
    cipher.seal(datagram, 100 - 48, 9);
    network.unicast(1, 0, 2, datagram);
    network.weather({ ...calm, corruption: 1 });
    network.unicast(1, 0, 3, datagram);
    runAll(agenda);
    const opened = (to: number) =>
      arrived.filter((each) => each.to === to).map((each) => cipher.open(each.bytes, 9) !== undefined);

    expect(opened(2)).toEqual([true]);
    expect(opened(3)).toEqual([false]);
    expect(cipher.open(datagram, 10)).toBeUndefined();
  });
});

describe('a disk', () => {
  test('has what was flushed, and of what was in flight a beginning', () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const agenda = new Agenda();
      const disk = new Disk(seed, 1, agenda);
      const done: string[] = [];
      disk.replace('a', 'first', () => void done.push('first'));
      runAll(agenda, 10);
      disk.flushMs = 100;
      disk.replace('a', 'second', () => void done.push('second'));
      disk.replace('b', 'third', () => void done.push('third'));
      disk.abandon();
      runAll(agenda);

      expect(done).toEqual(['first']);
      expect(['first', 'second']).toContain(disk.read('a'));
      if (disk.read('b') !== undefined) expect(disk.read('a')).toBe('second');
    }
  });

  test('that is full refuses, and keeps what it has', () => {
    const agenda = new Agenda();
    const disk = new Disk(1, 1, agenda);
    const answers: boolean[] = [];
    disk.replace('a', 'old', ({ ok }) => void answers.push(ok));
    runAll(agenda, 10);
    disk.isFull = true;
    disk.replace('a', 'new', ({ ok }) => void answers.push(ok));
    runAll(agenda);

    expect(answers).toEqual([true, false]);
    expect(disk.read('a')).toBe('old');
  });

  test('that becomes quick again catches up', () => {
    const agenda = new Agenda();
    const disk = new Disk(1, 1, agenda);
    const done: number[] = [];
    disk.flushMs = 5000;
    disk.replace('a', 1, () => void done.push(agenda.now));
    disk.replace('a', 2, () => void done.push(agenda.now));
    agenda.at(10, () => (disk.flushMs = 1));
    runAll(agenda);

    expect(done).toEqual([11, 12]);
    expect(disk.read('a')).toBe(2);
  });
});

describe('agents', () => {
  const start = () => {
    const told: string[] = [];
    const services = new Services(
      ({ machine, instance, before, after }) => void told.push(`${instance} on ${machine}: ${before} → ${after}`),
    );
    return { told, services, agents: new Agents(1, services) };
  };

  test('a service counts as running from the beginning of its start to the end of its stop', () => {
    const { told, agents } = start();
    agents.begin(1, 'web', 'start').end();
    agents.begin(1, 'web', 'stop').end();

    expect(told).toEqual([
      'web on 1: stopped → starting',
      'web on 1: starting → started',
      'web on 1: started → stopping',
      'web on 1: stopping → stopped',
    ]);
  });

  test('it can be started on two machines at once: nothing in the world prevents it', () => {
    const { services, agents } = start();
    agents.begin(1, 'web', 'start').end();
    agents.begin(2, 'web', 'start').end();

    expect(services.where('web').map(({ machine }) => machine)).toEqual([1, 2]);
  });

  test('a failing stop leaves the service running, and says so', () => {
    const { services, agents } = start();
    agents.begin(1, 'web', 'start').end();
    agents.add({ kind: 'fails', resource: 'web', operation: 'stop' });

    expect(agents.begin(1, 'web', 'stop').end().code).toBe(1);
    expect(services.on(1, 'web')).toBeDefined();
  });

  test('monitors tell the truth unless they lie', () => {
    const { agents } = start();
    const look = (): number => agents.begin(1, 'db', 'monitor').end().code;
    expect(look()).toBe(7);
    agents.begin(1, 'db', 'start').end();
    expect(look()).toBe(0);
    agents.begin(1, 'db', 'promote').end();
    expect(look()).toBe(8);
    const lie = { kind: 'lies', resource: 'db' } as const;
    agents.add(lie);
    expect(look()).toBe(9);
    agents.remove(lie);
    expect(look()).toBe(8);
  });

  test('what hangs never ends by itself', () => {
    const { agents } = start();
    agents.add({ kind: 'hangs', resource: 'web', operation: 'start', machine: 2 });

    expect(agents.begin(2, 'web', 'start').durationMs).toBeUndefined();
    expect(agents.begin(1, 'web', 'start').durationMs).toBeGreaterThan(0);
  });
});
