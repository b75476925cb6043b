/**
 * Runs a node on this machine: what happens here becomes its inputs, what it wants becomes deeds.
 *
 * Inputs are collected while callbacks run and taken together once a turn of the event loop. Messaging has a thread of
 * its own (`messaging-thread.ts`), which keeps the order of saving and sending; what is done here is everything else.
 *
 * A thread that stood still may not have read yet what messaging said meanwhile. So what must not be done without quorum
 * asks messaging's own word in shared memory, at the moment of doing it (`isQuorumHeldNow`).
 */
import type { Answer } from '@systole/crm';
import { type Instant, type ProcessEnded, unreachable } from '@systole/kernel';
import { readsDescription } from '@systole/lrm';
import type { KeyRing } from '@systole/messaging';
import type { ClusterNode, NodeEffect, NodeInput, NodeRequest, Question } from '../node/index.ts';
import { Alarm, type HostClock } from './clock.ts';
import type { EventLog } from './event-log.ts';
import type { RecordStore } from './files.ts';
import type { FormerLife } from './former-life.ts';
import type { Logger } from './log.ts';
import type { RemoteMessaging } from './messaging-remote.ts';
import type { NetworkFile } from './network-file.ts';
import { Policy } from './policy.ts';
import type { NotKept, PolicySetup } from './policy-protocol.ts';
import type { Launch } from './launch.ts';
import { ProcessRunner } from './processes.ts';

/** How often the main thread shows messaging that it lives: as often as messaging looks; it is missed after a second. */
const beatMs = 250;
/** After the last change of the configuration; a node that has just started has other things to do first. */
const warmAfterMs = 2000;

export interface DaemonParts {
  readonly node: ClusterNode;
  readonly clock: HostClock;
  readonly log: Logger;
  readonly events: EventLog;
  readonly store: RecordStore;
  readonly messaging: RemoteMessaging;
  readonly formerLife: FormerLife;
  /** What the node's file says about the network. */
  readonly networkFile: NetworkFile;
  /** Writes the key file. @throws if it is not on disk. */
  readonly saveKeys: (ring: KeyRing) => Promise<void>;
  readonly readSecrets: (
    resource: string,
    names: readonly string[],
  ) => Extract<NodeInput, { type: 'secretsRead' }>['outcome'];
  readonly resetSelf: (reason: string) => void;
  /** What this machine remembers, packed for the member that asks. */
  readonly collect: (question: Question) => Promise<string>;
  readonly helpers: string;
  readonly policy: PolicySetup;
  /** How agents are started. */
  readonly launch: Launch;
}

/** Figures of the host itself, for metrics. */
export interface HostCounters {
  turns: number;
  longestTurnMs: number;
  savesFailed: number;
  processesStarted: number;
  transitionsPlanned: number;
}

export class Daemon {
  readonly #parts: DaemonParts;
  readonly #alarm: Alarm;
  readonly #policy: Policy;
  readonly #runner: ProcessRunner;
  #inbox: NodeInput[] = [];
  #isScheduled = false;
  #nextRequest = 1;
  readonly #requests = new Map<string, (answer: Answer) => void>();
  readonly #turnListeners = new Set<() => void>();
  #stopped: ((stop: { readonly exitCode: number; readonly reason: string }) => void) | undefined;
  readonly counters: HostCounters = {
    turns: 0,
    longestTurnMs: 0,
    savesFailed: 0,
    processesStarted: 0,
    transitionsPlanned: 0,
  };

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(() => this.#schedule());
    this.#policy = new Policy({
      answered: ({ scheduleId, outcome }) => this.give({ type: 'scheduled', scheduleId, outcome }),
      notKept: (notKept) => this.#inputNotKept(notKept),
      setup: parts.policy,
    });
    this.#runner = new ProcessRunner((result) => this.#processEnded(result), parts.helpers, parts.launch);
  }

  get node(): ClusterNode {
    return this.#parts.node;
  }

  get events(): EventLog {
    return this.#parts.events;
  }

  now(): Instant {
    return this.#parts.clock.now();
  }

  wall(): number {
    return this.#parts.clock.wall();
  }

  /** Begins; fulfilled when the node has stopped, with the exit code that the program should have. */
  run(): Promise<{ readonly exitCode: number; readonly reason: string }> {
    const beat = setInterval(() => this.#parts.messaging.beat(), beatMs);
    const done = new Promise<{ readonly exitCode: number; readonly reason: string }>((resolve) => {
      this.#stopped = resolve;
    });
    this.#parts.messaging.beat();
    this.#schedule();
    this.#parts.messaging.begin();
    return done.finally(() => {
      clearInterval(beat);
      this.#alarm.clear();
      clearTimeout(this.#warmer);
    });
  }

  async close(): Promise<void> {
    await this.#parts.messaging.close();
    await this.#policy.close();
  }

  /** The node cannot go on; it stops without leaving, and its peers recover what it ran. */
  fail(reason: string): void {
    this.#stopped?.({ exitCode: 70, reason });
  }

  /** Takes an input with the next turn. */
  give(input: NodeInput): void {
    this.#inbox.push(input);
    this.#schedule();
  }

  request(request: NodeRequest): Promise<Answer> {
    const requestId = `request_${this.#nextRequest++}`;
    const answered = new Promise<Answer>((resolve) => this.#requests.set(requestId, resolve));
    this.give({ type: 'request', requestId, request });
    return answered;
  }

  /** Called after every turn, when everything that the node decided has been set in motion. Returns how to stop that. */
  afterTurn(listener: () => void): () => void {
    this.#turnListeners.add(listener);
    return () => this.#turnListeners.delete(listener);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const { node, clock } = this.#parts;
    const begin = clock.now();
    const inbox = this.#inbox;
    this.#inbox = [];
    const effects: NodeEffect[] = [];
    try {
      for (const input of inbox) effects.push(...node.step(input, clock.now()));
      for (let round = 0; round < 8 && node.wakeAt() <= clock.now(); round++) {
        effects.push(...node.step({ type: 'tick' }, clock.now()));
      }
    } catch (error) {
      // A broken invariant: a node that is wrong loses data, one that stops is recovered by its peers.
      this.#parts.log.fatal({ event: 'node.broken', err: error }, 'a rule that must hold does not; this node stops');
      this.fail(String(error));
      return;
    }
    for (const effect of effects) this.#do(effect);
    const end = clock.now();
    this.counters.turns += 1;
    this.counters.longestTurnMs = Math.max(this.counters.longestTurnMs, end - begin);
    for (const listener of this.#turnListeners) listener();
    this.#alarm.set(node.wakeAt() - clock.now());
  }

  #do(effect: NodeEffect): void {
    switch (effect.type) {
      case 'transmit':
      case 'rejoinGroup':
      case 'saveMembership':
        throw new Error(`${effect.type} is for messaging's own thread`);
      case 'saveCib':
        void this.#saved(effect.token, this.#parts.store.save('cib', JSON.stringify(effect.record)));
        break;
      case 'changeFile': {
        const { id, step, change } = effect;
        void this.#parts.networkFile
          .change(step, change)
          .then((outcome) => this.give({ type: 'fileChanged', id, step, ...outcome }));
        break;
      }
      case 'saveKeys':
        void this.#saved(effect.token, this.#parts.saveKeys(effect.ring));
        break;
      case 'saveResource':
        this.#saveResource(effect);
        break;
      case 'startProcess':
        this.counters.processesStarted += 1;
        this.#runner.start(effect);
        if (effect.id.startsWith('lrm/') && !readsDescription(effect.id)) this.#noteProcess(effect.id);
        break;
      case 'killProcess':
        if (this.#parts.formerLife.isSurvivor(effect.id)) {
          this.#parts.formerLife.killSurvivor(effect.id, effect.signal, (result) => this.give(result));
        } else {
          this.#runner.kill(effect);
        }
        break;
      case 'readSecrets': {
        const { id, resource, names } = effect;
        this.give({ type: 'secretsRead', id, outcome: this.#parts.readSecrets(resource, names) });
        break;
      }
      case 'schedule':
        this.counters.transitionsPlanned += 1;
        this.#policy.ask({ type: 'ask', scheduleId: effect.scheduleId, cib: effect.cib, at: effect.at });
        break;
      case 'keepInput':
        this.#policy.keep(effect);
        break;
      case 'answer':
        this.#requests.get(effect.requestId)?.(effect.answer);
        this.#requests.delete(effect.requestId);
        break;
      case 'report': {
        const { type: _type, level, event, text, fields, subsystem } = effect;
        // `node` on a log line is the node that writes it; the one that is spoken of is `about`.
        const { node: about, ...facts } = fields;
        this.#parts.log[level]({ subsystem, event, ...(about === undefined ? {} : { about }), ...facts }, text);
        if (level !== 'debug') {
          this.#parts.events.add({ at: this.#parts.clock.wall(), level, subsystem, event, text, fields });
        }
        break;
      }
      case 'cibChanged':
        if (effect.isConfiguration) this.#warmSoon();
        break; // whoever shows the CIB asks the node for it
      case 'collect':
        void this.#collect(effect);
        break;
      case 'resetSelf':
        this.#parts.resetSelf(effect.reason);
        break;
      case 'stop':
        this.#stopped?.({ exitCode: effect.exitCode, reason: effect.reason });
        break;
      default:
        unreachable(effect);
    }
  }

  /** A part of a report that cannot be had is told as empty: whoever asked should not wait for it. */
  async #collect({ id, asker, question }: Extract<NodeEffect, { type: 'collect' }>): Promise<void> {
    let body = '';
    try {
      body = await this.#parts.collect(question);
    } catch (error) {
      this.#parts.log.error({ event: 'journal.failed', err: error }, 'could not read what this node remembers');
    }
    this.give({ type: 'collected', id, asker, body });
  }

  /** Once the configuration has come to rest, the policy engine gets used to it. */
  #warmSoon(): void {
    clearTimeout(this.#warmer);
    this.#warmer = setTimeout(() => {
      const { node, clock } = this.#parts;
      const header = { ...node.cib.header, hasQuorum: true };
      this.#policy.warm({ ...node.cib, header }, clock.wall());
    }, warmAfterMs);
  }

  #warmer: NodeJS.Timeout | undefined;

  async #saved(token: number, done: Promise<void>): Promise<void> {
    try {
      await done;
      this.give({ type: 'saved', token, isOk: true });
    } catch (error) {
      this.counters.savesFailed += 1;
      this.give({ type: 'saved', token, isOk: false, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** History will not be able to show what was decided from; the transition goes on. */
  #inputNotKept({ transitionId, problem }: NotKept): void {
    this.counters.savesFailed += 1;
    const fields = { event: 'input.lost', transition: transitionId };
    this.#parts.log.error(fields, `could not keep what ${transitionId} was decided from: ${problem}`);
  }

  #saveResource({ resource, saved }: Extract<NodeEffect, { type: 'saveResource' }>): void {
    try {
      this.#parts.formerLife.saveResource(resource, saved);
    } catch (error) {
      // Without the record a next life probes instead of remembering: slower, not wrong.
      this.counters.savesFailed += 1;
      this.#parts.log.error({ event: 'run.failed', resource, err: error }, 'could not write to the run folder');
    }
  }

  #noteProcess(id: string): void {
    const pid = this.#runner.pidOf(id);
    if (pid === undefined) return;
    try {
      this.#parts.formerLife.processStarted(id, pid);
    } catch (error) {
      this.counters.savesFailed += 1;
      this.#parts.log.error({ event: 'run.failed', process: id, err: error }, 'could not write to the run folder');
    }
  }

  #processEnded(result: ProcessEnded): void {
    this.#parts.formerLife.processEnded(result.id);
    this.give(result);
  }
}
