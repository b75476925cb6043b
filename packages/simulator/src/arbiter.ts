/**
 * The arbiter on a third site: its real core, with a clock, a disk and a network path of its own. It can be down, lose
 * its path to some of the nodes, and start again with what it had written. A grant is on disk before it is told.
 */
import { seededRandom } from '@systole/kernel';
import { arbiterId, arbiterKey, type ClusterKey, LetterBox, type NodeId, type Seal } from '@systole/messaging';
import { type ArbiterEffect, ArbiterServer, decodeReport, encodeVerdict, type GrantRecord } from '@systole/quorum';
import type { Agenda } from './agenda.ts';
import { clusterKeys, clusterName } from './cluster-configuration.ts';
import { between, draw } from './draw.ts';
import { arbiterAddress, type Network } from './network.ts';

/** A flush of its disk takes up to so long. */
const SAVE_MAX_MS = 20;

export interface ArbiterParts {
  readonly seed: number;
  readonly agenda: Agenda;
  readonly network: Network;
  readonly seal: Seal;
}

/** One life of it. */
interface Session {
  readonly server: ArbiterServer;
  readonly letters: LetterBox;
  readonly machines: Map<NodeId, number>;
  /** Effects that wait for a record to be on disk. */
  held: ArbiterEffect[] | undefined;
  wakeAt: number;
}

export class Arbiter {
  readonly #parts: ArbiterParts;
  readonly #ppm: number;
  #saved: GrantRecord | undefined;
  #session: Session | undefined;
  #starts = 0;
  /** Its key file: the first is sealed with. */
  #keys: readonly ClusterKey[] = clusterKeys.map((key) => arbiterKey(key, clusterName));

  constructor(parts: ArbiterParts) {
    this.#parts = parts;
    this.#ppm = between(-200, 200, parts.seed, 'arbiterPpm');
    this.start();
  }

  get isUp(): boolean {
    return this.#session !== undefined;
  }

  start(): void {
    if (this.#session !== undefined) return;
    const { seed, seal } = this.#parts;
    this.#starts += 1;
    const letters = new LetterBox({
      clusterName,
      self: arbiterId,
      keys: this.#keys,
      incarnation: 1_000_000 + this.#now(),
      seal,
      random: seededRandom(draw(seed, 'arbiter', this.#starts)),
    });
    const server = new ArbiterServer(this.#saved, this.#now());
    this.#session = { server, letters, machines: new Map(), held: undefined, wakeAt: Infinity };
  }

  get keyId(): number | undefined {
    return this.#keys[0]?.id;
  }

  /** A person puts what is derived from the cluster's key first into its key file, and restarts it. */
  putKey(key: ClusterKey): void {
    const others = this.#keys.filter(({ id }) => id !== key.id).map((other) => ({ ...other, primary: false }));
    this.#keys = [{ ...arbiterKey(key, clusterName), primary: true }, ...others];
    if (this.#session === undefined) return;
    this.stop();
    this.start();
  }

  /** What is not on disk yet is lost. */
  stop(): void {
    this.#session = undefined;
  }

  arrived(from: number, datagram: Uint8Array): void {
    const session = this.#session;
    const letter = session?.letters.open(datagram);
    const report = letter?.ok === true ? decodeReport(letter.body) : undefined;
    if (session === undefined || letter?.ok !== true || report?.node !== letter.from) return;
    session.machines.set(letter.from, from);
    this.#carryOut(session, session.server.step({ type: 'report', report }, this.#now()));
    this.#arm(session);
  }

  #carryOut(session: Session, effects: readonly ArbiterEffect[]): void {
    const { agenda, network, seed } = this.#parts;
    for (const effect of effects) {
      if (session.held !== undefined) {
        session.held.push(effect);
        continue;
      }
      if (effect.type === 'save') {
        session.held = [];
        agenda.after(between(1, SAVE_MAX_MS, seed, 'arbiterSave', effect.record.grantNumber), () => {
          if (this.#session !== session) return;
          this.#saved = effect.record;
          const held = session.held ?? [];
          session.held = undefined;
          this.#carryOut(session, held);
        });
        continue;
      }
      const to = session.machines.get(effect.to);
      if (to !== undefined)
        network.unicast(arbiterAddress, 0, to, session.letters.close(encodeVerdict(effect.verdict)));
    }
  }

  #arm(session: Session): void {
    const { agenda } = this.#parts;
    const at = session.server.wakeAt(this.#now());
    if (at === undefined || at >= session.wakeAt) return;
    session.wakeAt = at;
    agenda.after(Math.max(1, Math.ceil((at - this.#now()) / (1 + this.#ppm / 1_000_000))), () => {
      if (this.#session !== session || session.wakeAt !== at) return;
      session.wakeAt = Infinity;
      this.#carryOut(session, session.server.step({ type: 'tick' }, this.#now()));
      this.#arm(session);
    });
  }

  #now(): number {
    const { now } = this.#parts.agenda;
    return 1000 + now + Math.floor((now * this.#ppm) / 1_000_000);
  }
}
