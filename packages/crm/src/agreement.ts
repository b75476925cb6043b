/**
 * The way from a new view to one CIB on all its members, and to a DC that each of them knows.
 *
 *   viewInstalled   departures enter the status (all survivors do the same)
 *   viewActive      all came from one view together → agreed at once; else `hello`, then the newest CIB as `state`
 *   agreed          one CIB everywhere; what was delivered meanwhile is applied now; the DC is known to all
 *
 * While a view is not agreed nothing is applied: messages wait, in their order. So a `state` is at its delivery what it
 * was at its sending, and no member applies a change to a CIB that others do not have.
 */
import { type Cib, compareVersions, formatVersion, type Replica } from '@systole/cib';
import type { Filling, Instant } from '@systole/kernel';
import { reconciled } from './apply.ts';
import type { CrmEffect, CrmInput, CrmOptions, Position } from './contract.ts';
import type { ControllerMessage, Hello } from './messages.ts';
import { report } from './narration.ts';
import type { Outbox } from './outbox.ts';
import type { OwnLife } from './own-life.ts';
import { donorOf, leaderOf } from './sync.ts';
import { candidates, type View } from './view.ts';

/** What this program's controllers can do; raised when a message or its effect on the CIB changes. */
export const featureSet = 1;

/** So many messages wait for agreement; beyond it the view is of no use, and we say so. */
const bufferedMax = 16_384;

export interface Delivered {
  readonly from: string;
  readonly position: Position;
  readonly isTransitional: boolean;
  readonly messageId?: number;
  readonly message: ControllerMessage;
}

export interface AgreementParts {
  readonly options: CrmOptions;
  readonly replica: Replica;
  readonly outbox: Outbox;
  readonly life: OwnLife;
  /** Another's CIB has replaced ours. */
  readonly replaced: (before: Cib, after: Cib) => void;
  /** The members of this view have one CIB. */
  readonly agreed: (view: View) => void;
}

export class Agreement {
  readonly #parts: AgreementParts;
  #view: View | undefined;
  /** Those who came with us out of the last view, if our CIB was the view's. */
  #companions: readonly string[] = [];
  #lineage: number;
  #features: ReadonlyMap<string, number>;
  #buffered: Delivered[] = [];

  constructor(parts: AgreementParts) {
    this.#parts = parts;
    const { self, saved } = parts.options;
    this.#lineage = saved?.lineage ?? 0;
    this.#features = new Map([[self, featureSet]]);
  }

  get view(): View | undefined {
    return this.#view;
  }

  get isReached(): boolean {
    return this.#view?.agreedAt !== undefined;
  }

  /** The last quorate view whose CIB this node has. */
  get lineage(): number {
    return this.#lineage;
  }

  get filling(): Filling {
    return { queue: 'crm messages before agreement', count: this.#buffered.length, max: bufferedMax };
  }

  viewEnding(survivors: readonly string[]): void {
    const view = this.#view;
    // A view that never became active here may have been so elsewhere, and agreed on at once by those who had come into it
    // together. Nothing was said in it, else it would have become active here too: they have one CIB still. (Simulator,
    // seed 2888: one of them waited in the next view for hellos that the others saw no need for.)
    const isOne = view?.agreedAt !== undefined || (view?.isActive === false && this.#cameTogether(view));
    this.#companions = isOne ? survivors : [];
  }

  viewInstalled({ number, members }: Extract<CrmInput, { type: 'viewInstalled' }>): void {
    // What this view's members could not apply was applied by nobody: those who sent it send it again.
    for (const { message, messageId } of this.#buffered.splice(0)) {
      if (messageId !== undefined) this.#parts.outbox.again(messageId, message);
    }
    this.#view = { number, members, isActive: false, hellos: new Map() };
  }

  /** True if it was not active before. */
  viewActive(): boolean {
    const view = this.#view;
    if (view === undefined || view.isActive) return false;
    view.isActive = true;
    return true;
  }

  /** Are the CIBs known to be equal, or must they be compared first? */
  compareCibs(effects: CrmEffect[]): void {
    const view = this.#view;
    if (view === undefined) return;
    if (this.#cameTogether(view)) {
      this.#parts.agreed(view);
      return;
    }
    const { options, replica, outbox } = this.#parts;
    const hello: Hello = {
      type: 'hello',
      incarnation: options.incarnation,
      lineage: this.#lineage,
      version: replica.cib.version,
      digest: replica.digest(),
      featureSet,
    };
    outbox.post(hello, effects, true);
  }

  /** All of them were in one view before this one, and had its CIB. */
  #cameTogether({ members }: View): boolean {
    return members.every(({ name }) => this.#companions.includes(name));
  }

  helloDelivered(from: string, hello: Hello, effects: CrmEffect[]): void {
    const view = this.#view;
    if (view === undefined || view.agreedAt !== undefined) return;
    view.hellos.set(from, hello);
    if (!view.members.every(({ name }) => view.hellos.has(name))) return;
    this.#features = new Map([...view.hellos].map(([name, member]) => [name, member.featureSet]));
    const { options, replica, outbox } = this.#parts;
    if (donorOf(candidates(view)).name === options.self) {
      outbox.post({ type: 'state', replica: replica.state }, effects, true);
    }
  }

  /** The newest CIB is here: everyone, its donor too, goes on from it. */
  stateDelivered(
    from: string,
    { replica: theirs }: Extract<ControllerMessage, { type: 'state' }>,
    effects: CrmEffect[],
  ): void {
    const view = this.#view;
    if (view === undefined || view.agreedAt !== undefined) return;
    const heard = candidates(view);
    if (heard.length < view.members.length || donorOf(heard).name !== from) return;
    const { options, replica, life, replaced, agreed } = this.#parts;
    const before = replica.cib;
    life.remember(before);
    const isAnother =
      compareVersions(theirs.cib.version, before.version) !== 0 ||
      heard.some(({ lineage }) => lineage !== this.#lineage);
    if (from !== options.self && isAnother) {
      const text = `taking over CIB ${formatVersion(theirs.cib.version)} from ${from}; ours was ${formatVersion(before.version)}`;
      effects.push(report('info', 'cib.takenOver', text, { from }));
    }
    // What a member did while it had another CIB is not in this one: until its join tells, nobody knows what it runs.
    // (Simulator, seed 1778: a minority had stopped its services, and the CIB it came back to said that they ran.)
    const digest = heard.find(({ name }) => name === from)?.digest;
    const together = heard.filter((candidate) => candidate.digest === digest).map(({ name }) => name);
    const cib = reconciled(
      theirs.cib,
      view.members.filter(({ name }) => together.includes(name)),
    );
    replica.install({ cib, records: theirs.records }, { force: true });
    if (from !== options.self) replaced(before, cib);
    effects.push({ type: 'cibChanged', before, after: cib, isConfiguration: true, isWhole: true });
    agreed(view);
  }

  /** Notes that the view is agreed; returns who leads it. */
  reached(view: View, isQuorate: boolean, now: Instant): string {
    view.agreedAt = now;
    if (isQuorate) this.#lineage = view.number;
    const ranked = view.members.map(({ name }) => ({ name, featureSet: this.#features.get(name) ?? featureSet }));
    return leaderOf(ranked) ?? this.#parts.options.self;
  }

  /** An agreed view's CIB is the newest from the moment that the view holds quorum. */
  quorumHeld(): void {
    if (this.#view?.agreedAt !== undefined) this.#lineage = this.#view.number;
  }

  /** Keeps a message until the view is agreed. */
  hold(delivered: Delivered, effects: CrmEffect[]): void {
    if (this.#buffered.length < bufferedMax) this.#buffered.push(delivered);
    else {
      const text = 'too many messages wait for the members to agree on a CIB';
      effects.push(report('error', 'message.dropped', text, {}));
    }
  }

  /** What waited for agreement, in its order. */
  takeHeld(): readonly Delivered[] {
    return this.#buffered.splice(0);
  }
}
