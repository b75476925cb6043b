/**
 * Runs a node on this machine: what happens here becomes its inputs, what it wants becomes deeds.
 *
 * Inputs are collected while callbacks run and taken together once a turn of the event loop, after the sockets were
 * read; the node's tick comes last, so that it never judges a peer before having read its mail. Effects are carried
 * out in their order, and stop at a membership record until it is on disk: what others rely on must survive us.
 */
import type { Answer } from '@systole/crm';
import { type Instant, type ProcessEnded, unreachable } from '@systole/kernel';
import type { ClusterNode, NodeEffect, NodeInput, NodeRequest } from '../node/index.ts';
import { Alarm, type HostClock } from './clock.ts';
import type { EventLog } from './event-log.ts';
import type { RecordStore } from './files.ts';
import type { FormerLife } from './former-life.ts';
import type { Logger } from './log.ts';
import { Policy } from './policy.ts';
import { ProcessRunner } from './processes.ts';
import type { SlotRecord } from './slots.ts';
import type { Link } from './udp.ts';

/** A longer turn means that datagrams may be waiting unread: nobody is judged until they are read. */
const backlogAfterMs = 75;
/** libuv reads at most so many datagrams a socket and turn. */
const datagramsATurn = 32;
/** Datagrams waiting for a turn; beyond it the newest are dropped, as a full socket would. */
const inboxMax = 4096;
const saveAgainMs = 100;

export interface DaemonParts {
  readonly node: ClusterNode;
  readonly clock: HostClock;
  readonly log: Logger;
  readonly events: EventLog;
  readonly store: RecordStore;
  readonly membership: SlotRecord;
  readonly formerLife: FormerLife;
  readonly readSecrets: (
    resource: string,
    names: readonly string[],
  ) => Extract<NodeInput, { type: 'secretsRead' }>['outcome'];
  readonly resetSelf: (reason: string) => void;
  readonly helpers: string;
}

/** Figures of the host itself, for metrics. */
export interface HostCounters {
  datagramsIn: number;
  datagramsOut: number;
  datagramsDropped: number;
  bytesIn: number;
  bytesOut: number;
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
  #links: readonly Link[] = [];
  #inbox: NodeInput[] = [];
  #isScheduled = false;
  #effects: NodeEffect[] = [];
  #isSaving = false;
  #isBacklogged = false;
  #lastTurn: Instant;
  #nextRequest = 1;
  readonly #requests = new Map<string, (answer: Answer) => void>();
  readonly #turnListeners = new Set<() => void>();
  #stopped: ((stop: { readonly exitCode: number; readonly reason: string }) => void) | undefined;
  readonly counters: HostCounters = {
    datagramsIn: 0,
    datagramsOut: 0,
    datagramsDropped: 0,
    bytesIn: 0,
    bytesOut: 0,
    turns: 0,
    longestTurnMs: 0,
    savesFailed: 0,
    processesStarted: 0,
    transitionsPlanned: 0,
  };

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#lastTurn = parts.clock.now();
    this.#alarm = new Alarm(() => this.#schedule());
    this.#policy = new Policy((answer) => this.give({ type: 'scheduled', ...answer }));
    this.#runner = new ProcessRunner((result) => this.#processEnded(result), parts.helpers);
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
  run(links: readonly Link[]): Promise<{ readonly exitCode: number; readonly reason: string }> {
    this.#links = links;
    const wall = setInterval(() => this.give({ type: 'wallClock', wall: this.#parts.clock.wall() }), 1000);
    const done = new Promise<{ readonly exitCode: number; readonly reason: string }>((resolve) => {
      this.#stopped = resolve;
    });
    this.#schedule();
    return done.finally(() => {
      clearInterval(wall);
      this.#alarm.clear();
    });
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.close();
    await this.#policy.close();
  }

  /** Takes an input with the next turn. */
  give(input: NodeInput): void {
    if (input.type === 'datagram') {
      this.counters.datagramsIn += 1;
      this.counters.bytesIn += input.bytes.length;
      if (this.#inbox.length >= inboxMax) {
        this.counters.datagramsDropped += 1;
        return;
      }
    }
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
    this.#noteBacklog(inbox, begin);
    try {
      for (const input of inbox) this.#effects.push(...node.step(input, clock.now()));
      // Frames leave with the tick, so it follows until nothing is due any more; each round is bounded by the engine.
      for (let round = 0; round < 8 && node.wakeAt() <= clock.now(); round++) {
        this.#effects.push(...node.step({ type: 'tick' }, clock.now()));
      }
    } catch (error) {
      // A broken invariant: a node that is wrong loses data, one that stops is recovered by its peers.
      this.#parts.log.fatal({ event: 'node.broken', err: error }, 'a rule that must hold does not; this node stops');
      this.#stopped?.({ exitCode: 70, reason: String(error) });
      return;
    }
    this.#carryOut();
    const end = clock.now();
    this.#lastTurn = end;
    this.counters.turns += 1;
    this.counters.longestTurnMs = Math.max(this.counters.longestTurnMs, end - begin);
    for (const listener of this.#turnListeners) listener();
    this.#alarm.set(node.wakeAt() - clock.now());
  }

  #noteBacklog(inbox: readonly NodeInput[], now: Instant): void {
    const datagrams = inbox.reduce((count, { type }) => (type === 'datagram' ? count + 1 : count), 0);
    const wasLong = now - this.#lastTurn > backlogAfterMs && datagrams >= datagramsATurn;
    const isBacklogged = wasLong || (this.#isBacklogged && datagrams >= datagramsATurn);
    if (isBacklogged === this.#isBacklogged) return;
    this.#isBacklogged = isBacklogged;
    this.#effects.push(...this.#parts.node.step({ type: 'backlog', present: isBacklogged }, now));
    if (isBacklogged) this.#schedule();
  }

  /** Carries out what waits, in its order, up to a membership record that is not on disk yet. */
  #carryOut(): void {
    while (this.#effects.length > 0 && !this.#isSaving) {
      const effects = this.#effects;
      this.#effects = [];
      for (const [index, effect] of effects.entries()) {
        this.#do(effect);
        if (this.#isSaving) {
          this.#effects = [...effects.slice(index + 1), ...this.#effects];
          break;
        }
      }
    }
  }

  #do(effect: NodeEffect): void {
    switch (effect.type) {
      case 'transmit':
        this.counters.datagramsOut += 1;
        this.counters.bytesOut += effect.bytes.length;
        this.#links.find(({ options }) => options.link === effect.link)?.send(effect.to, effect.bytes);
        break;
      case 'rejoinGroup':
        this.#links.find(({ options }) => options.link === effect.link)?.rejoin();
        break;
      case 'saveMembership':
        this.#isSaving = true;
        void this.#saveMembership(effect.token, JSON.stringify(effect.record));
        break;
      case 'saveCib':
        void this.#saveCib(effect.token, JSON.stringify(effect.record));
        break;
      case 'saveResource':
        this.#saveResource(effect);
        break;
      case 'startProcess':
        this.counters.processesStarted += 1;
        this.#runner.start(effect);
        if (effect.id.startsWith('lrm/')) this.#noteProcess(effect.id);
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
        this.#policy.ask({ scheduleId: effect.scheduleId, cib: effect.cib, at: effect.at });
        break;
      case 'answer':
        this.#requests.get(effect.requestId)?.(effect.answer);
        this.#requests.delete(effect.requestId);
        break;
      case 'report': {
        const { type: _type, level, event, text, fields, subsystem } = effect;
        this.#parts.log[level]({ subsystem, event, ...fields }, text);
        if (level !== 'debug') {
          this.#parts.events.add({ at: this.#parts.clock.wall(), level, subsystem, event, text, fields });
        }
        break;
      }
      case 'cibChanged':
        break; // whoever shows the CIB asks the node for it
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

  /** Until it is on disk nothing that follows is done. A disk that fails is tried again for as long as that lasts. */
  async #saveMembership(token: number, content: string): Promise<void> {
    try {
      await this.#parts.membership.save(content);
    } catch (error) {
      this.counters.savesFailed += 1;
      this.#parts.log.error(
        { event: 'disk.failed', err: error },
        'could not write the membership record; trying again',
      );
      setTimeout(() => void this.#saveMembership(token, content), saveAgainMs);
      return;
    }
    this.#isSaving = false;
    this.give({ type: 'saved', token, isOk: true });
    this.#carryOut();
  }

  async #saveCib(token: number, content: string): Promise<void> {
    try {
      await this.#parts.store.save('cib', content);
      this.give({ type: 'saved', token, isOk: true });
    } catch (error) {
      this.counters.savesFailed += 1;
      this.give({ type: 'saved', token, isOk: false, problem: error instanceof Error ? error.message : String(error) });
    }
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
