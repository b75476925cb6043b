/**
 * What a member tells the arbiter and what it is told. JSON inside sealed datagrams; both decoders take anything.
 *
 * A report says everything the arbiter must know about the cluster, its algorithm included: the third site holds one
 * derived key a cluster and no configuration of it.
 */
import { type Base, type NodeId, totalVotes, type Voter } from '../base.ts';
import type { TieBreaker } from '../options.ts';

export interface ViewName {
  readonly number: number;
  readonly hash: number;
}

/** `none`: no heuristics configured. */
export type Heuristics = 'pass' | 'fail' | 'none';

export interface ArbiterReport {
  readonly node: NodeId;
  /** Of this client, growing; the verdict repeats it, so that the lease counts from when the report was sent. */
  readonly number: number;
  readonly view: ViewName;
  /** Ascending. */
  readonly members: readonly NodeId[];
  readonly active: boolean;
  readonly base: Base;
  /** The highest quorate view that any member of this view has been in. */
  readonly lineage: number;
  readonly heuristics: Heuristics;
  readonly algorithm: 'ffsplit' | 'lastManStanding';
  readonly tieBreaker: TieBreaker;
  /** Whether a view that goes on from the one last granted is preferred. */
  readonly keepsLineage: boolean;
}

export interface ArbiterVerdict {
  /** Which report this answers. */
  readonly number: number;
  readonly view: ViewName;
  readonly vote: 'grant' | 'deny' | 'wait';
  /** With `grant`: how long it holds from the sending of the report. */
  readonly leaseMs: number;
  /** With `grant`: for so long an earlier grant to others may still hold. */
  readonly exclusiveAfterMs: number;
  readonly grantNumber: number;
  /** A sentence for `systole quorum status`. */
  readonly reason: string;
}

const BYTES_MAX = 4096; // 32 voters and members as JSON are below 2000
const NODES_MAX = 64;

export const encodeReport = (report: ArbiterReport): Uint8Array => new TextEncoder().encode(JSON.stringify(report));
export const encodeVerdict = (verdict: ArbiterVerdict): Uint8Array => new TextEncoder().encode(JSON.stringify(verdict));

/** Undefined for anything that is not a whole, consistent report. */
export function decodeReport(bytes: Uint8Array): ArbiterReport | undefined {
  const given = parsed(bytes);
  if (given === undefined) return undefined;
  const { node, number, active, lineage, heuristics, algorithm, keepsLineage } = given;
  const view = viewIn(given['view']);
  const members = nodesIn(given['members']);
  const base = baseIn(given['base']);
  const tieBreaker = tieBreakerIn(given['tieBreaker']);
  if (view === undefined || members === undefined || base === undefined || tieBreaker === undefined) return undefined;
  if (!isNode(node) || !isCount(number) || !isCount(lineage)) return undefined;
  if (typeof active !== 'boolean' || typeof keepsLineage !== 'boolean') return undefined;
  if (heuristics !== 'pass' && heuristics !== 'fail' && heuristics !== 'none') return undefined;
  if (algorithm !== 'ffsplit' && algorithm !== 'lastManStanding') return undefined;
  if (!members.includes(node)) return undefined;
  return { node, number, view, members, active, base, lineage, heuristics, algorithm, tieBreaker, keepsLineage };
}

export function decodeVerdict(bytes: Uint8Array): ArbiterVerdict | undefined {
  const given = parsed(bytes);
  if (given === undefined) return undefined;
  const { number, vote, leaseMs, exclusiveAfterMs, grantNumber, reason } = given;
  const view = viewIn(given['view']);
  if (view === undefined || !isCount(number) || !isCount(leaseMs) || !isCount(exclusiveAfterMs)) return undefined;
  if (!isCount(grantNumber) || typeof reason !== 'string') return undefined;
  if (vote !== 'grant' && vote !== 'deny' && vote !== 'wait') return undefined;
  return { number, view, vote, leaseMs, exclusiveAfterMs, grantNumber, reason };
}

interface Fields {
  readonly [name: string]: unknown;
  readonly node?: unknown;
  readonly number?: unknown;
  readonly active?: unknown;
  readonly lineage?: unknown;
  readonly heuristics?: unknown;
  readonly algorithm?: unknown;
  readonly keepsLineage?: unknown;
  readonly vote?: unknown;
  readonly leaseMs?: unknown;
  readonly exclusiveAfterMs?: unknown;
  readonly grantNumber?: unknown;
  readonly reason?: unknown;
}

function parsed(bytes: Uint8Array): Fields | undefined {
  if (bytes.byteLength > BYTES_MAX) return undefined;
  try {
    return fieldsIn(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return undefined; // not UTF-8, or not JSON: the host counts it as malformed
  }
}

const fieldsIn = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNode = (value: unknown): value is NodeId => isCount(value) && value >= 1 && value <= 65535;

function viewIn(value: unknown): ViewName | undefined {
  const { number, hash } = fieldsIn(value) ?? {};
  return isCount(number) && isCount(hash) ? { number, hash } : undefined;
}

function nodesIn(value: unknown): readonly NodeId[] | undefined {
  if (!Array.isArray(value) || value.length > NODES_MAX || !value.every(isNode)) return undefined;
  return new Set(value).size === value.length ? value : undefined;
}

function tieBreakerIn(value: unknown): TieBreaker | undefined {
  return value === 'lowest' || value === 'highest' ? value : nodesIn(value);
}

function baseIn(value: unknown): Base | undefined {
  const { generation, revision, voters, deviceVotes } = fieldsIn(value) ?? {};
  if (!isCount(generation) || !isCount(revision) || !isCount(deviceVotes)) return undefined;
  if (!Array.isArray(voters) || voters.length > NODES_MAX) return undefined;
  const read: Voter[] = [];
  for (const each of voters) {
    const { node, votes } = fieldsIn(each) ?? {};
    if (!isNode(node) || !isCount(votes) || votes > 255 || node <= (read.at(-1)?.node ?? 0)) return undefined;
    read.push({ node, votes });
  }
  const base = { generation, revision, voters: read, deviceVotes };
  return totalVotes(base) === 0 ? undefined : base;
}
