/**
 * The network of this node while it runs: links and timing as they are in force, and changes of them. Who agrees on a
 * change with the others is `file-change.ts`; here is what this node knows of its links: which one is the only one to
 * somebody, and whether a new one works.
 */
import { type Instant, later } from '@systole/kernel';
import type { Configuration, EngineStatus } from '@systole/messaging';
import type { NodeInput } from './contract.ts';
import { type FileChangeEffect, type FileChangeInput, FileChanges } from './file-change.ts';

export type NetworkSettings = Pick<Configuration, 'links' | 'linkMode' | 'timing'>;

export type NetworkInput =
  | FileChangeInput
  | Extract<NodeInput, { type: 'fileChanged' }>
  /** The timer that `lookAgain` asked for. */
  | { readonly type: 'look' };

export type NetworkEffect =
  | FileChangeEffect
  /** `settings` are in force from now on. */
  | { readonly type: 'reconfigure' }
  | { readonly type: 'lookAgain'; readonly delayMs: number };

/** A changed link is looked at each so often, and has so long to be up to all: a few heartbeats are enough. */
const lookEveryMs = 250;
const trialMs = 5000;

export class Network {
  readonly #files: FileChanges;
  readonly #nameOf: (node: number) => string;
  #settings: NetworkSettings;
  /** A change that is looked at until it works, or not. */
  #trial: { readonly id: string; readonly link: number; readonly until: Instant } | undefined;

  constructor(
    self: string,
    nodes: readonly string[],
    { links, linkMode, timing }: NetworkSettings,
    nameOf: (node: number) => string,
  ) {
    this.#files = new FileChanges(self, nodes);
    this.#settings = { links, linkMode, timing };
    this.#nameOf = nameOf;
  }

  get settings(): NetworkSettings {
    return this.#settings;
  }

  step(input: NetworkInput, status: EngineStatus, now: Instant): readonly NetworkEffect[] {
    if (input.type === 'fileChanged') return this.#changed(input, status, now);
    if (input.type === 'look') return this.#look(status, now);
    return this.#files.step(input).flatMap((effect) => this.#checked(effect, status, now));
  }

  /** A look at the file is only worth it if nobody would be cut off. */
  #checked(effect: FileChangeEffect, status: EngineStatus, now: Instant): readonly NetworkEffect[] {
    if (effect.type !== 'changeFile' || effect.step !== 'check' || effect.change.type === 'setValue') return [effect];
    const { link } = effect.change;
    const lonely = this.#onlyOver(link, status);
    if (lonely.length === 0) return [effect];
    const problem = `link ${link} is the only one to ${lonely.join(', ')}`;
    return this.step({ type: 'done', id: effect.id, step: 'check', problem }, status, now);
  }

  /** Members that this node reaches over this link and no other. A link that does not exist is nobody's only one. */
  #onlyOver(link: number, status: EngineStatus): readonly string[] {
    if (!this.#settings.links.some(({ id }) => id === link)) return [];
    return members(status)
      .filter(({ links }) => !links.some((one) => one.link !== link && one.up))
      .map(({ node }) => this.#nameOf(node));
  }

  #changed(
    { id, step, problem, messaging }: Extract<NodeInput, { type: 'fileChanged' }>,
    status: EngineStatus,
    now: Instant,
  ): readonly NetworkEffect[] {
    const effects: NetworkEffect[] = [];
    if (messaging !== undefined) {
      const before = new Map(this.#settings.links.map((link) => [link.id, JSON.stringify(link)]));
      const other = messaging.links.find((link) => before.get(link.id) !== JSON.stringify(link));
      this.#settings = messaging;
      effects.push({ type: 'reconfigure' });
      if (step === 'apply' && other !== undefined) {
        this.#trial = { id, link: other.id, until: later(now, trialMs) };
        return [...effects, { type: 'lookAgain', delayMs: lookEveryMs }];
      }
    }
    const done = { type: 'done', id, step, ...(problem === undefined ? {} : { problem }) } as const;
    return [...effects, ...this.step(done, status, now)];
  }

  #look(status: EngineStatus, now: Instant): readonly NetworkEffect[] {
    const trial = this.#trial;
    if (trial === undefined) return [];
    const silent = members(status).filter(({ links }) => links.some(({ link, up }) => link === trial.link && !up));
    if (silent.length > 0 && now < trial.until) return [{ type: 'lookAgain', delayMs: lookEveryMs }];
    this.#trial = undefined;
    const names = silent.map(({ node }) => this.#nameOf(node)).join(', ');
    const problem = silent.length === 0 ? {} : { problem: `${names} does not answer over link ${trial.link}` };
    return this.step({ type: 'done', id: trial.id, step: 'apply', ...problem }, status, now);
  }
}

/** The other members of the present view, as peers. */
const members = ({ peers, view }: EngineStatus): EngineStatus['peers'] =>
  peers.filter(({ node }) => view.members.some((member) => member.node === node));
