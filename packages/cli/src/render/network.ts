/** Members and links as the messaging layer of one node sees them. */
import { table } from './table.ts';

/** The part of the daemon's answer that is shown; all of it is there with `--format json`. */
interface Facts {
  readonly node?: number;
  readonly mode?: string;
  readonly view?: {
    readonly tag?: { readonly number?: number };
    readonly members?: readonly { readonly node: number }[];
  };
  readonly peers?: readonly Peer[];
  readonly names?: Readonly<Record<string, string>>;
}

interface Peer {
  readonly node: number;
  readonly heard?: boolean;
  readonly hearsMe?: boolean;
  readonly silenceMs?: number;
  /** After so long a silence it is given up. */
  readonly limitMs?: number;
  readonly clockSkewMs?: number;
  readonly links?: readonly LinkState[];
}

interface LinkState {
  readonly link: number;
  readonly up: boolean;
  readonly path?: string;
  readonly rttMs?: number;
  readonly loss?: number;
}

/** Clocks that differ by more make rules with dates and histories of several nodes hard to read. */
const SKEW_MS = 1000;

export function renderNetwork(facts: Facts): string {
  const nameOf = (node: number): string => facts.names?.[String(node)] ?? `#${node}`;
  const members = (facts.view?.members ?? []).map(({ node }) => nameOf(node));
  const head = `${nameOf(facts.node ?? 0)} is ${facts.mode ?? 'unknown'}; view ${facts.view?.tag?.number ?? '-'} has ${members.join(', ') || 'nobody'}`;
  const rows = (facts.peers ?? []).flatMap((peer) => peerRows(peer, nameOf(peer.node)));
  return rows.length === 0
    ? `${head}\nno other node is heard`
    : `${head}\n${table([['peer', 'link', 'state', 'round trip', 'lost', 'silent for', ''], ...rows], '  ')}`;
}

/** A link with the peers that are reached over it. */
export interface LinkRow {
  readonly link: number;
  readonly peers: readonly {
    readonly name: string;
    readonly isUp: boolean;
    readonly path?: string;
    readonly rttMs?: number;
    readonly loss?: number;
  }[];
}

export function linksOf(facts: Facts): readonly LinkRow[] {
  const rows = new Map<number, LinkRow['peers'][number][]>();
  for (const peer of facts.peers ?? []) {
    for (const { link, up, ...rest } of peer.links ?? []) {
      const row = { name: facts.names?.[String(peer.node)] ?? `#${peer.node}`, isUp: up, ...rest };
      rows.set(link, [...(rows.get(link) ?? []), row]);
    }
  }
  return [...rows].map(([link, peers]) => ({ link, peers })).toSorted((a, b) => a.link - b.link);
}

export function renderLinks(links: readonly LinkRow[]): string {
  if (links.length === 0) return 'no other node is heard on any link';
  return links
    .map(({ link, peers }) => {
      const down = peers.filter(({ isUp }) => !isUp).length;
      const state =
        down === 0 ? 'up to all peers' : down === peers.length ? 'DOWN' : `DOWN to ${down} of ${peers.length}`;
      const rows = peers.map(({ name, isUp, path, rttMs, loss }) => [
        name,
        isUp ? `up, ${path ?? ''}` : 'DOWN',
        rttMs === undefined ? '' : `${rttMs.toFixed(1)} ms`,
        loss === undefined ? '' : `${(100 * loss).toFixed(1)} % lost`,
      ]);
      return `link ${link}: ${state}\n${table(rows, '  ')}`;
    })
    .join('\n');
}

function peerRows(peer: Peer, name: string): readonly (readonly string[])[] {
  const links = peer.links ?? [];
  const remarks = [
    peer.heard === false ? 'NOT HEARD' : '',
    peer.hearsMe === false ? 'DOES NOT HEAR US' : '',
    Math.abs(peer.clockSkewMs ?? 0) > SKEW_MS ? `its clock is ${peer.clockSkewMs} ms off` : '',
  ].filter((text) => text !== '');
  const silence = peer.silenceMs === undefined ? '' : `${peer.silenceMs} of ${peer.limitMs ?? '-'} ms`;
  return links.map((link, index) => [
    index === 0 ? name : '',
    String(link.link),
    link.up ? `up, ${link.path ?? ''}` : 'DOWN',
    link.rttMs === undefined ? '' : `${link.rttMs.toFixed(1)} ms`,
    link.loss === undefined ? '' : `${(100 * link.loss).toFixed(1)} %`,
    index === 0 ? silence : '',
    index === 0 ? remarks.join(', ') : '',
  ]);
}
