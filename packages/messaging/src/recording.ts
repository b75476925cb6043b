/**
 * What an engine was given, so that it can be given the same again. The engine is a function of its inputs, the opened
 * datagrams and the random numbers it drew; with those, and without any key, it does the same once more.
 *
 * Kept in memory as references while the engine runs; text is made of it only when somebody wants it. What
 * applications said to each other is blanked then: the protocol never looks into it, and it may hold secrets.
 */
import type { Epoch, Instant, Random } from '@systole/kernel';
import type { Configuration } from './configuration.ts';
import { decodeFrames } from './decode.ts';
import { headerBytes, prefixBytes, tagBytes } from './packet.ts';
import type { Seal } from './seal.ts';
import type { EngineInput, StateRecord } from './surface.ts';

/** An input as it is kept: datagrams opened, bodies as long as they were. */
export type RecordedInput =
  | Exclude<EngineInput, { type: 'datagram' | 'submit' | 'unreliable' | 'reconfigure' }>
  | {
      readonly type: 'datagram';
      readonly link: number;
      readonly via: 'multicast' | 'unicast';
      readonly from: { readonly host: string; readonly port: number };
      /** Hexadecimal: the header, and what it sealed; without the latter it could not be opened, or was not tried. */
      readonly header: string;
      readonly plain?: string;
      /** Of the whole datagram. */
      readonly length: number;
    }
  | (Omit<Extract<EngineInput, { type: 'submit' }>, 'body'> & { readonly length: number })
  | (Omit<Extract<EngineInput, { type: 'unreliable' }>, 'body'> & { readonly length: number })
  | { readonly type: 'reconfigure'; readonly configuration: Configuration; readonly setup?: unknown };

export interface RecordedStep {
  readonly at: number;
  readonly input: RecordedInput;
  /** What was drawn in this step: numbers, and bytes in hexadecimal. */
  readonly drawn?: readonly (number | string)[];
}

export interface RecordingStart {
  readonly format: 'systole-recording/1';
  /** Without keys. */
  readonly configuration: Configuration;
  readonly saved?: StateRecord;
  readonly wall: Epoch;
  readonly now: Instant;
  /** Drawn while the engine was made. */
  readonly drawn: readonly (number | string)[];
}

/** Notes what passes through the ports of an engine. */
export class Tape {
  #plain: Uint8Array | undefined;
  #drawn: (number | Uint8Array)[] = [];

  seal(seal: Seal): Seal {
    return {
      clusterTag: seal.clusterTag,
      cipher: (key, clusterName, node, session) => {
        const cipher = seal.cipher(key, clusterName, node, session);
        return {
          seal: (datagram, length, counter) => cipher.seal(datagram, length, counter),
          open: (datagram, counter) => {
            this.#plain = cipher.open(datagram, counter);
            return this.#plain;
          },
        };
      },
    };
  }

  random(random: Random): Random {
    return {
      integer: (below) => {
        const value = random.integer(below);
        this.#drawn.push(value);
        return value;
      },
      bytes: (length) => {
        const bytes = random.bytes(length);
        this.#drawn.push(bytes);
        return bytes;
      },
    };
  }

  /** What has passed since the last time. */
  take(): { readonly plain: Uint8Array | undefined; readonly drawn: readonly (number | Uint8Array)[] } {
    const taken = { plain: this.#plain, drawn: this.#drawn };
    this.#plain = undefined;
    if (this.#drawn.length > 0) this.#drawn = [];
    return taken;
  }
}

export const drawnText = (drawn: readonly (number | Uint8Array)[]): readonly (number | string)[] =>
  drawn.map((each) => (typeof each === 'number' ? each : Buffer.from(each).toString('hex')));

/** As little of an input as is needed: of a datagram its header, of a body nothing. */
export function trimmed(input: EngineInput): EngineInput {
  if (input.type === 'datagram') return { ...input, bytes: input.bytes.slice(0, headerBytes) };
  return 'body' in input ? { ...input, body: nothing } : input;
}

const nothing = new Uint8Array(0);

/** Bytes of an input's datagram or body. */
export const lengthOf = (input: EngineInput): number =>
  input.type === 'datagram' ? input.bytes.length : 'body' in input ? input.body.length : 0;

/** A trimmed input as text can hold it; `plain` is what its datagram held, if it was opened; `length` that of the whole. */
export function recorded(input: EngineInput, length: number, plain: Uint8Array | undefined): RecordedInput {
  switch (input.type) {
    case 'datagram': {
      const { link, via, from, bytes } = input;
      const header = Buffer.from(bytes.subarray(0, headerBytes)).toString('hex');
      const opened = plain === undefined ? {} : { plain: Buffer.from(blanked(plain)).toString('hex') };
      return { type: 'datagram', link, via, from, header, length, ...opened };
    }
    case 'submit':
    case 'unreliable': {
      const { body: _body, ...rest } = input;
      return { ...rest, length };
    }
    case 'reconfigure':
      return { ...input, configuration: withoutKeys(input.configuration) };
    default:
      return input;
  }
}

/** As many keys, with their ids, and nothing in them. */
export const withoutKeys = (configuration: Configuration): Configuration => ({
  ...configuration,
  keys: configuration.keys.map(({ id, primary }) => ({ id, primary, key: new Uint8Array(0) })),
});

/** A copy in which what applications said is zeros. */
function blanked(plain: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(plain);
  for (const frame of decodeFrames(copy, prefixBytes) ?? []) {
    if (frame.type === 'unreliable') frame.bytes.fill(0);
    if (frame.type !== 'submission' && frame.type !== 'ordered') continue;
    for (const { kind, bytes } of frame.entries) if (kind === 'application') bytes.fill(0);
  }
  return copy;
}

/** The input again, for an engine whose seal is `openedSeal`. */
export function replayed(input: RecordedInput): EngineInput {
  switch (input.type) {
    case 'datagram': {
      const { link, via, from, header, plain, length } = input;
      const bytes = new Uint8Array(plain === undefined ? length : headerBytes + plain.length / 2 + tagBytes);
      bytes.set(Buffer.from(header, 'hex'));
      if (plain !== undefined) {
        bytes.set(Buffer.from(plain, 'hex'), headerBytes);
        bytes.fill(isOpened, bytes.length - tagBytes);
      }
      return { type: 'datagram', link, via, from, bytes };
    }
    case 'submit':
    case 'unreliable': {
      const { length, ...rest } = input;
      return { ...rest, body: new Uint8Array(length) };
    }
    case 'reconfigure':
      return { type: 'reconfigure', configuration: input.configuration };
    default:
      return input;
  }
}

/** In the place of the tag: this datagram was authentic. */
const isOpened = 1;

/** Opens what was opened when it was recorded, and nothing else. Needs no key. */
export const openedSeal = (clusterTag: Seal['clusterTag']): Seal => ({
  clusterTag,
  cipher: () => ({
    seal: () => undefined,
    open: (datagram) =>
      datagram.at(-1) === isOpened ? datagram.subarray(headerBytes, datagram.length - tagBytes) : undefined,
  }),
});

/** Draws what was drawn; `want` is told of what there is none for: then the engine is not the one that was recorded. */
export class DrawnAgain implements Random {
  #left: (number | string)[] = [];
  isShort = false;

  give(drawn: readonly (number | string)[]): void {
    this.#left = [...drawn];
  }

  integer(_below: number): number {
    const next = this.#left.shift();
    if (typeof next === 'number') return next;
    this.isShort = true;
    return 0;
  }

  bytes(length: number): Uint8Array {
    const next = this.#left.shift();
    if (typeof next === 'string') return new Uint8Array(Buffer.from(next, 'hex'));
    this.isShort = true;
    return new Uint8Array(length);
  }
}
