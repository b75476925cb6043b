/**
 * Messaging's own thread: sockets, the engine and the membership record, so that nothing the rest of the daemon does
 * (reading a large CIB, answering a client) makes this node's heartbeats late.
 *
 * Datagrams are collected while callbacks run and taken together once a turn of the event loop, after the sockets were
 * read; the tick comes last, so that the engine never judges a peer before having read its mail. Effects are carried out
 * in their order and stop at a membership record until it is on disk: what others rely on must survive us.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { type Instant, type Random, SystoleError } from '@systole/kernel';
import { cryptoSeal, type Departure, type EngineEffect, type EngineInput, type StateRecord } from '@systole/messaging';
import { FlightRecorder } from '../node/flight-recorder.ts';
import { Alarm, systemClock } from './clock.ts';
import type { DeviceLink } from './device-link.ts';
import { openDevice } from './open-device.ts';
import {
  aliveWord,
  type FromThread,
  type MessagingCounters,
  type MessagingThreadData,
  quorumWord,
  type Shared,
  type ThreadInput,
  type ToThread,
} from './messaging-protocol.ts';
import { becomeRealtime } from './realtime.ts';
import { writeLastRecording, writeRecording } from './recordings.ts';
import { SlotRecord } from './slots.ts';
import { LinkKeeper } from './link-keeper.ts';

/** A longer turn means that datagrams may be waiting unread: nobody is judged until they are read. */
const backlogAfterMs = 75;
/** libuv reads at most so many datagrams a socket and turn. */
const datagramsATurn = 32;
/** Datagrams waiting for a turn; beyond it the newest are dropped, as a full socket would. */
const inboxMax = 4096;
const saveAgainMs = 100;
/** A disk this slow keeps heartbeats waiting: peers will suspect this node. */
const slowSaveMs = 150;
const statusEveryMs = 500;
/** A recording of a loss holds so much of what followed, and is not made more often than each minute. */
const recordAfterMs = 3000;
const recordAgainMs = 60_000;
const aliveEveryMs = 250;

const port = parentPort;
if (port === null) throw new Error('messaging runs as a worker of the daemon');
const tell = (message: FromThread): void => port.postMessage(message);

/** Cryptographically strong: session ids of the seal are drawn from it. */
const strongRandom: Random = {
  integer: (below) => Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * below),
  bytes: (length) => randomBytes(length),
};

class MessagingLoop {
  readonly #engine: FlightRecorder;
  readonly #record: SlotRecord;
  readonly #shared: Shared;
  /** The folder that recordings are written to. */
  readonly #recordings: string;
  #recordedAt = -Infinity;
  readonly #alarm: Alarm;
  #links: LinkKeeper | undefined;
  #device: DeviceLink | undefined;
  #inbox: ThreadInput[] = [];
  /** The view that the main thread will know when it has read all we have told it. */
  #viewNumber = 0;
  #isScheduled = false;
  #effects: EngineEffect[] = [];
  #isSaving = false;
  #isBacklogged = false;
  #lastTurn: Instant = systemClock.now();
  #outgoing: EngineEffect[] = [];
  readonly counters: MessagingCounters = {
    datagramsIn: 0,
    datagramsOut: 0,
    datagramsDropped: 0,
    bytesIn: 0,
    bytesOut: 0,
    turns: 0,
    longestTurnMs: 0,
    savesFailed: 0,
    longestSaveMs: 0,
  };

  constructor(engine: FlightRecorder, record: SlotRecord, shared: Shared, recordings: string) {
    this.#engine = engine;
    this.#shared = shared;
    this.#recordings = recordings;
    this.#record = record;
    this.#alarm = new Alarm(() => this.schedule());
  }

  begin(links: LinkKeeper, device: DeviceLink | undefined): void {
    this.#links = links;
    this.#device = device;
    this.schedule();
  }

  datagram(input: Extract<EngineInput, { type: 'datagram' }>): void {
    this.counters.datagramsIn += 1;
    this.counters.bytesIn += input.bytes.length;
    if (this.#inbox.length >= inboxMax) this.counters.datagramsDropped += 1;
    else this.give(input);
  }

  give(input: EngineInput): void {
    this.#inbox.push({ input });
    this.schedule();
  }

  take(message: ToThread): void {
    const now = systemClock.now();
    switch (message.type) {
      case 'inputs':
        this.#inbox.push(...message.inputs);
        break;
      case 'links':
        void this.#links?.configure(message.links).then(() => tell({ type: 'linksOpen', id: message.id }));
        break;
      case 'record':
        void this.record('asked for').then(
          (path) => tell({ type: 'recorded', id: message.id, path }),
          (error: Error) => tell({ type: 'recorded', id: message.id, problem: error.message }),
        );
        break;
      case 'reconfigure':
        this.#effects.push(...this.#engine.reconfigure(message.setup, now));
        this.#device?.useKeys(message.setup.configuration.keys);
        break;
    }
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  tellStatus(): void {
    tell({ type: 'status', status: this.#engine.status(systemClock.now()), counters: { ...this.counters } });
  }

  #turn(): void {
    this.#isScheduled = false;
    const begin = systemClock.now();
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#noteBacklog(inbox, begin);
    for (const one of inbox) this.#step(one);
    // Frames leave with the tick, so it follows until nothing is due any more; each round is bounded by the engine.
    for (let round = 0; round < 8 && this.#engine.wakeAt() <= systemClock.now(); round++) {
      this.#step({ input: { type: 'tick' } });
    }
    this.#carryOut();
    this.#device?.look(this.#engine.status(systemClock.now()));
    const end = systemClock.now();
    this.#lastTurn = end;
    this.counters.turns += 1;
    this.counters.longestTurnMs = Math.max(this.counters.longestTurnMs, end - begin);
    this.#alarm.set(this.#engine.wakeAt() - systemClock.now());
  }

  #step({ input, view }: ThreadInput): void {
    if (input.type === 'submit' && view !== undefined && view !== this.#viewNumber) {
      this.#effects.push({ type: 'rejected', handle: input.handle, reason: 'viewEnded' });
      return;
    }
    const effects = this.#stepped(input);
    for (const effect of effects) {
      if (effect.type === 'view') this.#noteDepartures(effect.departed);
      if (effect.type === 'view') this.#viewNumber = effect.view.tag.number;
      if (effect.type === 'quorum')
        Atomics.store(this.#shared.words, quorumWord, effect.state.state === 'held' ? 1 : 0);
    }
    Atomics.store(this.#shared.times, 0, process.hrtime.bigint());
    this.#effects.push(...effects);
  }

  /** A rule that must hold does not: what led there is written down before this thread dies of it. */
  #stepped(input: EngineInput): readonly EngineEffect[] {
    try {
      return this.#engine.step(input, systemClock.now());
    } catch (error) {
      const lines = this.#engine.lines(`broken: ${String(error)}`);
      tell({
        type: 'problem',
        text: `messaging is broken; recorded: ${writeLastRecording(this.#recordings, lines, systemClock.wall())}`,
      });
      throw error;
    }
  }

  /** A member is gone that has not left in order: somebody will ask why. A little later, so that the end is in it. */
  #noteDepartures(departed: readonly Departure[]): void {
    const now = systemClock.now();
    if (departed.every(({ cause }) => cause === 'left') || now - this.#recordedAt < recordAgainMs) return;
    this.#recordedAt = now;
    const reason = `lost ${departed.map(({ node, cause }) => `${node} (${cause})`).join(', ')}`;
    setTimeout(
      () =>
        void this.record(reason).catch((error: Error) =>
          tell({ type: 'problem', text: `no recording: ${error.message}` }),
        ),
      recordAfterMs,
    );
  }

  /** Writes down what happened lately; answers with the file. */
  record(reason: string): Promise<string> {
    return writeRecording(this.#recordings, this.#engine.lines(reason), systemClock.wall());
  }

  #noteBacklog(inbox: readonly ThreadInput[], now: Instant): void {
    const datagrams = inbox.reduce((count, { input }) => (input.type === 'datagram' ? count + 1 : count), 0);
    const wasLong = now - this.#lastTurn > backlogAfterMs && datagrams >= datagramsATurn;
    const isBacklogged = wasLong || (this.#isBacklogged && datagrams >= datagramsATurn);
    if (isBacklogged === this.#isBacklogged) return;
    this.#isBacklogged = isBacklogged;
    this.#step({ input: { type: 'backlog', present: isBacklogged } });
    if (isBacklogged) this.schedule();
  }

  /** Carries out what waits, in its order, up to a membership record that is not on disk yet. */
  #carryOut(): void {
    let done = 0;
    while (done < this.#effects.length && !this.#isSaving) this.#do(this.#effects[done++] as EngineEffect);
    this.#effects = this.#effects.slice(done);
    if (this.#outgoing.length === 0) return;
    const effects = this.#outgoing;
    this.#outgoing = [];
    tell({ type: 'effects', effects });
    if (effects.some(({ type }) => type === 'view' || type === 'quorum')) this.tellStatus();
  }

  #do(effect: EngineEffect): void {
    switch (effect.type) {
      case 'transmit':
        this.counters.datagramsOut += 1;
        this.counters.bytesOut += effect.bytes.length;
        this.#links?.send(effect.link, effect.to, effect.bytes);
        break;
      case 'rejoinGroup':
        this.#links?.rejoin(effect.link);
        break;
      case 'save':
        this.#isSaving = true;
        void this.#save(effect.token, JSON.stringify(effect.record));
        break;
      case 'deliver':
      case 'storeDurable':
      case 'unreliable':
        // A copy of its own: a slice of a datagram would take the whole buffer to the other thread.
        this.#outgoing.push({ ...effect, body: new Uint8Array(effect.body) });
        break;
      case 'restart':
        void this.#record.save(JSON.stringify(effect.record)).catch(() => undefined);
        this.#outgoing.push(effect);
        break;
      default:
        this.#outgoing.push(effect);
    }
  }

  /** Until it is on disk nothing that follows is done. A disk that fails is tried again for as long as that lasts. */
  async #save(token: number, content: string): Promise<void> {
    const begin = systemClock.now();
    try {
      await this.#record.save(content);
      const tookMs = systemClock.now() - begin;
      this.counters.longestSaveMs = Math.max(this.counters.longestSaveMs, tookMs);
      if (tookMs > slowSaveMs)
        tell({ type: 'problem', text: `the disk took ${tookMs} ms to keep the membership record` });
    } catch (error) {
      this.counters.savesFailed += 1;
      tell({
        type: 'problem',
        text: `could not write the membership record, trying again: ${(error as Error).message}`,
      });
      setTimeout(() => void this.#save(token, content), saveAgainMs);
      return;
    }
    this.#isSaving = false;
    this.#step({ input: { type: 'saved', token } });
    this.#carryOut();
    this.schedule();
  }
}

async function start(data: MessagingThreadData): Promise<void> {
  const { setup, links, folder, isRealtime, shared, device } = data;
  const { record, content, damaged } = await SlotRecord.open(folder, 'membership');
  if (damaged > 0)
    tell({ type: 'problem', text: 'a membership slot is damaged, most likely by a power cut; the other is used' });
  const saved = content === undefined ? undefined : (JSON.parse(content) as StateRecord);
  const ports = { random: strongRandom, seal: cryptoSeal, wallClock: systemClock.wall };
  const engine = new FlightRecorder(setup, ports, saved, systemClock.now());
  const loop = new MessagingLoop(engine, record, shared, join(folder, 'recordings'));
  // Nothing is given to the engine before it begins.
  const before: EngineInput[] = [];
  let give = (input: EngineInput): void => void before.push(input);
  const keeper = new LinkKeeper({
    received: (datagram) => loop.datagram({ type: 'datagram', ...datagram }),
    failed: (link, code) => give({ type: 'sendFailed', link, code }),
    changed: (link, up, mtu) => give({ type: 'linkChanged', link, up, mtu }),
    problem: (text) => tell({ type: 'problem', text }),
  });
  await keeper.configure(links);
  // An address may come later; a port that somebody else has is a mistake that a person must see.
  if (links.every(({ link }) => keeper.problems.has(link) && !keeper.isWaiting(link))) {
    tell({ type: 'failed', text: [...keeper.problems].map(([link, text]) => `link ${link}: ${text}`).join('; ') });
    return;
  }
  const scheduling = isRealtime ? await becomeRealtime() : 'ordinary, as configured';
  const messagesBefore: ToThread[] = [];
  let take = (message: ToThread): unknown => messagesBefore.push(message);
  port?.on('message', (message: ToThread | { readonly type: 'begin' }) => {
    if (message.type !== 'begin') {
      take(message);
      return;
    }
    const toDevice =
      device &&
      openDevice(device, engine.status(systemClock.now()).incarnation, strongRandom, {
        give: (input) => loop.give(input),
        behind: (areBehind) => tell({ type: 'arbiters', areBehind }),
        told: (vote, reason) => tell({ type: 'device', vote, reason }),
      });
    give = (input) => loop.give(input);
    loop.begin(keeper, toDevice);
    for (const input of before.splice(0)) give(input);
    take = (later) => loop.take(later);
    for (const early of messagesBefore.splice(0)) loop.take(early);
    setInterval(() => loop.tellStatus(), statusEveryMs);
    setInterval(() => loop.give({ type: 'wallClock', wall: systemClock.wall() }), 1000);
    let last = -1;
    setInterval(() => {
      const count = Atomics.load(shared.words, aliveWord);
      if (count !== last) loop.give({ type: 'applicationAlive' });
      last = count;
    }, aliveEveryMs);
  });
  tell({ type: 'started', status: engine.status(systemClock.now()), scheduling });
}

try {
  await start(workerData as MessagingThreadData);
} catch (error) {
  if (!(error instanceof SystoleError)) throw error;
  tell({ type: 'failed', text: error.message }); // a person has to do something; an error of another kind is ours
}
