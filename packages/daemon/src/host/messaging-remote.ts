/**
 * Messaging in its thread, as the node in the main thread sees it: inputs leave at once and their effects come back as
 * an input of the node. Its status is its last word, at most half a second old.
 */
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { type Instant, SystoleError } from '@systole/kernel';
import type { EngineEffect, EngineInput, EngineStatus } from '@systole/messaging';
import type { MessagingPort, MessagingSetup } from '../node/index.ts';
import type { DeviceLinkOptions } from './open-device.ts';
import {
  aliveWord,
  type FromThread,
  makeShared,
  type MessagingCounters,
  type MessagingThreadData,
  quorumWord,
  type Shared,
  type ThreadInput,
  type ToThread,
} from './messaging-protocol.ts';
import type { LinkSockets } from './udp.ts';

/** Messaging needs a tenth of it; a leak should show before the machine suffers. */
const heapMegabytesMax = 128;
/** Messaging looks around with every heartbeat, 20 times a second. If it has not for so long, this process slept. */
const staleMs = 200;
const never = Number.MAX_SAFE_INTEGER as Instant;

export interface RemoteEvents {
  readonly effects: (effects: readonly EngineEffect[]) => void;
  readonly problem: (text: string) => void;
  /** What the quorum device says has changed. */
  readonly device: (vote: 'grant' | 'deny' | 'wait', reason: string) => void;
  /** Whether an arbiter knows only an older cluster key. */
  readonly arbiters: (areBehind: boolean) => void;
  /** The thread has died: the node cannot go on. */
  readonly died: (error: Error) => void;
}

export class RemoteMessaging implements MessagingPort {
  readonly #worker: Worker;
  readonly #shared: Shared;
  #status: EngineStatus;
  #counters: MessagingCounters | undefined;
  #waiting: ThreadInput[] = [];
  /** How the thread is scheduled, for the log. */
  readonly scheduling: string;

  private constructor(worker: Worker, shared: Shared, started: Extract<FromThread, { type: 'started' }>) {
    this.#worker = worker;
    this.#shared = shared;
    this.#status = started.status;
    this.scheduling = started.scheduling;
  }

  /** @throws SystoleError where a link cannot be opened. */
  static async start(
    setup: MessagingSetup,
    links: readonly LinkSockets[],
    { folder, isRealtime }: Pick<MessagingThreadData, 'folder' | 'isRealtime'>,
    events: RemoteEvents,
    device?: DeviceLinkOptions,
  ): Promise<RemoteMessaging> {
    const shared = makeShared();
    const worker = new Worker(new URL('./messaging-thread.ts', import.meta.url), {
      name: 'messaging',
      workerData: {
        setup,
        links,
        folder,
        isRealtime,
        shared,
        ...(device === undefined ? {} : { device }),
      } satisfies MessagingThreadData,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    });
    const started = await new Promise<Extract<FromThread, { type: 'started' }>>((resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', function first(message: FromThread) {
        if (message.type === 'problem') events.problem(message.text);
        if (message.type === 'failed') reject(new SystoleError('unavailable', message.text));
        if (message.type !== 'started') return;
        worker.off('message', first);
        worker.off('error', reject);
        resolve(message);
      });
    });
    const remote = new RemoteMessaging(worker, shared, started);
    worker.on('error', (error: Error) => events.died(error));
    worker.on('exit', (code) => events.died(new Error(`messaging's thread ended with ${code}`)));
    worker.on('message', (message: FromThread) => {
      if (message.type === 'effects') events.effects(message.effects);
      else if (message.type === 'problem') events.problem(message.text);
      else if (message.type === 'arbiters') events.arbiters(message.areBehind);
      else if (message.type === 'linksOpen') {
        remote.#opening.get(message.id)?.();
        remote.#opening.delete(message.id);
      } else if (message.type === 'recorded') remote.#recorded(message);
      else if (message.type === 'device') events.device(message.vote, message.reason);
      else if (message.type === 'status') {
        remote.#status = message.status;
        remote.#counters = message.counters;
      }
    });
    return remote;
  }

  /** From here on datagrams are sent and received. */
  begin(): void {
    this.#worker.postMessage({ type: 'begin' });
  }

  /** The main thread lives. */
  beat(): void {
    Atomics.add(this.#shared.words, aliveWord, 1);
  }

  get counters(): MessagingCounters | undefined {
    return this.#counters;
  }

  step(input: EngineInput, _now: Instant, view?: number): readonly EngineEffect[] {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push(view === undefined ? { input } : { input, view });
    return [];
  }

  wakeAt(): Instant {
    return never;
  }

  status(): EngineStatus {
    return this.#status;
  }

  reconfigure(setup: MessagingSetup): readonly EngineEffect[] {
    this.#flush();
    this.#tell({ type: 'reconfigure', setup });
    return [];
  }

  isQuorumHeldNow(): boolean {
    const { words, times } = this.#shared;
    const sinceMs = Number(process.hrtime.bigint() - Atomics.load(times, 0)) / 1e6;
    return Atomics.load(words, quorumWord) === 1 && sinceMs < staleMs;
  }

  /** Writes down what happened lately; answers with the file. @throws SystoleError if it cannot be written. */
  record(): Promise<string> {
    const id = this.#nextRecording++;
    const path = new Promise<string>((resolve, reject) => this.#recordings.set(id, { resolve, reject }));
    this.#tell({ type: 'record', id });
    return path;
  }

  #recorded({ id, path, problem }: Extract<FromThread, { type: 'recorded' }>): void {
    const waiting = this.#recordings.get(id);
    this.#recordings.delete(id);
    if (path === undefined) waiting?.reject(new SystoleError('failed', `no recording: ${problem ?? 'unknown'}`));
    else waiting?.resolve(path);
  }

  readonly #recordings = new Map<
    number,
    { readonly resolve: (path: string) => void; readonly reject: (error: Error) => void }
  >();
  #nextRecording = 1;

  /** Opens and closes sockets so that there are these; fulfilled when that was tried. */
  useLinks(links: readonly LinkSockets[]): Promise<void> {
    const id = this.#nextOpening++;
    const open = new Promise<void>((resolve) => this.#opening.set(id, resolve));
    this.#tell({ type: 'links', id, links });
    return open;
  }

  readonly #opening = new Map<number, () => void>();
  #nextOpening = 1;

  async close(): Promise<void> {
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
  }

  #flush(): void {
    const inputs = this.#waiting;
    this.#waiting = [];
    if (inputs.length > 0) this.#tell({ type: 'inputs', inputs });
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}
