/**
 * Asks all members what they remember: one timeline, one report over all nodes.
 *
 * A question goes through the agreed order like any message; each member's host looks into its own files and its answer
 * comes back the same way, for the node that asked. Whoever does not answer in time is named as missing. Nothing
 * here is decided on: an answer that is late, lost or too large costs a part of a report.
 */
import type { Answer } from '@systole/crm';
import type { Envelope } from './mail.ts';

/**
 * What members are asked: events since a time (milliseconds since 1970), files for a report, which inputs of the policy
 * engine they keep, or the one that a transition was decided from.
 */
export type Question =
  | { readonly what: 'events' | 'files' | 'inputs'; readonly since: number }
  | { readonly what: 'input'; readonly transition: string };

/** Undefined: another release, or a stranger, asks something that this one does not know. */
export function readQuestion(question: unknown): Question | undefined {
  const { what, since, transition } = (question ?? {}) as Partial<Record<string, unknown>>;
  if (what === 'input')
    return typeof transition === 'string' && /^tr_[\w-]{1,64}$/.test(transition) ? { what, transition } : undefined;
  const isKnown = what === 'events' || what === 'files' || what === 'inputs';
  return isKnown && typeof since === 'number' ? { what, since } : undefined;
}

/** Reading some megabytes and packing them takes a busy machine a second or two. */
export const gatherTimeoutMs = 8000;

/** So many questions are open at once; each may bring a megabyte from every member. */
export const openQuestionsMax = 4;

/** One part, packed; larger ones are refused where they arrive. */
export const partCharactersMax = 2_000_000;

/** What one member has told. */
export interface Part {
  readonly node: string;
  /** As its host packed it. */
  readonly body: string;
}

type Message =
  | { readonly type: 'ask'; readonly id: string; readonly question: Question }
  | { readonly type: 'told'; readonly id: string; readonly body: string };

/** Its host looks, and gives `collected` with the same id and asker. */
export interface Collect {
  readonly type: 'collect';
  readonly id: string;
  readonly asker: string;
  readonly question: Question;
}

interface Open {
  readonly requestId: string;
  readonly parts: Part[];
  waitsFor: readonly string[];
}

export interface Outcome {
  readonly letters: readonly Envelope[];
  readonly collect?: Collect;
  readonly answer?: { readonly requestId: string; readonly answer: Answer };
  /** A timer to start, for `expired`. */
  readonly timer?: string;
}

const nothing: Outcome = { letters: [] };
const timerPrefix = 'gathering/';

export const isGatheringTimer = (id: string): boolean => id.startsWith(timerPrefix);

export class Gathering {
  readonly #self: string;
  readonly #open = new Map<string, Open>();
  #next = 1;

  constructor(self: string) {
    this.#self = self;
  }

  /** A client asks; `members` are those who can answer. */
  ask(requestId: string, question: Question, members: readonly string[]): Outcome {
    if (this.#open.size >= openQuestionsMax) {
      const message = 'too many questions to all nodes at once; try again in some seconds';
      return { letters: [], answer: { requestId, answer: { ok: false, code: 'refused', message } } };
    }
    const id = `${this.#self}/${this.#next++}`;
    this.#open.set(id, { requestId, parts: [], waitsFor: members.includes(this.#self) ? members : [this.#self] });
    // Alone, or not a member yet: nobody else would hear it, and a message might wait for a view.
    const isAlone = members.every((name) => name === this.#self);
    return {
      letters: isAlone ? [] : [{ to: 'gathering', message: { type: 'ask', id, question } satisfies Message }],
      ...(isAlone ? { collect: { type: 'collect', id, asker: this.#self, question } } : {}),
      timer: `${timerPrefix}${id}`,
    };
  }

  /** A member's message, in the agreed order; one's own questions come back as well. */
  delivered(from: string, message: unknown): Outcome {
    const read = readMessage(message);
    if (read === undefined) return nothing;
    if (read.type === 'ask') {
      return { letters: [], collect: { type: 'collect', id: read.id, asker: from, question: read.question } };
    }
    return this.#told(read.id, { node: from, body: read.body });
  }

  /** This machine's part is ready. */
  collected(id: string, asker: string, body: string): Outcome {
    if (asker === this.#self) return this.#told(id, { node: this.#self, body });
    return { letters: [{ to: 'gathering', node: asker, message: { type: 'told', id, body } satisfies Message }] };
  }

  expired(timer: string): Outcome {
    return this.#close(timer.slice(timerPrefix.length));
  }

  #told(id: string, part: Part): Outcome {
    const open = this.#open.get(id);
    if (open === undefined || !open.waitsFor.includes(part.node) || part.body.length > partCharactersMax)
      return nothing;
    open.parts.push(part);
    open.waitsFor = open.waitsFor.filter((name) => name !== part.node);
    return open.waitsFor.length === 0 ? this.#close(id) : nothing;
  }

  #close(id: string): Outcome {
    const open = this.#open.get(id);
    if (open === undefined) return nothing;
    this.#open.delete(id);
    const { requestId, parts, waitsFor } = open;
    return { letters: [], answer: { requestId, answer: { ok: true, value: { parts, missing: waitsFor } } } };
  }
}

function readMessage(message: unknown): Message | undefined {
  const { type, id, question, body } = (message ?? {}) as Partial<Record<string, unknown>>;
  if (typeof id !== 'string') return undefined;
  if (type === 'told') return typeof body === 'string' ? { type, id, body } : undefined;
  const read = type === 'ask' ? readQuestion(question) : undefined;
  return read === undefined ? undefined : { type: 'ask', id, question: read };
}
