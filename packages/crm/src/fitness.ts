/**
 * What speaks against planning now: the questions a DC asks itself before it hands the CIB to the policy engine.
 *
 * A plan made from half a picture does harm: a node that is only booting gets fenced, a service that runs on a member
 * which has not told yet is started a second time. So the DC waits, but never for ever: each obstacle either announces
 * its own end (an input that leads here again), or has a patience after which it no longer counts.
 */
import type { Cib } from '@systole/cib';
import { elapsed, type Instant } from '@systole/kernel';
import type { CrmOptions } from './contract.ts';
import type { ControllerMessage } from './messages.ts';
import { booleanOption, clusterOption, durationOption } from './options.ts';
import type { QuorumState } from './own-quorum.ts';
import { isJoined, nodeState } from './status/node-state.ts';
import type { View } from './view.ts';

const joinPatienceMs = 1000; // a member that has not said what runs on it delays planning no longer than this
const startupPatienceMs = 20_000; // dc-deadtime: nodes unseen since the cluster started may still be booting

/** The author of changes that the cluster makes itself. */
export const registrar = 'systole';

/** The partition as its DC sees it at one instant. */
export interface Situation {
  readonly cib: Cib;
  readonly view: View | undefined;
  readonly quorum: QuorumState;
  /** When this life of the daemon was in a quorate partition for the first time. */
  readonly firstQuorateAt: Instant | undefined;
  /** From then on no other partition believes itself quorate. */
  readonly exclusiveAt: Instant | undefined;
  /** Actions of an old transition are still under way. */
  readonly isFinishing: boolean;
  /** So long the DC wants to rest between two transitions. */
  readonly breathLeftMs: number;
  readonly now: Instant;
}

/** `clear`: plan. `wait`: look again after so long. `announced`: the end of it will be an input. */
export type Obstacle =
  | { readonly type: 'clear' }
  | { readonly type: 'wait'; readonly delayMs: number }
  | { readonly type: 'announced'; readonly ask?: ControllerMessage };

const clear: Obstacle = { type: 'clear' };
const announced: Obstacle = { type: 'announced' };

export class Fitness {
  readonly #options: Pick<CrmOptions, 'expectedNodes' | 'wallClock'>;
  /** The view in which unknown nodes are being entered into the configuration. */
  #registeringIn: number | undefined;

  constructor(options: Pick<CrmOptions, 'expectedNodes' | 'wallClock'>) {
    this.#options = options;
  }

  /**
   * It has been entered, or a change was refused: from now on what is missing is entered again. (A member that an operator
   * takes out of the configuration is not planned without: simulator, seed 30290.)
   */
  registrationEnded(): void {
    this.#registeringIn = undefined;
  }

  obstacle(situation: Situation): Obstacle {
    const { cib, view, quorum, isFinishing, now } = situation;
    if (view?.agreedAt === undefined || quorum === 'unknown' || quorum === 'uncertain') return announced;
    if (isFinishing) return announced;
    if (situation.breathLeftMs > 0) return { type: 'wait', delayMs: situation.breathLeftMs };
    const isJoining = view.members.some(({ name, incarnation }) => !isJoined(cib, name, incarnation));
    const joinMs = joinPatienceMs - elapsed(view.agreedAt, now);
    if (isJoining && joinMs > 0) return { type: 'wait', delayMs: joinMs };
    // Nobody can be entered without quorum. Where services may be started all the same, what runs on a member that is
    // unknown would be started a second time: the next quorum, view or change leads here again.
    if (quorum !== 'held') return isQuorumIgnored(cib) && unknownOf(cib, namesIn(view)).length > 0 ? announced : clear;
    const missing = unknownOf(cib, [...this.#options.expectedNodes, ...namesIn(view)]);
    if (missing.length > 0) return this.#register(missing, cib, view);
    const patienceMs = unseenPatienceMs(situation) ?? exclusivePatienceMs(situation);
    return patienceMs === undefined ? clear : { type: 'wait', delayMs: patienceMs };
  }

  /** Asks for them to be entered, once until that is decided; the change, when it is delivered, leads here again. */
  #register(missing: readonly string[], cib: Cib, view: View): Obstacle {
    if (this.#registeringIn === view.number) return announced;
    this.#registeringIn = view.number;
    let last = cib.configuration.nodes.at(-1)?.id;
    const edits = missing.map((name) => {
      const behind = last === undefined ? {} : { behind: last };
      last = name;
      const value = { id: name, name, attributes: [], utilization: [] };
      return { type: 'insert', path: ['configuration', 'nodes'], ...behind, value } as const;
    });
    const at = Math.floor(this.#options.wallClock() / 1000);
    const command = `enter ${missing.join(' ')}`;
    const ask = { type: 'change', change: { base: cib.version, edits }, user: registrar, command, at } as const;
    return { type: 'announced', ask };
  }
}

const isQuorumIgnored = (cib: Cib): boolean => clusterOption(cib, 'no-quorum-policy') === 'ignore';

const namesIn = ({ members }: View): readonly string[] => members.map(({ name }) => name);

/** Those of the nodes that the configuration does not know, each once. */
function unknownOf({ configuration }: Cib, names: readonly string[]): readonly string[] {
  const known = new Set(configuration.nodes.map(({ name }) => name));
  return [...new Set(names)].filter((name) => !known.has(name));
}

/** Nodes never seen since the cluster started may be booting; only after a while are they taken for lost. */
function unseenPatienceMs({ cib, firstQuorateAt, now }: Situation): number | undefined {
  const isUnseen = cib.configuration.nodes.some(
    ({ name, type }) => type !== 'remote' && type !== 'ping' && nodeState(cib, name) === undefined,
  );
  if (!isUnseen || firstQuorateAt === undefined) return undefined;
  const leftMs = durationOption(cib, startupPatienceMs, 'dc-deadtime') - elapsed(firstQuorateAt, now);
  return leftMs > 0 ? leftMs : undefined;
}

/** Without fencing, the only proof that a lost node has given up is the time after which it must have. */
function exclusivePatienceMs({ cib, exclusiveAt, now }: Situation): number | undefined {
  if (exclusiveAt === undefined || booleanOption(cib, true, 'fencing-enabled', 'stonith-enabled')) return undefined;
  const leftMs = elapsed(now, exclusiveAt);
  return leftMs > 0 ? leftMs : undefined;
}
