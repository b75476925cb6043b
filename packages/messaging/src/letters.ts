/**
 * Sealed letters between a member and a program outside the membership, such as the arbiter on a third site: the header,
 * seal and replay window of the members' datagrams around one opaque body. No views, no order, no repetition.
 *
 * A third site must not be able to pose as a member, so it holds a key derived from the cluster key, not the key itself.
 */
import { invariant, type Random } from '@systole/kernel';
import type { ClusterKey } from './configuration.ts';
import {
  type Header,
  headerBytes,
  prefixBytes,
  readHeader,
  readPrefix,
  tagBytes,
  writeHeader,
  writePrefix,
} from './packet.ts';
import { ReplayWindow } from './replay-window.ts';
import type { Seal, SessionCipher } from './seal.ts';
import type { NodeId } from './surface.ts';

/** Who a letter of the arbiter's comes from; members have ids from 1. */
export const arbiterId: NodeId = 0;

/** With the overhead it fits an unfragmented datagram on any path. */
export const letterBytesMax = 1100;

export type LetterRefusal =
  | 'short'
  | 'foreign'
  | 'version'
  | 'reserved'
  | 'unknownKey'
  | 'unauthenticated'
  | 'replayed'
  | 'tooMany';

export type OpenedLetter =
  | { readonly ok: true; readonly from: NodeId; readonly body: Uint8Array }
  | { readonly ok: false; readonly why: LetterRefusal };

interface Session {
  readonly cipher: SessionCipher;
  readonly window: ReplayWindow;
}

/** Sessions remembered per sender; a restart of the sender begins another, the oldest is forgotten. */
const sessionsMax = 4;
/** Senders remembered: more ids than a cluster may have. */
const sendersMax = 64;

export interface LetterBoxOptions {
  readonly clusterName: string;
  readonly self: NodeId;
  /** The first is sealed with; all are accepted. */
  readonly keys: readonly ClusterKey[];
  /** Grows with every start of this program, so that recorded letters of an earlier life are told apart. */
  readonly incarnation: number;
  readonly seal: Seal;
  readonly random: Random;
}

export class LetterBox {
  readonly #options: LetterBoxOptions;
  readonly #tag: number;
  readonly #own: {
    readonly key: ClusterKey;
    readonly session: readonly [number, number];
    readonly cipher: SessionCipher;
  };
  #counter = 0;
  readonly #sessions = new Map<NodeId, Map<string, Session>>();
  readonly #incarnations = new Map<NodeId, number>();

  constructor(options: LetterBoxOptions) {
    const { clusterName, self, keys, seal, random } = options;
    const key = keys.find(({ primary }) => primary);
    invariant(key !== undefined, 'one of the keys is primary');
    const session = [random.integer(2 ** 32), random.integer(2 ** 32)] as const;
    this.#options = options;
    this.#tag = seal.clusterTag(clusterName);
    this.#own = { key, session, cipher: seal.cipher(key, clusterName, self, session) };
  }

  /** @throws InvariantError if the body is larger than `letterBytesMax`. */
  close(body: Uint8Array): Uint8Array {
    invariant(body.length <= letterBytesMax, `a letter has at most ${letterBytesMax} bytes`);
    const length = prefixBytes + body.length;
    const datagram = new Uint8Array(headerBytes + length + tagBytes);
    const { key, session, cipher } = this.#own;
    this.#counter += 1;
    const header: Header = {
      clusterTag: this.#tag,
      keyId: key.id,
      sender: this.#options.self,
      link: 0,
      session,
      counter: this.#counter,
    };
    writeHeader(datagram, header);
    const { incarnation } = this.#options;
    writePrefix(datagram, headerBytes, {
      incarnation,
      sessionNumber: 0,
      protocolMin: 1,
      protocolMax: 1,
      configurationRevision: 0,
      flags: 0,
    });
    datagram.set(body, headerBytes + prefixBytes);
    cipher.seal(datagram, length, this.#counter);
    return datagram;
  }

  /** Takes anything. The cheap tests come first; nothing that is not authentic is remembered. */
  open(datagram: Uint8Array): OpenedLetter {
    const header = readHeader(datagram);
    if (typeof header === 'string') return { ok: false, why: header };
    if (header.clusterTag !== this.#tag) return { ok: false, why: 'foreign' };
    const key = this.#options.keys.find(({ id }) => id === header.keyId);
    if (key === undefined) return { ok: false, why: 'unknownKey' };
    const name = `${header.keyId}/${header.session[0]}/${header.session[1]}`;
    const known = this.#sessions.get(header.sender)?.get(name);
    if (known !== undefined && !known.window.isFresh(header.counter)) return { ok: false, why: 'replayed' };
    const { clusterName, seal } = this.#options;
    const cipher = known?.cipher ?? seal.cipher(key, clusterName, header.sender, header.session);
    const plain = cipher.open(datagram, header.counter);
    if (plain === undefined) return { ok: false, why: 'unauthenticated' };
    const { incarnation } = readPrefix(plain);
    if (incarnation < (this.#incarnations.get(header.sender) ?? 0)) return { ok: false, why: 'replayed' };
    const session = known ?? this.#remember(header.sender, name, cipher);
    if (session === undefined) return { ok: false, why: 'tooMany' };
    this.#incarnations.set(header.sender, incarnation);
    session.window.mark(header.counter);
    return { ok: true, from: header.sender, body: new Uint8Array(plain.subarray(prefixBytes)) };
  }

  #remember(sender: NodeId, name: string, cipher: SessionCipher): Session | undefined {
    const sessions = this.#sessions.get(sender) ?? new Map<string, Session>();
    if (!this.#sessions.has(sender) && this.#sessions.size >= sendersMax) return undefined;
    const session = { cipher, window: new ReplayWindow() };
    sessions.set(name, session);
    const [oldest] = sessions.keys();
    if (sessions.size > sessionsMax && oldest !== undefined) sessions.delete(oldest);
    this.#sessions.set(sender, sessions);
    return session;
  }
}
