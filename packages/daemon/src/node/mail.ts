/**
 * Messages of this node's parts on their way through the agreed order: to whom they go, under which handle messaging
 * knows them, and what becomes of them when a view ends under them.
 *
 * The controller sends again what it still means, and is therefore told of each rejection. The fencer does not know of
 * views: its messages wait here for the next one. What is said of keys is void with its view: the next one tells anew.
 */
import type { Filling } from '@systole/kernel';
import type { EngineInput } from '@systole/messaging';

type Destination = 'crm' | 'stonith' | 'keys' | 'files' | 'gathering';

export interface Envelope {
  readonly to: Destination;
  /** For one member, where that matters; all see it. */
  readonly node?: string;
  readonly message: unknown;
}

export interface Letter {
  readonly envelope: Envelope;
  readonly service: 'agreed' | 'safe' | 'durable';
  /** The id by which the controller knows its message. */
  readonly crmId?: number;
}

/** So many fencer messages wait for the next view at most; older ones go first, their requests have deadlines. */
export const waitingMax = 256;

export class Mail {
  readonly #sent = new Map<number, Letter>();
  #waiting: Letter[] = [];
  #nextHandle = 1;

  /** The input that hands a letter to messaging. */
  submit(letter: Letter): Extract<EngineInput, { type: 'submit' }> {
    const handle = this.#nextHandle++;
    this.#sent.set(handle, letter);
    const body = encoder.encode(JSON.stringify(letter.envelope));
    return { type: 'submit', handle, service: letter.service, body };
  }

  /** A letter has arrived, or never will: what it was, if it was ours. */
  take(handle: number | undefined): Letter | undefined {
    if (handle === undefined) return undefined;
    const letter = this.#sent.get(handle);
    this.#sent.delete(handle);
    return letter;
  }

  keep(letter: Letter): void {
    this.#waiting = [...this.#waiting.slice(1 - waitingMax), letter];
  }

  get fillings(): readonly Filling[] {
    return [{ queue: 'fencer messages for the next view', count: this.#waiting.length, max: waitingMax }];
  }

  takeWaiting(): readonly Letter[] {
    return this.#waiting.splice(0);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const destinations: readonly unknown[] = [
  'crm',
  'stonith',
  'keys',
  'files',
  'gathering',
] satisfies readonly Destination[];

const isDestination = (to: unknown): to is Destination => destinations.includes(to);

/** Undefined: what a member sent is no envelope, so its program is not ours. */
export function readEnvelope(body: Uint8Array): Envelope | undefined {
  try {
    const envelope = JSON.parse(decoder.decode(body)) as Partial<Envelope> | null;
    const isOne = envelope !== null && isDestination(envelope.to) && 'message' in envelope;
    return isOne ? (envelope as Envelope) : undefined;
  } catch {
    return undefined;
  }
}
