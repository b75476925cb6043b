/**
 * A member's way to its arbiters, without sockets and clocks: reports what the engine sees in sealed letters, opens the
 * answers, and makes of them the verdict that the engine counts.
 *
 * While the cluster changes its key each report goes under every key of the ring, so no vote is lost whichever the arbiter
 * knows. Its answers are under the first key of its own file: until that is the new one, the arbiter is behind, and the
 * cluster keeps the old key.
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
  readonly #options: ArbiterVoterOptions;
  /** By the id of the key; first the one that the cluster seals with. */
  #boxes: ReadonlyMap<number, LetterBox> = new Map();
  /** Id of the key under which each arbiter answered last. */
  readonly #answeredUnder = new Map<number, number>();
  #viewKey = '';

  constructor(options: ArbiterVoterOptions) {
    const { self, keys, arbiters, device } = options;
    this.#options = options;
    this.#client = new ArbiterClient({ self, arbiters, device });
    this.useKeys(keys);
  }

  /** The cluster's keys are others now. */
  useKeys(keys: readonly ClusterKey[]): void {
    const ordered = [...keys.filter(({ primary }) => primary), ...keys.filter(({ primary }) => !primary)];
    this.#boxes = new Map(ordered.map((key) => [key.id, this.#boxes.get(key.id) ?? this.#newBox(key)]));
  }

  #newBox(key: ClusterKey): LetterBox {
    const { cluster, self, incarnation, seal, random } = this.#options;
    const derived = { ...arbiterKey(key, cluster), primary: true };
    return new LetterBox({ clusterName: cluster, self, keys: [derived], incarnation, seal, random });
  }

  /** An arbiter answers under another key than the one that the cluster seals with. */
  get areBehind(): boolean {
    const [primary] = this.#boxes.keys();
    return [...this.#answeredUnder.values()].some((id) => id !== primary);
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
    for (const [keyId, box] of this.#boxes) {
      const letter = box.open(datagram);
      const verdict = letter.ok && letter.from === arbiterId ? decodeVerdict(letter.body) : undefined;
      if (verdict === undefined) continue;
      this.#answeredUnder.set(arbiter, keyId);
      return this.#step({ type: 'verdict', arbiter, verdict }, now);
    }
    return [];
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
    return this.#client.step(input, now).flatMap((effect): ArbiterVoterEffect[] => {
      if (effect.type === 'report') {
        const body = encodeReport(effect.report);
        return [...this.#boxes.values()].map((box) => ({
          type: 'letter',
          arbiter: effect.arbiter,
          datagram: box.close(body),
        }));
      }
      const { view, vote, leaseUntil, exclusiveAfterMs } = effect;
      return [{ type: 'deviceVerdict', view, vote, leaseUntil: instant(leaseUntil), exclusiveAfterMs }];
    });
  }
}
