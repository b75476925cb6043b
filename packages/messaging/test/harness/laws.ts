/**
 * The guarantees G1 … G9 of the protocol and the exclusiveness of quorum, checked on what the applications of all nodes
 * are told. A broken law is thrown as `LawBroken`; nothing here knows how the engine works.
 */
import type { Departure, EngineEffect, NodeId, View, ViewTag } from '../../src/surface.ts';

export class LawBroken extends Error {
  override readonly name = 'LawBroken';
}

const keyOf = ({ number, hash }: ViewTag): string => `${number}/${hash}`;
const textOf = (body: Uint8Array): string => Buffer.from(body.subarray(0, 24)).toString('latin1') + `#${body.length}`;

interface Submitted {
  readonly view: string;
  readonly node: NodeId;
  readonly life: string;
  fate: 'open' | 'accepted' | 'rejected';
}

/** One life of a node, as its application sees it. */
interface Life {
  readonly node: NodeId;
  readonly key: string;
  view: View | undefined;
  active: boolean;
  /** Messages delivered in the present view. */
  count: number;
  lastSequence: number;
  survivors: readonly NodeId[] | undefined;
  ended: boolean;
  readonly seen: Set<string>;
}

interface ViewRecord {
  readonly view: View;
  readonly log: { readonly sequence: number; readonly origin: NodeId; readonly text: string }[];
  readonly installedBy: Set<string>;
  /** Highest sequence delivered as safe or durable, not transitionally. */
  safe: number;
  /** Members that left the view regularly: the last sequence each delivered. */
  readonly left: Map<
    string,
    {
      readonly next: string;
      readonly last: number;
      readonly count: number;
      readonly survivors: string;
      readonly clean: string;
    }
  >;
}

interface Held {
  readonly view: ViewTag;
  readonly exclusiveFrom: number;
}

export class Laws {
  readonly #views = new Map<string, ViewRecord>();
  readonly #lives = new Map<string, Life>();
  readonly #messages = new Map<string, Submitted>();
  readonly #persisted = new Map<string, Set<NodeId>>();
  /** By life. */
  readonly #held = new Map<string, Held>();
  readonly #activeAt = new Map<string, number>();
  readonly #delivered = new Map<string, Set<string>>();
  readonly #quorum: number;
  deliveries = 0;
  installations = 0;

  constructor(nodes: number) {
    this.#quorum = Math.floor(nodes / 2) + 1;
  }

  #fail(law: string, text: string): never {
    throw new LawBroken(`${law}: ${text}`);
  }

  started(node: NodeId, life: string): void {
    this.#lives.set(life, {
      node,
      key: life,
      view: undefined,
      active: false,
      count: 0,
      lastSequence: 0,
      survivors: undefined,
      ended: false,
      seen: new Set(),
    });
  }

  crashed(life: string): void {
    this.#held.delete(life);
  }

  submitted(life: string, body: Uint8Array, tag: ViewTag | undefined): void {
    const { node } = this.#lives.get(life) as Life;
    this.#messages.set(textOf(body), { view: tag === undefined ? '' : keyOf(tag), node, life, fate: 'open' });
  }

  persisted(node: NodeId, view: ViewTag, sequence: number): void {
    const key = `${keyOf(view)}:${sequence}`;
    const nodes = this.#persisted.get(key) ?? new Set();
    this.#persisted.set(key, nodes.add(node));
  }

  fate(body: Uint8Array, fate: 'accepted' | 'rejected'): void {
    const message = this.#messages.get(textOf(body));
    if (message === undefined) return this.#fail('G8', `fate of an unknown message ${textOf(body)}`);
    if (message.fate !== 'open') this.#fail('G8', `${textOf(body)} is ${fate} after ${message.fate}`);
    message.fate = fate;
  }

  effect(life: string, effect: EngineEffect, now: number): void {
    const state = this.#lives.get(life) as Life;
    if (effect.type === 'view') {
      const twice = effect.departed.find(({ node }) => effect.view.members.some((member) => member.node === node));
      if (twice !== undefined) this.#fail('G2', `${life} loses and gains node ${twice.node} in one change`);
      this.#view(state, effect.view, effect.departed);
    } else if (effect.type === 'viewActive') {
      this.#activeAt.set(`${life}:${keyOf(effect.view)}`, now);
      this.#active(state, effect.view);
    } else if (effect.type === 'viewEnding') {
      if (keyOf(effect.view) !== keyOf((state.view as View).tag)) this.#fail('G4', `${life} ends a view it is not in`);
      state.survivors = effect.survivors;
    } else if (effect.type === 'deliver') this.#deliver(state, effect);
    else if (effect.type === 'quorum') {
      const { state: standing, view, exclusiveAfterMs = Number.POSITIVE_INFINITY } = effect.state;
      const activeAt = this.#activeAt.get(`${life}:${keyOf(view)}`) ?? now;
      this.#quorumState(life, standing === 'held' ? { view, exclusiveFrom: activeAt + exclusiveAfterMs } : undefined);
    }
  }

  #quorumState(life: string, held: Held | undefined): void {
    if (held === undefined) this.#held.delete(life);
    else this.#held.set(life, held);
  }

  /** Once a view says that it is alone, no node that runs may believe itself quorate in another. */
  exclusive(now: number, isRunning: (life: string) => boolean): void {
    for (const [node, held] of this.#held) {
      if (now <= held.exclusiveFrom) continue;
      for (const [other, { view }] of this.#held) {
        if (view.number < held.view.number && isRunning(other)) {
          this.#fail('quorum', `${node} is exclusive in ${keyOf(held.view)} while ${other} holds ${keyOf(view)}`);
        }
      }
    }
  }

  #view(life: Life, view: View, departed: readonly Departure[]): void {
    const key = keyOf(view.tag);
    const shape = JSON.stringify([view.members, view.protocol, view.features]);
    const known = this.#views.get(key);
    if (
      known !== undefined &&
      JSON.stringify([known.view.members, known.view.protocol, known.view.features]) !== shape
    ) {
      this.#fail('G1', `${key} differs at ${life.key}: ${shape}`);
    }
    const record = known ?? { view, log: [], installedBy: new Set(), safe: 0, left: new Map() };
    this.#views.set(key, record);
    if (life.view !== undefined && view.tag.number <= life.view.tag.number)
      this.#fail('G2', `${life.key} goes back to ${key}`);
    if (!view.members.some(({ node }) => node === life.node)) this.#fail('G2', `${life.key} is not in its view ${key}`);
    if (life.view !== undefined) this.#leave(life, life.view, key, departed);
    record.installedBy.add(life.key);
    this.installations += 1;
    life.view = view;
    life.active = false;
    life.count = 0;
    life.lastSequence = 0;
    life.survivors = undefined;
  }

  #leave(life: Life, from: View, next: string, departed: readonly Departure[]): void {
    const record = this.#views.get(keyOf(from.tag)) as ViewRecord;
    const survivors = JSON.stringify(life.survivors ?? null);
    const clean = JSON.stringify(departed.filter(({ cause }) => cause === 'left').map(({ node }) => node));
    if (life.survivors === undefined) this.#fail('G4', `${life.key} left ${keyOf(from.tag)} without viewEnding`);
    for (const [other, exit] of record.left) {
      if (exit.next !== next) continue;
      if (exit.count !== life.count || exit.last !== life.lastSequence) {
        this.#fail(
          'G4',
          `${life.key} delivered ${life.count} in ${keyOf(from.tag)}, ${other} ${exit.count}, both go to ${next}`,
        );
      }
      if (exit.survivors !== survivors)
        this.#fail('G4', `survivors of ${keyOf(from.tag)} differ: ${survivors}, ${exit.survivors}`);
      if (exit.clean !== clean)
        this.#fail('G4', `${life.key} has ${clean} leave ${keyOf(from.tag)} cleanly, ${other} ${exit.clean}`);
    }
    record.left.set(life.key, { next, last: life.lastSequence, count: life.count, survivors, clean });
    if (life.lastSequence < record.safe)
      this.#fail('G6', `${life.key} left ${keyOf(from.tag)} at ${life.lastSequence} without safe ${record.safe}`);
  }

  #lifeKeys(view: View): string[] {
    return view.members.map(({ node, incarnation }) => `${node}@${incarnation}`);
  }

  #active(life: Life, tag: ViewTag): void {
    if (life.view === undefined || keyOf(life.view.tag) !== keyOf(tag))
      this.#fail('G5', `${life.key} activates ${keyOf(tag)}, not its view`);
    const record = this.#views.get(keyOf(tag)) as ViewRecord;
    for (const member of this.#lifeKeys(record.view)) {
      if (!record.installedBy.has(member))
        this.#fail('G5', `${life.key} activates ${keyOf(tag)}, ${member} has not installed it`);
    }
    life.active = true;
  }

  #deliver(life: Life, effect: Extract<EngineEffect, { type: 'deliver' }>): void {
    this.deliveries += 1;
    const key = keyOf(effect.view);
    const text = textOf(effect.body);
    if (life.view === undefined || keyOf(life.view.tag) !== key)
      this.#fail('G9', `${life.key} delivers ${text} of ${key}`);
    if (!life.active) this.#fail('G5', `${life.key} delivers in inactive ${key}`);
    const message = this.#messages.get(text);
    if (message === undefined) return this.#fail('G3', `${text} was never submitted`);
    if (message.view !== key || message.node !== effect.origin)
      this.#fail('G9', `${text} of ${message.view} delivered in ${key}`);
    if (life.seen.has(text)) this.#fail('G3', `${life.key} delivers ${text} twice`);
    life.seen.add(text);

    const record = this.#views.get(key) as ViewRecord;
    const at = record.log[life.count];
    if (at === undefined) record.log.push({ sequence: effect.sequence, origin: effect.origin, text });
    else if (at.sequence !== effect.sequence || at.text !== text) {
      this.#fail('G3', `${life.key} delivers ${text} as ${effect.sequence}, others ${at.text} as ${at.sequence}`);
    }
    if (effect.sequence <= life.lastSequence)
      this.#fail('G3', `${life.key} goes back from ${life.lastSequence} to ${effect.sequence}`);
    life.count += 1;
    life.lastSequence = effect.sequence;
    const deliverers = this.#delivered.get(text) ?? new Set();
    this.#delivered.set(text, deliverers.add(life.key));

    if (effect.transitional || effect.service === 'agreed') return;
    record.safe = Math.max(record.safe, effect.sequence);
    for (const [other, exit] of record.left) {
      if (exit.last < effect.sequence)
        this.#fail('G6', `safe ${effect.sequence} of ${key} delivered, ${other} left at ${exit.last}`);
    }
    if (effect.service !== 'durable') return;
    const stored = this.#persisted.get(`${key}:${effect.sequence}`)?.size ?? 0;
    if (stored < this.#quorum)
      this.#fail('G7', `durable ${effect.sequence} of ${key} delivered, ${stored} have it on disk`);
  }

  /** At the end of a run: FIFO per origin, and fates. */
  finish(liveLives: ReadonlySet<string>): void {
    for (const [key, record] of this.#views) {
      const last = new Map<NodeId, number>();
      for (const { origin, text } of record.log) {
        const number = Number(/^m\d+\.\d+\.(\d+);/.exec(text)?.[1] ?? Number.NaN);
        if (number <= (last.get(origin) ?? -1)) this.#fail('G3', `${text} of ${key} is out of its origin's order`);
        last.set(origin, number);
      }
    }
    for (const [text, { view, life, fate }] of this.#messages) {
      const state = this.#lives.get(life) as Life;
      if (fate === 'open' && liveLives.has(life) && (state.view === undefined || keyOf(state.view.tag) !== view)) {
        this.#fail('G8', `the fate of ${text} is not known although its view ${view} is over`);
      }
      if (fate === 'accepted' && !this.#delivered.get(text)?.has(life))
        this.#fail('G8', `${text} was accepted and not delivered`);
      if (fate !== 'rejected') continue;
      const exit = this.#views.get(view)?.left.get(life);
      for (const other of this.#delivered.get(text) ?? []) {
        const otherExit = this.#views.get(view)?.left.get(other);
        if (exit !== undefined && otherExit?.next === exit.next) {
          this.#fail('G8', `${text} was rejected at ${life}, and ${other}, that moved on with it, delivered it`);
        }
      }
    }
  }
}
