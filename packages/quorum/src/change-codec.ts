/**
 * A change of the base as bytes: format 1, then the present and the next base, each as generation u16, revision u32,
 * device votes u8, number of voters u8, and per voter node u16 and votes u8. Big-endian. Total: anything else is no change.
 */
import type { Base, Voter } from './base.ts';
import type { BaseChange } from './change.ts';

const FORMAT = 1;
const HEAD = 8; // generation, revision, device votes, number of voters
const VOTER = 3;

export function encodeChange({ base, next }: BaseChange): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HEAD + VOTER * (base.voters.length + next.voters.length));
  bytes[0] = FORMAT;
  const view = new DataView(bytes.buffer);
  writeBase(view, writeBase(view, 1, base), next);
  return bytes;
}

export function decodeChange(bytes: Uint8Array): BaseChange | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== FORMAT) return undefined;
  const first = readBase(view, 1);
  const second = first && readBase(view, first.end);
  if (first === undefined || second?.end !== bytes.byteLength) return undefined;
  const follows = second.base.generation === first.base.generation && second.base.revision === first.base.revision + 1;
  return follows ? { base: first.base, next: second.base } : undefined;
}

function writeBase(view: DataView, start: number, base: Base): number {
  view.setUint16(start, base.generation);
  view.setUint32(start + 2, base.revision);
  view.setUint8(start + 6, base.deviceVotes);
  view.setUint8(start + 7, base.voters.length);
  let at = start + HEAD;
  for (const { node, votes } of base.voters) {
    view.setUint16(at, node);
    view.setUint8(at + 2, votes);
    at += VOTER;
  }
  return at;
}

function readBase(view: DataView, start: number): { readonly base: Base; readonly end: number } | undefined {
  if (start + HEAD > view.byteLength) return undefined;
  const count = view.getUint8(start + 7);
  const end = start + HEAD + VOTER * count;
  if (end > view.byteLength) return undefined;
  const voters: Voter[] = [];
  for (let at = start + HEAD; at < end; at += VOTER) {
    const node = view.getUint16(at);
    if (node <= (voters.at(-1)?.node ?? 0)) return undefined; // ascending, each once
    voters.push({ node, votes: view.getUint8(at + 2) });
  }
  const base = {
    generation: view.getUint16(start),
    revision: view.getUint32(start + 2),
    voters,
    deviceVotes: view.getUint8(start + 6),
  };
  return { base, end };
}
