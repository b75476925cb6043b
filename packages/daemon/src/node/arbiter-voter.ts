/**
 * A member's way to its arbiters, without sockets and clocks: reports what the engine sees in sealed letters, opens the
 * answers, and makes of them the verdict that the engine counts.
 */
import { type Instant, instant, type Random } from '@systole/kernel';
import {
  arbiterId,
  arbiterKey,
  type ClusterKey,
  type EngineInput,
  type EngineStatus,
  LetterBox,
  type NodeId,
  type Seal,
} from '@systole/messaging';
import {
  ArbiterClient,
  type ArbiterClientInput,
  type DeviceOptions,
  decodeVerdict,
  encodeReport,
} from '@systole/quorum';

export interface ArbiterVoterOptions {
  readonly cluster: string;
  readonly self: NodeId;
  /** The cluster's keys; what the arbiters hold is derived here. */
  readonly keys: readonly ClusterKey[];
  /** How many there are; a majority of them must grant. */
  readonly arbiters: number;
  readonly device: DeviceOptions;
  readonly incarnation: number;
  readonly seal: Seal;
  readonly random: Random;
}

export type ArbiterVoterEffect =
  | { readonly type: 'letter'; readonly arbiter: number; readonly datagram: Uint8Array }
  /** For the engine. */
  | Extract<EngineInput, { type: 'deviceVerdict' }>;

export class ArbiterVoter {
  readonly #client: ArbiterClient;
  readonly #letters: LetterBox;
  #viewKey = '';

  constructor({ cluster, self, keys, arbiters, device, incarnation, seal, random }: ArbiterVoterOptions) {
    this.#client = new ArbiterClient({ self, arbiters, device });
    const derived = keys.map((key) => arbiterKey(key, cluster));
    this.#letters = new LetterBox({ clusterName: cluster, self, keys: derived, incarnation, seal, random });
  }

  /** To be told whenever the engine's view, its activity or its base may have changed. Undefined: it has not. */
  look({ view, active, memory }: EngineStatus, now: Instant): readonly ArbiterVoterEffect[] | undefined {
    const key = `${view.tag.number}/${view.tag.hash}/${active}/${memory.base.generation}.${memory.base.revision}/${memory.lineage}`;
    if (key === this.#viewKey) return undefined;
    this.#viewKey = key;
    return this.#step(
      {
        type: 'view',
        view: view.tag,
        members: view.members.map(({ node }) => node),
        active,
        base: memory.base,
        lineage: Math.max(memory.lineage, ...view.members.map(({ lineage }) => lineage)),
      },
      now,
    );
  }

  /** What came from an arbiter; whatever is not its letter changes nothing. */
  received(arbiter: number, datagram: Uint8Array, now: Instant): readonly ArbiterVoterEffect[] {
    const letter = this.#letters.open(datagram);
    const verdict = letter.ok && letter.from === arbiterId ? decodeVerdict(letter.body) : undefined;
    return verdict === undefined ? [] : this.#step({ type: 'verdict', arbiter, verdict }, now);
  }

  /** Whether the operator's commands have all succeeded. */
  heuristics(result: 'pass' | 'fail', now: Instant): readonly ArbiterVoterEffect[] {
    return this.#step({ type: 'heuristics', result }, now);
  }

  tick(now: Instant): readonly ArbiterVoterEffect[] {
    return this.#step({ type: 'tick' }, now);
  }

  /** When `tick` is due; undefined before the first view. */
  wakeAt(): Instant | undefined {
    const at = this.#client.wakeAt();
    return at === undefined ? undefined : instant(at);
  }

  #step(input: ArbiterClientInput, now: Instant): readonly ArbiterVoterEffect[] {
    return this.#client.step(input, now).map((effect): ArbiterVoterEffect => {
      if (effect.type === 'report') {
        const datagram = this.#letters.close(encodeReport(effect.report));
        return { type: 'letter', arbiter: effect.arbiter, datagram };
      }
      const { view, vote, leaseUntil, exclusiveAfterMs } = effect;
      return { type: 'deviceVerdict', view, vote, leaseUntil: instant(leaseUntil), exclusiveAfterMs };
    });
  }
}
