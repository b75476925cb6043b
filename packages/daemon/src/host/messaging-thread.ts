/**
 * Messaging's own thread: sockets, the engine and the membership record, so that nothing the rest of the daemon does
 * (reading a large CIB, answering a client) makes this node's heartbeats late.
 *
 * Datagrams are collected while callbacks run and taken together once a turn of the event loop, after the sockets were
 * read; the tick comes last, so that the engine never judges a peer before having read its mail. Effects are carried out
 * in their order and stop at a membership record until it is on disk: what others rely on must survive us.
 */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import type { Instant, Random } from '@systole/kernel';
import { cryptoSeal, type EngineEffect, type EngineInput, type StateRecord } from '@systole/messaging';
import { localMessaging, type MessagingPort } from '../node/messaging-port.ts';
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
import { SlotRecord } from './slots.ts';
import { Link } from './udp.ts';

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
  readonly #engine: MessagingPort;
  readonly #record: SlotRecord;
  readonly #shared: Shared;
  readonly #alarm: Alarm;
  #links: readonly Link[] = [];
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

  constructor(engine: MessagingPort, record: SlotRecord, shared: Shared) {
    this.#engine = engine;
    this.#shared = shared;
    this.#record = record;
    this.#alarm = new Alarm(() => this.schedule());
  }

  begin(links: readonly Link[], device: DeviceLink | undefined): void {
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
    const effects = this.#engine.step(input, systemClock.now());
    for (const effect of effects) {
      if (effect.type === 'view') this.#viewNumber = effect.view.tag.number;
      if (effect.type === 'quorum')
        Atomics.store(this.#shared.words, quorumWord, effect.state.state === 'held' ? 1 : 0);
    }
    Atomics.store(this.#shared.times, 0, process.hrtime.bigint());
    this.#effects.push(...effects);
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
        this.#links.find(({ options }) => options.link === effect.link)?.send(effect.to, effect.bytes);
        break;
      case 'rejoinGroup':
        this.#links.find(({ options }) => options.link === effect.link)?.rejoin();
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
  const { setup, links, folder, shared, device } = data;
  const { record, content, damaged } = await SlotRecord.open(folder, 'membership');
  if (damaged > 0)
    tell({ type: 'problem', text: 'a membership slot is damaged, most likely by a power cut; the other is used' });
  const saved = content === undefined ? undefined : (JSON.parse(content) as StateRecord);
  const ports = { random: strongRandom, seal: cryptoSeal, wallClock: systemClock.wall };
  const engine = localMessaging(setup, ports, saved, systemClock.now());
  const loop = new MessagingLoop(engine, record, shared);
  const opened: Link[] = [];
  for (const sockets of links) {
    const { link, address, port: number } = sockets;
    try {
      const events = {
        received: (datagram: Omit<Extract<EngineInput, { type: 'datagram' }>, 'type'>) =>
          loop.datagram({ type: 'datagram', ...datagram }),
        failed: (failedLink: number, code: string) => loop.give({ type: 'sendFailed', link: failedLink, code }),
      };
      opened.push(await Link.open(sockets, events));
    } catch (error) {
      tell({
        type: 'failed',
        text: `link ${link} cannot be opened on ${address} port ${number}: ${(error as Error).message}`,
      });
      return;
    }
  }
  const scheduling = await becomeRealtime();
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
    loop.begin(opened, toDevice);
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

await start(workerData as MessagingThreadData);
