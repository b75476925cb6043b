/**
 * The virtual network: datagrams from one machine to others over several links, with everything that goes wrong on the
 * way: loss, duplication, delay with spikes, cuts in one direction, clogging (held and released in a drawn order),
 * deafness to multicast, a smaller path, flipped bits, and recorded datagrams replayed by a stranger.
 */
import type { Agenda } from './agenda.ts';
import { between, draw, share } from './draw.ts';
import { spoilTag } from './fast-seal.ts';

export interface Datagram {
  readonly from: number;
  readonly link: number;
  readonly via: 'multicast' | 'unicast';
  readonly bytes: Uint8Array;
}

/** How bad the weather is, on every path. Shares from 0 to 1. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  /** Share of datagrams that come late by up to `spikeMs`. */
  readonly spikes: number;
  readonly spikeMs: number;
  readonly corruption: number;
}

export const calm: Weather = { loss: 0, duplication: 0, spikes: 0, spikeMs: 0, corruption: 0 };

/** Where a machine is reached on a link, and which machine is reached there. */
export const hostOf = (machine: number, link: number): Address => ({ host: `10.${link}.0.${machine}`, port: PORT });
export const numberOf = ({ host }: Address): number => Number(host.split('.')[3]);

/** The arbiter's place beside the machines. */
export const arbiterAddress = 63;

interface Address {
  readonly host: string;
  readonly port: number;
}

const PORT = 5405;
const LINKS = 8;
const NODES = 64;
const RECORDED_MAX = 64;

export class Network {
  readonly #seed: number;
  readonly #agenda: Agenda;
  readonly #nodes: readonly number[];
  readonly #arrive: (to: number, datagram: Datagram) => void;
  /** Until when each path (from, to, link) carries nothing. */
  readonly #cut = new Map<number, number>();
  readonly #clogged = new Map<number, { readonly until: number; readonly held: (() => void)[] }>();
  readonly #noMulticast = new Map<number, number>();
  readonly #counters = new Int32Array(NODES * NODES * LINKS);
  readonly #recorded: { readonly to: number; readonly datagram: Datagram }[] = [];
  #weather: Weather = calm;
  #mtu = Infinity;
  /** Datagrams sent, and of those delivered. */
  sent = 0;
  delivered = 0;

  constructor(
    seed: number,
    agenda: Agenda,
    nodes: readonly number[],
    arrive: (to: number, datagram: Datagram) => void,
  ) {
    this.#seed = seed;
    this.#agenda = agenda;
    this.#nodes = nodes;
    this.#arrive = arrive;
  }

  multicast(from: number, link: number, bytes: Uint8Array): void {
    for (const to of this.#nodes) if (to !== from) this.#send(to, { from, link, via: 'multicast', bytes });
  }

  unicast(from: number, link: number, to: number, bytes: Uint8Array): void {
    if (to !== from) this.#send(to, { from, link, via: 'unicast', bytes });
  }

  // --- faults -----------------------------------------------------------------------------------------------------

  weather(weather: Weather): void {
    this.#weather = weather;
  }

  /** Nothing passes from any of `from` to any of `to`, on one link or on all, for so long. */
  cut(from: readonly number[], to: readonly number[], durationMs: number, link?: number): void {
    const until = this.#agenda.now + durationMs;
    for (const path of this.#paths(from, to, link)) this.#cut.set(path, Math.max(until, this.#cut.get(path) ?? 0));
  }

  /** Holds what is sent, then releases it at once in a drawn order. */
  clog(from: readonly number[], to: readonly number[], durationMs: number): void {
    const until = this.#agenda.now + durationMs;
    const held: (() => void)[] = [];
    for (const path of this.#paths(from, to, undefined)) this.#clogged.set(path, { until, held });
    this.#agenda.at(until, () => {
      const order = held.map((release, index) => ({ release, rank: draw(this.#seed, 'unclog', until, index) }));
      order.sort((a, b) => a.rank - b.rank);
      for (const { release } of order) release();
    });
  }

  loseMulticast(node: number, durationMs: number): void {
    this.#noMulticast.set(node, this.#agenda.now + durationMs);
  }

  /** Datagrams above so many bytes vanish. */
  limit(mtu: number): void {
    this.#mtu = mtu;
  }

  /** A stranger sends again what was recorded. */
  replay(): void {
    for (const { to, datagram } of this.#recorded) {
      this.#agenda.after(between(0, 20, this.#seed, 'replay', to, this.#agenda.now), () => this.#arrive(to, datagram));
    }
  }

  /** Everything works again. */
  heal(): void {
    this.#cut.clear();
    this.#clogged.clear();
    this.#noMulticast.clear();
    this.#weather = calm;
    this.#mtu = Infinity;
  }

  /** Whether datagrams pass from one to the other on some link, weather apart. */
  isOpen(from: number, to: number, links: number): boolean {
    for (let link = 0; link < links; link += 1) {
      if ((this.#cut.get(pathOf(from, to, link)) ?? 0) <= this.#agenda.now) return true;
    }
    return false;
  }

  // --- inside -----------------------------------------------------------------------------------------------------

  #send(to: number, datagram: Datagram): void {
    const { from, link, bytes, via } = datagram;
    const now = this.#agenda.now;
    const path = pathOf(from, to, link);
    const count = (this.#counters[path] = (this.#counters[path] ?? 0) + 1);
    this.sent += 1;
    if (this.#cut.size > 0 && (this.#cut.get(path) ?? 0) > now) return;
    if (bytes.byteLength + 28 > this.#mtu) return;
    if (via === 'multicast' && (this.#noMulticast.get(to) ?? 0) > now) return;
    const { loss, duplication, spikes, spikeMs, corruption } = this.#weather;
    if (loss > 0 && share(this.#seed, 'loss', path, count) < loss) return;
    const chance = draw(this.#seed, 'delay', path, count);
    // A switched LAN, seen in whole milliseconds: mostly the next one, now and then two or three later.
    let delay = chance % 16 === 0 ? 3 : chance % 4 === 0 ? 2 : 1;
    if (spikes > 0 && share(this.#seed, 'spike', path, count) < spikes)
      delay += between(1, spikeMs, this.#seed, 'spikeMs', path, count);
    const arriving =
      corruption > 0 && share(this.#seed, 'corrupt', path, count) < corruption
        ? { ...datagram, bytes: this.#flipped(bytes, path, count) }
        : datagram;
    if (chance % 4096 === 1 && this.#recorded.length < RECORDED_MAX) this.#recorded.push({ to, datagram });
    const deliver = (): void => {
      this.delivered += 1;
      this.#arrive(to, arriving);
    };
    const clog = this.#clogged.size > 0 ? this.#clogged.get(path) : undefined;
    if (clog !== undefined && clog.until > now) clog.held.push(deliver);
    else this.#agenda.after(delay, deliver);
    if (duplication > 0 && share(this.#seed, 'twice', path, count) < duplication)
      this.#agenda.after(delay + between(0, 30, this.#seed, 'twiceMs', path, count), deliver);
  }

  #flipped(bytes: Uint8Array, path: number, count: number): Uint8Array {
    const copy = bytes.slice();
    const at = draw(this.#seed, 'flip', path, count) % Math.max(1, copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << (draw(this.#seed, 'flipBit', path, count) % 8));
    spoilTag(copy);
    return copy;
  }

  *#paths(from: readonly number[], to: readonly number[], link: number | undefined): Generator<number> {
    for (const a of from) {
      for (const b of to) {
        if (a === b) continue;
        for (let each = 0; each < LINKS; each += 1) if (link === undefined || link === each) yield pathOf(a, b, each);
      }
    }
  }
}

const pathOf = (from: number, to: number, link: number): number => (from * NODES + to) * LINKS + link;
