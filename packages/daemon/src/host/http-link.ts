/** A member's way to the witness behind HTTP: the core decides (`@systole/quorum`), here its requests are made. */
import { readFile } from 'node:fs/promises';
import { instant } from '@systole/kernel';
import type { EngineStatus, NodeId } from '@systole/messaging';
import { type DeviceOptions, type HttpEffect, type HttpInput, HttpWitness } from '@systole/quorum';
import { Alarm, systemClock } from './clock.ts';
import { type DeviceLink, type DeviceLinkEvents, situationKey, witnessView } from './device-link.ts';

export interface HttpLinkOptions {
  readonly cluster: string;
  readonly self: NodeId;
  readonly url: string;
  /** File with what goes behind `Authorization: Bearer`; read for each request, so that it may be changed. */
  readonly tokenFile?: string;
  readonly device: DeviceOptions;
}

/** A third of the lease: two more attempts fit into it. */
const requestMs = 5000;
/** The object is a few hundred bytes; what is longer is none of ours. */
const bodyMax = 16_384;

export class HttpLink implements DeviceLink {
  readonly #options: HttpLinkOptions;
  readonly #core: HttpWitness;
  readonly #events: DeviceLinkEvents;
  readonly #alarm = new Alarm(() => this.#step({ type: 'tick' }));
  #key = '';
  #told = '';
  #isClosed = false;

  constructor(options: HttpLinkOptions, incarnation: number, events: DeviceLinkEvents) {
    const { cluster, self, device } = options;
    this.#options = options;
    this.#events = events;
    this.#core = new HttpWitness({ cluster, self, incarnation, device });
  }

  look(status: EngineStatus): void {
    const key = situationKey(status);
    if (key === this.#key) return;
    this.#key = key;
    this.#step(witnessView(status));
  }

  useKeys(): void {
    // the witness knows none
  }

  close(): void {
    this.#isClosed = true;
    this.#alarm.clear();
  }

  #step(input: HttpInput): void {
    if (this.#isClosed) return;
    for (const effect of this.#core.step(input, systemClock.now())) this.#do(effect);
    const wakeAt = this.#core.wakeAt();
    if (wakeAt === undefined) this.#alarm.clear();
    else this.#alarm.set(wakeAt - systemClock.now());
  }

  #do(effect: HttpEffect): void {
    if (effect.type !== 'deviceVerdict') {
      void this.#ask(effect).then((answer) => this.#step(answer));
      return;
    }
    const { view, vote, leaseUntil, exclusiveAfterMs, reason } = effect;
    this.#events.give({ type: 'deviceVerdict', view, vote, leaseUntil: instant(leaseUntil), exclusiveAfterMs });
    if (this.#told === reason) return;
    this.#told = reason;
    this.#events.told(vote, reason);
  }

  async #ask(effect: Exclude<HttpEffect, { type: 'deviceVerdict' }>): Promise<HttpInput> {
    try {
      const { url, tokenFile } = this.#options;
      const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
      const common = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const signal = AbortSignal.timeout(requestMs);
      if (effect.type === 'get') {
        const response = await fetch(url, { headers: { ...common, 'cache-control': 'no-cache' }, signal });
        return await readAnswer(response);
      }
      const condition = effect.ifEtag === undefined ? { 'if-none-match': '*' } : { 'if-match': effect.ifEtag };
      const headers = { ...common, ...condition, 'content-type': 'application/json' };
      const response = await fetch(url, { method: 'PUT', headers, body: effect.body, signal });
      return writeAnswer(response);
    } catch (error) {
      const { cause, message } = error as Error;
      return { type: 'failed', problem: cause instanceof Error ? cause.message : message };
    }
  }
}

async function readAnswer(response: Response): Promise<HttpInput> {
  const body = await response.text();
  if (response.status === 404) return { type: 'read', etag: undefined, body: '' };
  const etag = response.headers.get('etag');
  if (!response.ok) return { type: 'failed', problem: `GET is answered with ${response.status}` };
  // Without one, or with a weak one, the server cannot compare and swap: two could write at once.
  if (etag === null || etag.startsWith('W/')) return { type: 'failed', problem: 'the server gives no strong ETag' };
  return { type: 'read', etag, body: body.slice(0, bodyMax) };
}

function writeAnswer(response: Response): HttpInput {
  const etag = response.headers.get('etag');
  if (response.status === 412 || response.status === 409) return { type: 'changed' };
  if (!response.ok) return { type: 'failed', problem: `PUT is answered with ${response.status}` };
  return etag === null
    ? { type: 'failed', problem: 'the server gives no ETag for what it stored' }
    : { type: 'written', etag };
}
