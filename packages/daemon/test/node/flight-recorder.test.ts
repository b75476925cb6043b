import { epoch, instant, seededRandom } from '@systole/kernel';
import { cryptoSeal, type EngineEffect, type EngineInput, protocolRange, timingProfiles } from '@systole/messaging';
import { describe, expect, test } from 'vitest';
import { FlightRecorder, type MessagingSetup, messagingSetup, nodeIdOf, replay } from '../../src/node/index.ts';

const names = ['n1', 'n2', 'n3'];
const key = new Uint8Array(32).fill(0xa7);
const secret = 'passwd=hunter2';

function setupOf(self: string): MessagingSetup {
  const setup = messagingSetup(
    {
      self,
      nodes: names,
      messaging: {
        clusterName: 'demo',
        keys: [{ id: 3, key, primary: true }],
        links: [{ id: 0, mode: 'multicast', priority: 0, mtu: 1500, family: 4 }],
        linkMode: 'passive',
        timing: timingProfiles.lan,
        messageBytesMax: 65_536,
        protocol: protocolRange,
      },
      quorum: {},
      places: {} as never,
    },
    names,
  );
  if (!setup.ok) throw new Error(setup.error);
  return setup.value;
}

/** Three engines, each with its recorder, on a network that loses one datagram in ten. */
class Three {
  now = 1000;
  readonly random = seededRandom(5);
  readonly recorders = new Map<string, FlightRecorder>();
  #inbox: { readonly to: string; readonly input: EngineInput }[] = [];

  constructor() {
    for (const [index, name] of names.entries()) {
      const ports = {
        random: seededRandom(index + 1),
        seal: cryptoSeal,
        wallClock: () => epoch(1_800_000_000_000 + this.now),
      };
      this.recorders.set(name, new FlightRecorder(setupOf(name), ports, undefined, instant(this.now)));
    }
  }

  give(name: string, input: EngineInput): void {
    const effects = this.recorders.get(name)?.step(input, instant(this.now)) ?? [];
    for (const effect of effects) this.#carryOut(name, effect);
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 5) {
      for (const { to, input } of this.#inbox.splice(0)) this.give(to, input);
      for (const [name, recorder] of this.recorders)
        if (recorder.wakeAt() <= this.now) this.give(name, { type: 'tick' });
    }
  }

  #carryOut(from: string, effect: EngineEffect): void {
    if (effect.type === 'save') this.give(from, { type: 'saved', token: effect.token });
    if (effect.type !== 'transmit') return;
    for (const to of names) {
      if (to === from || this.random.integer(10) === 0) continue;
      const address = { host: `10.0.0.${nodeIdOf(from) % 250}`, port: 5405 };
      const bytes = Uint8Array.from(effect.bytes);
      this.#inbox.push({ to, input: { type: 'datagram', link: 0, via: 'multicast', from: address, bytes } });
    }
  }
}

function incident(): readonly string[] {
  const three = new Three();
  three.run(2000);
  for (let handle = 1; handle <= 20; handle++) {
    const body = new TextEncoder().encode(`${secret} ${handle}`);
    three.give(names[handle % 3] ?? '', { type: 'submit', handle, service: 'agreed', body });
    three.run(30);
  }
  three.recorders.delete('n3'); // its plug is pulled
  three.run(2000);
  return [...(three.recorders.get('n2')?.lines('n3 was lost') ?? [])];
}

const run = (lines: Iterable<string>): ReturnType<typeof replay> & { readonly text: string } => {
  const said: string[] = [];
  const result = replay(lines, cryptoSeal.clusterTag, (line) => said.push(line));
  return { ...result, text: said.join('\n') };
};

describe('the flight recorder', () => {
  const lines = incident();

  test('holds all that is needed to see the same happen again, step by step', () => {
    const { isRun, differsAt, steps, text } = run(lines);
    expect({ isRun, differsAt }).toEqual({ isRun: true, differsAt: undefined });
    expect(steps).toBeGreaterThan(200);
    expect(text).toContain('recorded by n2 of cluster demo: n3 was lost');
    expect(text).toMatch(/without n3: lost, silent \d+ ms, limit 350/);
    expect(text).toMatch(/view \d+: n[12], n[12]; n3 lost/);
    expect(run(lines).text).toBe(text);
  });

  test('holds no key, and nothing that applications said', () => {
    const whole = lines.join('\n');
    expect(whole).not.toContain(Buffer.from(key).toString('hex'));
    expect(whole).not.toContain(JSON.stringify([...key]).slice(0, 40));
    expect(whole).not.toContain(Buffer.from(secret).toString('hex'));
    expect(whole).not.toContain(secret);
  });

  test('shows where another engine would have done something else', () => {
    const changed = lines.filter((line, index) => index < 200 || index > 260 || !line.includes('"datagram"'));
    expect(run(changed).differsAt).toBeGreaterThan(190);
  });

  test('that begins later tells what was kept, and says that nothing is run', () => {
    const [first = '', ...rest] = lines;
    const late = [first.replace('"isWhole":true', '"isWhole":false'), ...rest.slice(100)];
    const { isRun, text } = run(late);
    expect(isRun).toBe(false);
    expect(text).toContain('nothing is run again');
    expect(text).toMatch(/view \d+: n[12], n[12]; n3 lost/);
  });

  test('keeps within its bounds: the last minute, and not more than 32 MiB', () => {
    const three = new Three();
    const recorder = three.recorders.get('n1') as FlightRecorder;
    const tick = (count: number): void => {
      for (let each = 0; each < count; each++) recorder.step({ type: 'applicationAlive' }, instant(three.now));
    };
    tick(150_000);
    const lines = [...recorder.lines('test')];
    expect(lines.length).toBeLessThan((32 * 1024 * 1024) / 256 + 2);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ isWhole: false });
    three.now += 61_000;
    tick(1);
    expect([...recorder.lines('test')].length).toBeLessThan((8 * 1024 * 1024) / 256 + 2);
  });

  test('is told by what is none', () => {
    expect(() => run(['{"format":"other"}'])).toThrow(/no recording/);
  });
});
