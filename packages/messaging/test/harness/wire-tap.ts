/** Looks into datagrams under the identity seal, and takes frames out of them: for faults that hit one kind of frame. */
import { decodeFrames } from '../../src/decode.ts';
import { encodeFrame } from '../../src/encode.ts';
import type { Frame } from '../../src/frames.ts';
import { headerBytes, prefixBytes, readHeader, tagBytes } from '../../src/packet.ts';
import { identitySeal } from '../../src/seal.ts';
import { aKey } from './cluster.ts';

const inside = headerBytes + prefixBytes;

export function framesIn(bytes: Uint8Array): readonly Frame[] {
  return decodeFrames(bytes.subarray(0, bytes.length - tagBytes), inside) ?? [];
}

/** The datagram with only the frames that `keep` keeps (or replaces), sealed again. */
export function rewrite(bytes: Uint8Array, keep: (frame: Frame) => Frame | boolean): Uint8Array {
  const header = readHeader(bytes);
  if (typeof header === 'string') return bytes;
  const frames = framesIn(bytes).flatMap((frame) => {
    const kept = keep(frame);
    return kept === false ? [] : [encodeFrame(kept === true ? frame : kept)];
  });
  const body = Buffer.concat([bytes.subarray(headerBytes, inside), ...frames]);
  const datagram = new Uint8Array(headerBytes + body.length + tagBytes);
  datagram.set(bytes.subarray(0, headerBytes));
  datagram.set(body, headerBytes);
  identitySeal
    .cipher(aKey(header.keyId), 'test', header.sender, header.session)
    .seal(datagram, body.length, header.counter);
  return datagram;
}
