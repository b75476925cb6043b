/**
 * Frames on their way out: collected by where they go, bundled into as few datagrams as fit, sealed, sent at the flush.
 *
 * Bundling is by turn of the host's loop, not by a delay: whatever one turn produced leaves together.
 */
import { freshBytes } from './bytes.ts';
import type { Configuration } from './configuration.ts';
import type { Core } from './core.ts';
import { encodeFrame } from './encode.ts';
import type { Frame } from './frames.ts';
import { datagramBytesMax, datagramOverhead, outboxFrames } from './limits.ts';
import type { Links, Target } from './links.ts';
import { headerBytes, prefixBytes, tagBytes, writeHeader, writePrefix, writeWay } from './packet.ts';
import type { SessionCipher } from './seal.ts';
import type { Address, NodeId } from './surface.ts';

const all = -1;
const members = -2;
const everyone = -3;
const membersEverywhere = -4;
const everywhere = 65536;

/** A new session, and so a new key, at the latest after so many datagrams or so long. */
const sessionDatagramsMax = 2 ** 40;
const sessionMsMax = 24 * 3_600_000;

export class Outbox {
  readonly #core: Core;
  readonly #links: Links;
  #frames = new Map<number, Uint8Array[]>();
  #onLink: { link: number; to: NodeId | Address; frame: Uint8Array }[] = [];
  #count = 0;
  /** The members data go to. */
  #members: readonly NodeId[] = [];
  #allByUnicastToo = false;
  #cipher: SessionCipher | undefined;
  #session: readonly [number, number] = [0, 0];
  #sessionNumber = 0;
  #sessionSince = 0;
  #describes: Configuration | undefined;
  #counter = 0;
  /** What all datagrams of the session begin with; link and counter are filled in. */
  readonly #head = new Uint8Array(headerBytes + prefixBytes);

  constructor(core: Core, links: Links) {
    this.#core = core;
    this.#links = links;
    this.newSession();
  }

  /** Random session, derived key, counter from 1. At start, for another primary key, and each day. */
  newSession(): void {
    const { configuration, random, seal, self } = this.#core;
    const bytes = random.bytes(8);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    this.#session = [view.getUint32(0), view.getUint32(4)];
    const key = configuration.keys.find(({ primary }) => primary);
    if (key === undefined) return;
    this.#cipher = seal.cipher(key, configuration.clusterName, self, this.#session);
    this.#sessionNumber = Math.min(this.#sessionNumber + 1, 65535);
    this.#sessionSince = this.#core.now;
    this.#counter = 0;
    const clusterTag = seal.clusterTag(configuration.clusterName);
    writeHeader(this.#head, { clusterTag, keyId: key.id, sender: self, link: 0, session: this.#session, counter: 0 });
    this.#describeSelf();
  }

  /** The prefix says what the configuration says of this node: again when that changes. */
  #describeSelf(): void {
    const { incarnation, configuration } = this.#core;
    writePrefix(this.#head, headerBytes, {
      incarnation,
      sessionNumber: this.#sessionNumber,
      protocolMin: configuration.protocol.min,
      protocolMax: configuration.protocol.max,
      configurationRevision: configuration.revision,
      flags: 0,
    });
    this.#describes = configuration;
  }

  /** Whether a datagram in this node's name is of its present session: its own, looped back. */
  isOwnSession([high, low]: readonly [number, number]): boolean {
    return high === this.#session[0] && low === this.#session[1];
  }

  setMembers(nodes: readonly NodeId[]): void {
    this.#members = nodes.filter((node) => node !== this.#core.self);
  }

  /** What was sent to the node has to be sent once more. */
  sentAgain(node: NodeId): void {
    this.#links.askedAgain(node);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** To every node, on every link. */
  toAll(frame: Frame, byUnicastToo = false): void {
    this.#allByUnicastToo ||= byUnicastToo;
    this.#add(all, encodeFrame(frame), true);
  }

  /** To the other members of the view. */
  toMembers(frame: Frame): void {
    if (this.#members.length > 0) this.#add(members, encodeFrame(frame), false);
  }

  /** To the other members, on every link: for what is repeated. */
  toMembersEverywhere(frame: Frame): void {
    if (this.#members.length > 0) this.#add(membersEverywhere, encodeFrame(frame), false);
  }

  /** To every other node, as data: on one way each. */
  toEveryone(frame: Frame): void {
    this.#add(everyone, encodeFrame(frame), false);
  }

  /** To one node, on the best link. */
  toNode(node: NodeId, frame: Frame): void {
    this.#add(node, encodeFrame(frame), false);
  }

  /** To one node, on every link: for what a change of view waits for, and gap reports. */
  toNodeEverywhere(node: NodeId, frame: Frame): void {
    this.#add(everywhere + node, encodeFrame(frame), true);
  }

  /** To one node on one link: pings and probes, which are about the link. */
  onLink(link: number, node: NodeId, frame: Frame): void {
    this.#onLink.push({ link, to: node, frame: encodeFrame(frame) });
    this.#count += 1;
  }

  /** To where a datagram came from, whoever is known to be there. */
  toAddress(link: number, to: Address, frame: Frame): void {
    this.#onLink.push({ link, to, frame: encodeFrame(frame) });
    this.#count += 1;
  }

  #add(where: number, frame: Uint8Array, isMembership: boolean): void {
    if (this.#count >= outboxFrames && !isMembership) {
      this.#core.counters.add('framesDropped'); // data come again by their retransmission
      return;
    }
    const list = this.#frames.get(where);
    if (list === undefined) this.#frames.set(where, [frame]);
    else list.push(frame);
    this.#count += 1;
  }

  /** Seals and emits everything that waits. */
  flush(): void {
    if (this.#count === 0) return;
    if (this.#counter >= sessionDatagramsMax || this.#core.now - this.#sessionSince >= sessionMsMax) this.newSession();
    if (this.#describes !== this.#core.configuration) this.#describeSelf();
    const budget = this.#links.budget();
    for (const [where, frames] of this.#frames) this.#send(frames, budget, () => this.#targets(where));
    this.#frames.clear();
    for (const { link, to, frame } of this.#onLink) {
      const targets =
        typeof to === 'number'
          ? this.#links.toNodeEverywhere(to).filter((target) => target.link === link)
          : [{ link, to }];
      this.#send([frame], budget, () => targets);
    }
    this.#onLink = [];
    this.#count = 0;
    this.#allByUnicastToo = false;
  }

  #targets(where: number): Target[] {
    if (where === all) return this.#links.toAll(this.#allByUnicastToo);
    if (where === membersEverywhere) return this.#links.toMembersEverywhere(this.#members);
    if (where === everyone) return this.#links.toMembers(this.#core.nodes.filter((node) => node !== this.#core.self));
    if (where === members) return this.#links.toMembers(this.#members);
    return where >= everywhere ? this.#links.toNodeEverywhere(where - everywhere) : this.#links.toNode(where);
  }

  #send(frames: readonly Uint8Array[], budget: number, targets: () => readonly Target[]): void {
    let start = 0;
    while (start < frames.length) {
      let end = start;
      let size = 0;
      while (end < frames.length) {
        const next = (frames[end] as Uint8Array).length;
        if (end > start && size + next > budget) break;
        size += next;
        end += 1;
      }
      if (size + datagramOverhead <= datagramBytesMax) {
        for (const target of targets()) this.#seal(frames, start, end, size, target);
      } else this.#core.counters.add('framesDropped');
      start = end;
    }
  }

  #seal(frames: readonly Uint8Array[], start: number, end: number, size: number, { link, to }: Target): void {
    const { core, cipher } = { core: this.#core, cipher: this.#cipher };
    if (cipher === undefined) return;
    const bytes = freshBytes(headerBytes + prefixBytes + size + tagBytes);
    this.#counter += 1;
    bytes.set(this.#head);
    writeWay(bytes, link, this.#counter);
    let at = headerBytes + prefixBytes;
    for (let index = start; index < end; index++) {
      const frame = frames[index] as Uint8Array;
      bytes.set(frame, at);
      at += frame.length;
    }
    cipher.seal(bytes, prefixBytes + size, this.#counter);
    core.counters.add('datagramsSent');
    core.counters.add('bytesSent', bytes.length);
    core.emit({ type: 'transmit', link, to, bytes });
  }
}
