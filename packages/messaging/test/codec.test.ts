import { describe, expect, test } from 'vitest';
import { decodeFrames } from '../src/decode.ts';
import { encodeFrame } from '../src/encode.ts';
import type { Frame } from '../src/frames.ts';
import { identitySeal } from '../src/seal.ts';
import { cryptoSeal } from '../src/seal-crypto.ts';
import { readHeader, writeHeader } from '../src/packet.ts';
import { oneOfEach } from './harness/frames.ts';
import { aKey } from './harness/cluster.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('frames', () => {
  test.for(oneOfEach.map((frame) => [frame.type, frame] as const))('%s survives the wire', ([, frame]) => {
    expect(decodeFrames(encodeFrame(frame))).toEqual([frame]);
  });

  test.for(oneOfEach.map((frame) => [frame.type, frame] as const))('%s keeps its bytes on the wire', ([, frame]) => {
    expect(hex(encodeFrame(frame))).toMatchSnapshot();
  });

  test('every truncation of a frame is malformed', () => {
    for (const frame of oneOfEach) {
      const bytes = encodeFrame(frame);
      for (let length = 1; length < bytes.length; length++) {
        expect(decodeFrames(bytes.subarray(0, length)), `${frame.type} cut to ${length}`).toBeUndefined();
      }
    }
  });

  test('a frame of an unknown type is skipped, its neighbours are read', () => {
    const tail = encodeFrame({ type: 'submissionGap', view: { number: 1, hash: 2 }, next: 3 });
    const unknown = Uint8Array.of(0xee, 0, 0, 3, 1, 2, 3);
    const frames = decodeFrames(Buffer.concat([tail, unknown, tail]));
    expect(frames?.map(({ type }) => type)).toEqual(['submissionGap', 'submissionGap']);
  });

  test('fields that a newer node added behind the known ones are ignored', () => {
    const frame: Frame = { type: 'receipt', view: { number: 9, hash: 1 }, received: 4, durable: 2 };
    const bytes = encodeFrame(frame);
    const longer = Buffer.concat([bytes, Buffer.from([1, 2, 3])]);
    longer.writeUInt16BE(longer.readUInt16BE(2) + 3, 2);
    expect(decodeFrames(longer)).toEqual([frame]);
  });

  test('an installation of a node that does not say yet who left names nobody', () => {
    const frame = oneOfEach.find(({ type }) => type === 'installation') as Extract<Frame, { type: 'installation' }>;
    const bytes = Buffer.from(encodeFrame({ ...frame, left: [] })).subarray(0, -1);
    bytes.writeUInt16BE(bytes.length - 4, 2);
    expect(decodeFrames(bytes)).toEqual([{ ...frame, left: [] }]);
  });

  test('a count near 2^16 or a sum near 2^32 allocates nothing and is malformed', () => {
    const gap = Buffer.from(encodeFrame({ type: 'gap', view: { number: 1, hash: 1 }, ranges: [{ from: 1, to: 2 }] }));
    gap.writeUInt16BE(0xffff, 4 + 10);
    expect(decodeFrames(gap)).toBeUndefined();
    const ordered = Buffer.from(
      encodeFrame({
        type: 'ordered',
        view: { number: 1, hash: 1 },
        first: 2 ** 32 - 1,
        stable: 0,
        durable: 0,
        entries: [],
      }),
    );
    expect(decodeFrames(ordered)).toBeDefined();
    ordered.writeUInt16BE(0xffff, ordered.length - 2);
    expect(decodeFrames(ordered)).toBeUndefined();
  });

  test('a node named twice where a set is meant is malformed', () => {
    const twice = encodeFrame({
      type: 'proposal',
      attempt: { number: 1, hash: 1 },
      members: [
        { node: 3, incarnation: 1 },
        { node: 3, incarnation: 2 },
      ],
    });
    expect(decodeFrames(twice)).toBeUndefined();
  });

  test('a heartbeat of eight nodes stays below 250 bytes', () => {
    const [heartbeat] = oneOfEach;
    if (heartbeat?.type !== 'heartbeat') throw new Error('the first is the heartbeat');
    const echo = heartbeat.echoes[0];
    if (echo === undefined) throw new Error('it has an echo');
    const members = [1, 2, 3, 4, 5, 6, 7, 8];
    const echoes = members.slice(1).map((node) => ({ ...echo, node }));
    expect(encodeFrame({ ...heartbeat, members, echoes }).length).toBeLessThan(250);
  });
});

describe.each([
  ['identity', identitySeal],
  ['AES-256-GCM', cryptoSeal],
] as const)('the %s seal', (_name, seal) => {
  const header = { clusterTag: 1, keyId: 1, sender: 3, link: 0, session: [7, 9], counter: 5 } as const;
  const sealed = (): Uint8Array => {
    const bytes = new Uint8Array(32 + 40 + 16);
    writeHeader(bytes, header);
    bytes.fill(0x41, 32, 72);
    seal.cipher(aKey(1), 'test', 3, [7, 9]).seal(bytes, 40, 5);
    return bytes;
  };

  test('opens what it sealed', () => {
    const plain = seal.cipher(aKey(1), 'test', 3, [7, 9]).open(sealed(), 5);
    expect(hex(plain ?? new Uint8Array(0))).toBe('41'.repeat(40));
  });

  test('refuses any flipped bit', () => {
    const cipher = seal.cipher(aKey(1), 'test', 3, [7, 9]);
    for (let at = 0; at < 88; at += 3) {
      const bytes = sealed();
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      expect(cipher.open(bytes, 5), `byte ${at}`).toBeUndefined();
    }
  });

  test('refuses another key, node or session', () => {
    expect(seal.cipher(aKey(2), 'test', 3, [7, 9]).open(sealed(), 5)).toBeUndefined();
    expect(seal.cipher(aKey(1), 'test', 4, [7, 9]).open(sealed(), 5)).toBeUndefined();
    expect(seal.cipher(aKey(1), 'test', 3, [7, 8]).open(sealed(), 5)).toBeUndefined();
  });

  test('tells clusters apart by a tag', () => {
    expect(seal.clusterTag('one')).not.toBe(seal.clusterTag('two'));
  });
});

test('a datagram sealed for the cluster keeps its bytes', () => {
  const bytes = new Uint8Array(32 + 16 + 16);
  writeHeader(bytes, { clusterTag: 0x01020304, keyId: 5, sender: 6, link: 7, session: [8, 9], counter: 2 ** 33 + 1 });
  cryptoSeal.cipher(aKey(5), 'golden', 6, [8, 9]).seal(bytes, 16, 2 ** 33 + 1);
  expect(hex(bytes)).toMatchSnapshot();
  expect(readHeader(bytes)).toEqual({
    clusterTag: 0x01020304,
    keyId: 5,
    sender: 6,
    link: 7,
    session: [8, 9],
    counter: 2 ** 33 + 1,
  });
});
