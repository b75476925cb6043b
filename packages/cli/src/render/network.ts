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
  readonly active?: boolean;
  readonly links?: readonly {
    readonly link: number;
    readonly up: boolean;
    readonly mtu: number;
    readonly sendFailures: number;
  }[];
  readonly order?: Readonly<
    Record<'highest' | 'delivered' | 'stable' | 'logEntries' | 'logBytes' | 'pendingEntries' | 'pendingBytes', number>
  >;
  /** The longest that this node stood still in the last minute. */
  readonly stallMs?: number;
  readonly counters?: Readonly<Record<string, number>>;
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
  const head = `${nameOf(facts.node ?? 0)} is ${facts.mode ?? 'unknown'}; ${facts.active === false ? 'the view is NOT ACTIVE; ' : ''}view ${facts.view?.tag?.number ?? '-'} has ${members.join(', ') || 'nobody'}`;
  const rows = (facts.peers ?? []).flatMap((peer) => peerRows(peer, nameOf(peer.node)));
  const peers =
    rows.length === 0
      ? 'no other node is heard'
      : table([['peer', 'link', 'state', 'round trip', 'lost', 'silent for', ''], ...rows], '  ');
  return [head, peers, ...ownLinks(facts), ...traffic(facts)].join('\n');
}

/** Links of this node that are down, or on which sending fails. */
function ownLinks({ links = [] }: Facts): readonly string[] {
  return links
    .filter(({ up, sendFailures }) => !up || sendFailures > 0)
    .map(
      ({ link, up, sendFailures }) =>
        `link ${link} of this node ${up ? 'is up' : 'is DOWN'}, ${sendFailures} sends failed`,
    );
}

/** Messages, what waits, what had to be said again, and what was refused at the door. */
function traffic({ order, counters = {}, stallMs = 0 }: Facts): readonly string[] {
  if (order === undefined) return [];
  const count = (name: string): number => counters[name] ?? 0;
  const lines = [
    `messages: ${count('messagesDelivered')} delivered, ${order.pendingEntries} wait for their place (${order.pendingBytes} bytes), ` +
      `${order.highest - order.stable} not at all members yet; the log holds ${order.logEntries} (${order.logBytes} bytes)`,
    `said again: ${count('submissionsRepeated')} submissions, ${count('gapsAnswered')} gaps answered of ${count('gapsReported')} reported, ${count('tailsSent')} tails`,
    `views: ${count('viewsActivated')} since the start, ${count('attemptsAbandoned')} attempts abandoned; longest stall of the last minute ${stallMs} ms`,
  ];
  const refused = refusals.filter((name) => count(name) > 0).map((name) => `${name} ${count(name)}`);
  return refused.length === 0 ? lines : [...lines, `refused datagrams: ${refused.join(', ')}`];
}

/** Counters of what is refused, in the order of the tests at the door. */
const refusals = [
  'datagramsShort',
  'datagramsForeign',
  'datagramsVersion',
  'datagramsReserved',
  'datagramsOtherCluster',
  'datagramsUnknownNode',
  'datagramsUnknownLink',
  'datagramsUnknownKey',
  'duplicateNode',
  'sessionFlood',
  'replayed',
  'unauthenticated',
  'staleIncarnation',
  'staleSession',
  'malformed',
  'protocolMismatch',
];

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
    Math.abs(peer.clockSkewMs ?? 0) >= SKEW_MS ? `its clock is ${peer.clockSkewMs} ms off` : '',
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
