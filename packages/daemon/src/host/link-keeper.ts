/**
 * Keeps the sockets of a node's links open while their addresses come and go. A link whose address or interface is not
 * there, at the start or later, is down until it is; then its sockets are opened anew and the group joined again (the
 * kernel forgets a membership with its interface).
 *
 * Node has no way to be told by the kernel, so it looks: each second, and at once when a send fails.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import { Link, type LinkSockets, type UdpEvents } from './udp.ts';

/** A link that is back is used within this time; looking costs a system call. */
const lookEveryMs = 1000;

export interface KeeperEvents extends UdpEvents {
  readonly changed: (link: number, up: boolean, mtu: number) => void;
  readonly problem: (text: string) => void;
}

interface Kept {
  readonly wanted: LinkSockets;
  link: Link | undefined;
  /** The address that the sockets are bound to. */
  address: string | undefined;
  /** What was said last, so that it is said once. */
  problem: string | undefined;
  isUp: boolean | undefined;
}

export class LinkKeeper {
  readonly #events: KeeperEvents;
  readonly #kept = new Map<number, Kept>();
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(events: KeeperEvents) {
    this.#events = {
      ...events,
      failed: (link, code) => {
        events.failed(link, code);
        this.look();
      },
    };
  }

  /** Opens, changes and closes sockets so that there are these; fulfilled when that was tried. */
  configure(wanted: readonly LinkSockets[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const [id, kept] of this.#kept) {
        const same = wanted.find(({ link }) => link === id);
        if (same !== undefined && JSON.stringify(same) === JSON.stringify(kept.wanted)) continue;
        kept.link?.close();
        this.#kept.delete(id);
      }
      for (const one of wanted) {
        if (this.#kept.has(one.link)) continue;
        const kept = { wanted: one, link: undefined, address: undefined, problem: undefined, isUp: undefined };
        this.#kept.set(one.link, kept);
        await this.#tend(kept);
      }
      this.#timer ??= setInterval(() => this.look(), lookEveryMs);
    });
  }

  /** What keeps a link from being open, by its id. */
  get problems(): ReadonlyMap<number, string> {
    return new Map([...this.#kept].flatMap(([id, { problem }]) => (problem === undefined ? [] : [[id, problem]])));
  }

  /** Its address or interface is not there yet. */
  isWaiting(link: number): boolean {
    const wanted = this.#kept.get(link)?.wanted;
    return wanted !== undefined && !isHere(wanted);
  }

  /** Looks whether addresses have gone or come back. */
  look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#inTurn(async () => {
      this.#isLooking = false;
      for (const kept of this.#kept.values()) await this.#tend(kept);
    });
  }

  send(link: number, to: Parameters<Link['send']>[0], bytes: Uint8Array): void {
    this.#kept.get(link)?.link?.send(to, bytes);
  }

  rejoin(link: number): void {
    this.#kept.get(link)?.link?.rejoin();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    for (const { link } of this.#kept.values()) link?.close();
    this.#kept.clear();
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(act);
    return this.#turn;
  }

  async #tend(kept: Kept): Promise<void> {
    const { wanted } = kept;
    const found = placeOf(wanted);
    if (kept.link !== undefined && found?.address !== kept.address) {
      kept.link.close();
      kept.link = undefined;
      kept.address = undefined;
    }
    if (found === undefined) return this.#down(kept, `${wanted.interface ?? wanted.address} is not on this machine`);
    if (kept.link === undefined) {
      try {
        kept.link = await Link.open({ ...wanted, address: found.address }, this.#events);
        kept.address = found.address;
      } catch (error) {
        return this.#down(kept, `it cannot be opened on ${found.address}: ${(error as Error).message}`);
      }
    }
    kept.problem = undefined;
    if (kept.isUp !== true) this.#events.changed(wanted.link, true, found.mtu);
    kept.isUp = true;
  }

  #down(kept: Kept, problem: string): void {
    const { link } = kept.wanted;
    if (kept.problem !== problem) this.#events.problem(`link ${link} is down: ${problem}`);
    kept.problem = problem;
    if (kept.isUp !== false) this.#events.changed(link, false, 0);
    kept.isUp = false;
  }
}

/** Whether the link's address or interface is on this machine. */
export const isHere = (wanted: LinkSockets): boolean => placeOf(wanted) !== undefined;

/** The address on this machine that the link is to use, with its interface's MTU; undefined if it is not there. */
function placeOf(wanted: LinkSockets): { readonly address: string; readonly mtu: number } | undefined {
  // All of 127/8 is here, though only one address is listed.
  if (wanted.interface === undefined && wanted.address.startsWith('127.'))
    return { address: wanted.address, mtu: mtuOf('lo') };
  const isVersion6 = isIPv6(wanted.group ?? wanted.address);
  for (const [name, list] of Object.entries(networkInterfaces())) {
    if (wanted.interface !== undefined && name !== wanted.interface) continue;
    const here = (list ?? []).find(({ address, family }) =>
      wanted.interface === undefined ? address === wanted.address : (family === 'IPv6') === isVersion6,
    );
    if (here !== undefined) return { address: here.address, mtu: mtuOf(name) };
  }
  return undefined;
}

const longestPacket = 65_535;

/** What is not known is no limit: the link's own setting counts. */
function mtuOf(device: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${device}/mtu`, 'utf8')) || longestPacket;
  } catch {
    return longestPacket; // not Linux, or just gone
  }
}
