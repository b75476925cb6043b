/**
 * What the coverage-guided run feeds: programs of bytes, each of which means something to every target. A target throws
 * where a rule is broken, and returns otherwise.
 */
import { invariant } from '@systole/kernel';
import { decodeFrames } from '../../src/decode.ts';
import { encodeFrame } from '../../src/encode.ts';
import type { Frame } from '../../src/frames.ts';
import { LetterBox } from '../../src/letters.ts';
import { readHeader } from '../../src/packet.ts';
import { identitySeal } from '../../src/seal.ts';
import type { EngineInput, ViewTag } from '../../src/surface.ts';
import { aKey } from '../harness/cluster.ts';
import { oneOfEach } from '../harness/frames.ts';
import { PuppetTheatre } from '../harness/puppets.ts';
import { Group } from '../key-group.ts';
import { seededRandom } from '@systole/kernel';

export interface Target {
  /** Files of `src` whose coverage counts, as a pattern. */
  readonly covers: RegExp;
  readonly run: (program: Uint8Array) => void;
  /** Where the search begins. */
  readonly seeds: () => readonly Uint8Array[];
}

/** Reads a program byte by byte; behind its end there are zeros. */
class Script {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  /** Small numbers mostly, and the edges of 32 bits. */
  number(): number {
    const byte = this.byte();
    return byte < 240 ? byte % 48 : byte < 248 ? 2 ** 32 - 1 - (byte % 8) : this.byte() * 2 ** 24;
  }
}

const encoded = oneOfEach.map(encodeFrame);

/** A frame of any kind with some bytes changed, and its view or attempt aimed at the present one or not. */
function frameFrom(script: Script, tag: ViewTag): readonly Frame[] {
  const bytes = Uint8Array.from(encoded[script.byte() % encoded.length] ?? []);
  const changes = script.byte() % 4;
  for (let change = 0; change < changes; change++) bytes[script.byte() % bytes.length] = script.byte();
  const isAimed = script.byte() % 4 !== 0;
  return (decodeFrames(bytes) ?? []).map((frame) => {
    if (!isAimed) return frame;
    if ('view' in frame) return { ...frame, view: tag };
    return 'attempt' in frame ? { ...frame, attempt: tag } : frame;
  });
}

function inputFrom(script: Script, tag: ViewTag): EngineInput {
  switch (script.byte() % 11) {
    case 0:
      return { type: 'submit', handle: script.byte(), service: 'agreed', body: new Uint8Array(script.number() % 4000) };
    case 1:
      return { type: 'submit', handle: script.byte(), service: 'durable', body: new Uint8Array(8) };
    case 2:
      return { type: 'persisted', view: tag, sequence: script.number(), ok: script.byte() % 2 === 0 };
    case 3:
      return { type: 'linkChanged', link: script.byte() % 3, up: script.byte() % 2 === 0, mtu: 576 + script.number() };
    case 4:
      return { type: 'sendFailed', link: script.byte() % 3, code: 'ENETUNREACH' };
    case 5:
      return { type: 'clockStepped', wallAheadMs: script.number() * 100 };
    case 6:
      return { type: 'backlog', present: script.byte() % 2 === 0 };
    case 7: {
      const vote = (['grant', 'deny', 'wait'] as const)[script.byte() % 3] ?? 'wait';
      return {
        type: 'deviceVerdict',
        view: tag,
        vote,
        leaseUntil: (script.number() * 100) as never,
        exclusiveAfterMs: 0,
      };
    }
    case 8:
      return { type: 'readmit', node: script.byte() % 4 };
    case 9:
      return { type: 'unreliable', to: script.byte() % 4 || 'all', body: new Uint8Array(script.number()) };
    default:
      return { type: 'applicationAlive' };
  }
}

/** One engine among two members that say whatever the program says. */
function engine(program: Uint8Array): void {
  const script = new Script(program);
  const theatre = new PuppetTheatre([1, 2, 3]);
  const tag = theatre.join(2, script.byte() % 2 === 0 ? [1, 2, 3] : [2, 1, 3]);
  for (let steps = 0; !script.isOver && steps < 60; steps++) {
    const what = script.byte() % 8;
    if (what < 5) for (const frame of frameFrom(script, tag)) theatre.send(2 + (what % 2), frame);
    else if (what < 7) theatre.input(inputFrom(script, tag));
    else theatre.run(1 + (script.byte() % 60));
  }
  theatre.run(60);
  const { order } = theatre.engine.status(theatre.now as never);
  invariant(order.logEntries < 5000 && order.pendingEntries <= 1024 + 64, 'the engine keeps within its bounds');
  invariant(order.delivered <= order.received, 'nothing is delivered that was not received');
}

/** Three members and a key change, among messages that nobody sent. */
function keys(program: Uint8Array): void {
  const script = new Script(program);
  const names = ['n1', 'n2', 'n3'];
  const group = new Group(names, 1 + (script.byte() % 8));
  for (let steps = 0; !script.isOver && steps < 60; steps++) {
    const name = names[script.byte() % 3] ?? '';
    const node = group.node(name);
    switch (script.byte() % 8) {
      case 0:
        group.crash(name);
        break;
      case 1:
        group.start(name);
        break;
      case 2:
        group.rotate(name, script.byte() % 3 === 0 ? [names[script.byte() % 3] ?? ''] : []);
        break;
      case 3:
        group.give(node, { type: 'arbiters', areBehind: script.byte() % 2 === 0 });
        break;
      case 4:
        group.changeView();
        break;
      case 5:
        group.give(node, {
          type: 'delivered',
          from: 'n2',
          message: JSON.parse(`{"type":"ring","ring":${script.byte()}}`),
        });
        break;
      default:
        group.step();
    }
  }
}

const letters = (program: Uint8Array): void => {
  const box = new LetterBox({
    clusterName: 'test',
    self: 1,
    keys: [aKey(1)],
    incarnation: 5,
    seal: identitySeal,
    random: seededRandom(1),
  });
  const script = new Script(program);
  const letter = Uint8Array.from(box.close(program.subarray(0, 64)));
  const changes = script.byte() % 5;
  for (let change = 0; change < changes; change++) letter[script.byte() % letter.length] = script.byte();
  box.open(letter);
  box.open(letter);
  box.open(program);
};

const some = (length: number, salt: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 37 + salt * 91) & 255);

export const targets: Readonly<Record<string, Target>> = {
  decoder: {
    covers: /src\/(?:decode|codec-memory|bytes|packet)\.ts$/,
    run: (program) => {
      decodeFrames(program);
      readHeader(program);
    },
    seeds: () => encoded,
  },
  engine: {
    covers: /messaging\/src\/(?!decode|encode|codec|bytes)[\w-]+\.ts$/,
    run: engine,
    seeds: () => [1, 2, 3, 4].map((salt) => some(120, salt)),
  },
  keys: {
    covers: /src\/key-[\w-]+\.ts$/,
    run: keys,
    seeds: () => [1, 2, 3].map((salt) => some(60, salt)),
  },
  letters: { covers: /src\/(?:letters|packet|replay-window)\.ts$/, run: letters, seeds: () => [some(80, 1)] },
};
