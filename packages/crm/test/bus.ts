/**
 * Controllers of several nodes on one agreed order, without messaging: views and quorum are what the test says, and every
 * message is delivered to all members of the view in the order in which it was sent.
 */
import { type Cib, cibDigest, type ReplicaState } from '@systole/cib';
import { epoch, instant, seededRandom } from '@systole/kernel';
import type { Transition, TransitionAction } from '@systole/pe';
import {
  type Answer,
  Controller,
  type CrmEffect,
  type CrmInput,
  type DepartedMember,
  type Report,
} from '../src/index.ts';

export type Effect<Type extends CrmEffect['type']> = Extract<CrmEffect, { type: Type }>;

interface Node {
  readonly name: string;
  readonly incarnation: number;
  readonly controller: Controller;
  readonly effects: CrmEffect[];
}

interface Letter {
  readonly from: string;
  readonly effect: Effect<'send'>;
  readonly view: number;
}

export class Bus {
  readonly nodes = new Map<string, Node>();
  /** What the policy engine answers; by default that nothing is to be done. */
  plan: (cib: Cib) => Transition = () => transition([]);
  /** What the policy engine fails with, if it fails. */
  planFailure: string | undefined;
  now = 0;
  #letters: Letter[] = [];
  #view = { number: 0, members: [] as readonly string[] };
  #sequence = 0;
  #incarnation = 0;
  /** The number of the view that each node was last in. */
  readonly #came = new Map<string, number>();

  /** A node that starts, with what its disk had. */
  add(name: string, saved?: { readonly state: ReplicaState; readonly lineage: number }): void {
    this.#incarnation += 1;
    const controller = new Controller({
      self: name,
      incarnation: this.#incarnation,
      expectedNodes: [],
      random: seededRandom(7),
      wallClock: () => epoch(1_700_000_000_000 + this.now),
      ...(saved === undefined ? {} : { saved }),
      now: instant(this.now),
    });
    this.nodes.set(name, { name, incarnation: this.#incarnation, controller, effects: [] });
    this.#came.delete(name);
    this.give(name, { type: 'lrmReady', history: [] });
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  cib(name: string): Cib {
    return this.node(name).controller.cib;
  }

  members(names: readonly string[]): readonly { readonly name: string; readonly incarnation: number }[] {
    return names.map((name) => ({ name, incarnation: this.node(name).incarnation }));
  }

  /**
   * All members install and activate a view; `cause` says how those that are missing went. With `missedBy` the view is over
   * before these have activated it, and before anything was said in it.
   */
  view(
    names: readonly string[],
    options: {
      readonly cause?: string;
      readonly quorum?: 'held' | 'lost';
      readonly missedBy?: readonly string[];
    } = {},
  ): void {
    const { cause = 'lost', quorum = 'held', missedBy } = options;
    const before = this.#view;
    this.#letters = this.#letters.filter((letter) => {
      this.give(letter.from, { type: 'rejected', messageId: letter.effect.messageId, reason: 'viewEnded' });
      return false;
    });
    this.#view = { number: before.number + 1, members: names };
    this.#sequence = 0;
    for (const name of names) {
      const wasMember = before.members.includes(name) && this.#came.get(name) === before.number;
      const companions = wasMember ? names.filter((other) => this.#came.get(other) === before.number) : [name];
      const departed: DepartedMember[] = wasMember
        ? before.members
            .filter((other) => !names.includes(other))
            .map((other) => ({ name: other, incarnation: this.node(other).incarnation, cause }))
        : [];
      this.give(name, { type: 'viewEnding', survivors: companions });
      this.give(name, { type: 'viewInstalled', number: this.#view.number, members: this.members(names), departed });
    }
    for (const name of names) this.#came.set(name, this.#view.number);
    for (const name of names) {
      if (missedBy?.includes(name) === true) continue;
      this.give(name, { type: 'viewActive' });
      this.give(name, { type: 'quorum', state: quorum, reason: 'as the test says' });
    }
    if (missedBy === undefined) this.run();
  }

  /** One input to one node; what it sends waits in the order. */
  give(name: string, input: CrmInput): void {
    const node = this.node(name);
    for (const effect of node.controller.step(input, instant(this.now))) {
      node.effects.push(effect);
      if (effect.type === 'send') this.#letters.push({ from: name, effect, view: this.#view.number });
    }
  }

  /** Delivers and answers until nothing is under way. */
  run(): void {
    for (let turns = 0; turns < 1000; turns++) {
      const letter = this.#letters.shift();
      if (letter !== undefined) {
        this.#deliver(letter);
        continue;
      }
      if (!this.#answerSchedules()) return;
    }
    throw new Error('the controllers do not come to rest');
  }

  /** Delivers the next message of the order, and answers nothing. */
  deliverOne(): void {
    const letter = this.#letters.shift();
    if (letter === undefined) throw new Error('nothing is in the order');
    this.#deliver(letter);
  }

  #deliver({ from, effect }: Letter): void {
    this.#sequence += 1;
    for (const name of this.#view.members) {
      this.give(name, {
        type: 'delivered',
        from,
        position: { view: this.#view.number, sequence: this.#sequence },
        isTransitional: false,
        message: JSON.parse(JSON.stringify(effect.message)) as unknown,
        ...(name === from ? { messageId: effect.messageId } : {}),
      });
    }
  }

  readonly #answered = new Set<CrmEffect>();

  #answerSchedules(): boolean {
    for (const { name, effects } of this.nodes.values()) {
      const asked = effects.findLast((effect) => effect.type === 'schedule');
      if (asked?.type !== 'schedule' || this.#answered.has(asked) || !this.#view.members.includes(name)) continue;
      this.#answered.add(asked);
      const outcome =
        this.planFailure === undefined
          ? ({ type: 'transition', transition: this.plan(asked.cib) } as const)
          : ({ type: 'failed', message: this.planFailure } as const);
      this.give(name, { type: 'scheduled', scheduleId: asked.scheduleId, outcome });
      return true;
    }
    return false;
  }

  effects<Type extends CrmEffect['type']>(name: string, type: Type): readonly Effect<Type>[] {
    return this.node(name).effects.filter((effect): effect is Effect<Type> => effect.type === type);
  }

  answer(name: string, requestId: string): Answer | undefined {
    return this.effects(name, 'answer').find((effect) => effect.requestId === requestId)?.answer;
  }

  reports(name: string, event: string): readonly Report[] {
    return this.effects(name, 'report').filter((one) => one.event === event);
  }

  /** One digest, if the replicas of these nodes are the same. */
  digests(names: readonly string[]): ReadonlySet<string> {
    return new Set(names.map((name) => cibDigest(this.cib(name))));
  }

  /** An operator's change of an option. */
  setOption(name: string, requestId: string, option: string, value: string): void {
    const { version } = this.cib(name);
    const set = { id: `set-${option}`, pairs: [{ id: `set-${option}-1`, name: option, value }] };
    const edit = { type: 'insert', path: ['configuration', 'options'], value: set } as const;
    const request = { type: 'change', change: { base: version, edits: [edit] }, user: 'test' } as const;
    this.give(name, { type: 'request', requestId, request });
  }
}

export function transition(actions: readonly TransitionAction[], orderings: Transition['orderings'] = []): Transition {
  const settings = {
    clusterDelayMs: 60_000,
    fencingTimeoutMs: 60_000,
    batchLimit: 0,
    migrationLimit: -1,
    failedStopOffset: 1_000_000,
    failedStartOffset: 1_000_000,
  };
  return { settings, actions, orderings };
}

export const action = (node: string, operation: string, resource = 'web'): TransitionAction => ({
  kind: 'rsc',
  operation,
  key: `${resource}_${operation}_0`,
  node,
  resource,
  agent: 'ocf:systole:dummy',
  timeoutMs: 20_000,
  parameters: {},
  meta: {},
});
