/**
 * Quorum memories on the wire. An installation carries one a member, nearly always alike, so bases and member lists
 * stand in a table once and are pointed at: 31 members take 400 bytes, not 9000.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { Base, QuorumMemory, Voter } from './quorum-port.ts';
import type { NodeId } from './surface.ts';

const none = 255;
const sameIds = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
  a.length === b.length && a.every((node, index) => node === b[index]);

const sameBase = (a: Base, b: Base): boolean =>
  a.generation === b.generation &&
  a.revision === b.revision &&
  a.deviceVotes === b.deviceVotes &&
  a.voters.length === b.voters.length &&
  a.voters.every(({ node, votes }, index) => node === b.voters[index]?.node && votes === b.voters[index]?.votes);

function indexIn<T>(table: T[], element: T, same: (a: T, b: T) => boolean): number {
  const found = table.findIndex((known) => same(known, element));
  return found >= 0 ? found : table.push(element) - 1;
}

export function writeMemories(to: ByteWriter, memories: readonly QuorumMemory[]): void {
  const bases: Base[] = [];
  const sets: (readonly NodeId[])[] = [];
  const rows = memories.map((memory) => ({
    memory,
    base: indexIn(bases, memory.base, sameBase),
    pending: memory.pending === undefined ? none : indexIn(bases, memory.pending.base, sameBase),
    set: indexIn(sets, memory.lastQuorateMembers, sameIds),
  }));
  to.u8(bases.length);
  for (const base of bases) {
    to.u16(base.generation);
    to.u32(base.revision);
    to.u16(base.deviceVotes);
    to.u8(base.voters.length);
    for (const { node, votes } of base.voters) {
      to.u16(node);
      to.u16(votes);
    }
  }
  to.u8(sets.length);
  for (const set of sets) {
    to.u8(set.length);
    for (const node of set) to.u16(node);
  }
  to.u8(rows.length);
  for (const { memory, base, pending, set } of rows) {
    to.u8(base);
    to.u8(pending);
    to.u8(set);
    to.u8((memory.waiting ? 1 : 0) | (memory.forced ? 2 : 0));
    to.u48(memory.lineage);
    to.u48(memory.pending?.viewNumber ?? 0);
  }
}

export function readMemories(from: ByteReader): QuorumMemory[] {
  const bases = from.list(from.u8(), 9, (): Base => {
    const generation = from.u16();
    const revision = from.u32();
    const deviceVotes = from.u16();
    const voters = from.list(from.u8(), 4, (): Voter => ({ node: from.u16(), votes: from.u16() }));
    for (let index = 1; index < voters.length; index++) {
      if ((voters[index - 1] as Voter).node >= (voters[index] as Voter).node) from.failed = true;
    }
    return { generation, revision, deviceVotes, voters };
  });
  const sets = from.list(from.u8(), 1, () => from.list(from.u8(), 2, () => from.u16()));
  return from.list(from.u8(), 16, (): QuorumMemory => {
    const base = bases[from.u8()];
    const pendingIndex = from.u8();
    const set = sets[from.u8()];
    const flags = from.u8();
    const lineage = from.u48();
    const viewNumber = from.u48();
    const pending = pendingIndex === none ? undefined : bases[pendingIndex];
    if (base === undefined || set === undefined || (pendingIndex !== none && pending === undefined)) {
      from.failed = true;
      return {
        base: { generation: 0, revision: 0, voters: [], deviceVotes: 0 },
        lineage: 0,
        lastQuorateMembers: [],
        waiting: true,
        forced: false,
      };
    }
    return {
      base,
      ...(pending === undefined ? {} : { pending: { base: pending, viewNumber } }),
      lineage,
      lastQuorateMembers: set,
      waiting: (flags & 1) !== 0,
      forced: (flags & 2) !== 0,
    };
  });
}
