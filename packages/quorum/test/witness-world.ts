/** A shared disk and an HTTP object in virtual time: delays, hanging paths, torn writes, clocks that run unlike. */
import { type Random, seededRandom } from '@systole/kernel';
import type { Base, NodeId } from '../src/base.ts';
import type { DeviceOptions } from '../src/options.ts';
import type { WitnessVerdict, WitnessView } from '../src/witness/claim.ts';
import { DISK_LEASE_MS, type DiskEffect, type DiskInput, DiskWitness } from '../src/witness/disk.ts';
import { type HttpEffect, type HttpInput, HttpWitness } from '../src/witness/http.ts';
import { SLOT_BYTES } from '../src/witness/slot.ts';

const device = (more: Partial<DeviceOptions> = {}): DeviceOptions => ({
  kind: 'disk',
  votes: 1,
  algorithm: 'ffsplit',
  tieBreaker: 'lowest',
  ...more,
});

export const baseOf = (nodes: readonly NodeId[]): Base => ({
  generation: 0,
  revision: 0,
  voters: nodes.map((node) => ({ node, votes: 1 })),
  deviceVotes: 1,
});

export const viewOf = (number: number, members: readonly NodeId[], base: Base, active = true): WitnessView => ({
  type: 'view',
  view: { number, hash: number * 7 + (members[0] ?? 0) },
  members,
  active,
  base,
});

type Input = DiskInput | HttpInput;
type Effect = DiskEffect | HttpEffect;
interface Witness {
  step(input: Input, now: number): readonly Effect[];
  wakeAt(): number | undefined;
}

export interface Grant {
  readonly node: NodeId;
  readonly view: number;
  /** True time. */
  readonly at: number;
  readonly until: number;
  readonly exclusiveAfterMs: number;
}

interface Client {
  readonly id: NodeId;
  life: number;
  witness: Witness | undefined;
  /** How fast its clock runs; it shows `now × rate`. */
  readonly rate: number;
  wakeAt: number;
  isHung: boolean;
}

export class WitnessWorld {
  readonly random: Random;
  readonly kind: 'disk' | 'http';
  readonly nodes: readonly NodeId[];
  readonly slots: Uint8Array[];
  object: { readonly etag: string; readonly body: string } | undefined;
  #etags = 0;
  now = 10_000;
  latencyMs = 5;
  readonly grants: Grant[] = [];
  readonly verdicts: (WitnessVerdict & { readonly node: NodeId })[] = [];
  readonly #clients = new Map<NodeId, Client>();
  #events: { readonly at: number; readonly run: () => void }[] = [];
  readonly #device: DeviceOptions;

  constructor(kind: 'disk' | 'http', nodes: readonly NodeId[], seed = 1, settings: Partial<DeviceOptions> = {}) {
    this.kind = kind;
    this.nodes = nodes;
    this.random = seededRandom(seed);
    this.#device = device({ kind, ...settings });
    this.slots = nodes.map(() => new Uint8Array(SLOT_BYTES));
    for (const id of nodes) {
      const rate = 1 + (this.random.integer(11) - 5) / 100;
      this.#clients.set(id, { id, life: 0, witness: undefined, rate, wakeAt: Infinity, isHung: false });
      this.start(id);
    }
  }

  #client(id: NodeId): Client {
    return this.#clients.get(id) as Client;
  }

  isUp(id: NodeId): boolean {
    return this.#client(id).witness !== undefined;
  }

  start(id: NodeId): void {
    const client = this.#client(id);
    client.life += 1;
    const common = { self: id, incarnation: client.life, device: this.#device };
    client.witness = this.kind === 'disk' ? new DiskWitness(common) : new HttpWitness({ ...common, cluster: 'demo' });
  }

  /** The machine is gone; what it was writing is written, torn or not. */
  crash(id: NodeId): void {
    const client = this.#client(id);
    client.life += 1;
    client.witness = undefined;
    client.wakeAt = Infinity;
  }

  tear(id: NodeId): void {
    const slot = this.slots[this.nodes.indexOf(id)];
    if (slot !== undefined && slot.some((byte) => byte !== 0)) slot.fill(0xee, 512, 1024);
  }

  /** Its path swallows what it asks, and gives it on when the path is mended, however much later. */
  hang(id: NodeId, isHung: boolean): void {
    this.#client(id).isHung = isHung;
  }

  view(id: NodeId, view: WitnessView): void {
    this.#give(this.#client(id), view);
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#clients.values()].filter(({ wakeAt }) => wakeAt <= end);
      const next = Math.min(end, ...this.#events.map(({ at }) => at), ...due.map(({ wakeAt }) => wakeAt));
      this.now = Math.max(this.now, next);
      const index = this.#events.findIndex(({ at }) => at <= this.now);
      if (index >= 0) {
        this.#events.splice(index, 1)[0]?.run();
        continue;
      }
      const client = due.find(({ wakeAt }) => wakeAt <= this.now);
      if (client === undefined) {
        if (this.now >= end) return;
        continue;
      }
      client.wakeAt = Infinity;
      this.#give(client, { type: 'tick' });
    }
  }

  /** At no true moment do two nodes hold the vote. */
  checkExclusive(): void {
    for (const [index, a] of this.grants.entries()) {
      for (const b of this.grants.slice(index + 1)) {
        if (a.node !== b.node && b.at < a.until && a.at < b.until)
          throw new Error(`${a.node} holds the vote from ${a.at} to ${a.until}, ${b.node} from ${b.at} to ${b.until}`);
      }
    }
  }

  #clock = ({ rate }: Client): number => Math.floor(this.now * rate);

  #give(client: Client, input: Input): void {
    const effects = client.witness?.step(input, this.#clock(client)) ?? [];
    for (const effect of effects) this.#carryOut(client, effect);
    const wakeAt = client.witness?.wakeAt();
    client.wakeAt = wakeAt === undefined ? Infinity : Math.max(this.now + 1, Math.ceil(wakeAt / client.rate));
  }

  #carryOut(client: Client, effect: Effect): void {
    if (effect.type === 'deviceVerdict') {
      this.verdicts.push({ ...effect, node: client.id });
      if (effect.vote !== 'grant') return;
      const { view, exclusiveAfterMs } = effect;
      const until = Math.floor(effect.leaseUntil / client.rate);
      this.grants.push({ node: client.id, view: view.number, at: this.now, until, exclusiveAfterMs });
      return;
    }
    this.#reach(client, () => this.#answer(client.id, effect));
  }

  /** There, done at once, and back. A hung path holds the request on the way. */
  #reach(client: Client, act: () => Input): void {
    const { life } = client;
    const there = 1 + this.random.integer(this.latencyMs);
    const arrive = (): void => {
      if (client.isHung) {
        this.#events.push({ at: this.now + 50, run: arrive });
        return;
      }
      const answer = act();
      const back = (): void => {
        if (client.life === life) this.#give(client, answer);
      };
      this.#events.push({ at: this.now + 1 + this.random.integer(this.latencyMs), run: back });
    };
    this.#events.push({ at: this.now + there, run: arrive });
  }

  #answer(id: NodeId, effect: Exclude<Effect, WitnessVerdict>): Input {
    switch (effect.type) {
      case 'readAll':
        return { type: 'read', nodes: this.nodes, slots: this.slots.map((slot) => Uint8Array.from(slot)) };
      case 'write':
        this.slots[this.nodes.indexOf(id)] = Uint8Array.from(effect.bytes);
        return { type: 'written' };
      case 'get':
        return { type: 'read', etag: this.object?.etag, body: this.object?.body ?? '' };
      case 'put': {
        if (this.object?.etag !== effect.ifEtag) return { type: 'changed' };
        this.object = { etag: `"${(this.#etags += 1)}"`, body: effect.body };
        return { type: 'written', etag: this.object.etag };
      }
    }
  }
}

/** The longest a lease of either kind lasts, with all margins. */
export const longest = { disk: 2 * DISK_LEASE_MS, http: 30_000 } as const;
