/** What clients ask of a node beside reading: each request goes to the part that can answer it, or is answered here. */
import { unreachable } from '@systole/kernel';
import type { NodeInput, NodeRequest } from './contract.ts';
import type { FencingDesk } from './fencing-desk.ts';
import { Gathering, gatherTimeoutMs, isGatheringTimer, type Outcome } from './gathering.ts';
import type { MessagingPort } from './messaging-port.ts';
import type { Outlets } from './outlets.ts';
import { forced, proceeding } from './quorum-commands.ts';
import type { Standing } from './standing.ts';

export interface RequestDeskParts {
  readonly self: string;
  readonly engine: MessagingPort;
  readonly fencing: FencingDesk;
  readonly standing: Standing;
  /** Of the last view: their ids, and their names. */
  readonly members: () => readonly number[];
  readonly nameOf: (id: number) => string;
}

export class RequestDesk {
  readonly #parts: RequestDeskParts;
  readonly #outlets: Outlets;
  readonly #gathering: Gathering;

  constructor(parts: RequestDeskParts, outlets: Outlets) {
    this.#parts = parts;
    this.#outlets = outlets;
    this.#gathering = new Gathering(parts.self);
  }

  take(requestId: string, request: NodeRequest): void {
    const { give } = this.#outlets;
    const { fencing, standing, members, nameOf } = this.#parts;
    const { isQuorate } = standing;
    switch (request.type) {
      case 'askDevice':
      case 'findDevices':
        fencing.expect(requestId);
        give({ for: 'stonith', input: { ...request, requestId } });
        break;
      case 'gather':
        this.#gathered(this.#gathering.ask(requestId, request.question, members().map(nameOf)));
        break;
      case 'cleanFencingHistory': {
        const target = request.target === undefined ? {} : { target: request.target };
        give({ for: 'stonith', input: { type: 'cleanHistory', ...target } });
        this.#done(requestId);
        break;
      }
      case 'quorumProceed':
      case 'quorumForce': {
        const { memory } = this.#parts.engine.status(this.#outlets.now());
        const after = request.type === 'quorumProceed' ? proceeding(memory) : forced(memory, members());
        give({ for: 'messaging', input: { type: 'quorumMemory', memory: after } });
        this.#done(requestId);
        break;
      }
      case 'changeNetwork': {
        const { change } = request;
        give({ for: 'network', input: { type: 'request', requestId, change, isQuorate } });
        break;
      }
      case 'rotateKey': {
        const { without } = request;
        give({ for: 'keys', input: { type: 'rotate', requestId, without, isQuorate } });
        break;
      }
      case 'change':
      case 'setAttributes':
      case 'cleanUp':
      case 'fence':
      case 'confirmDown':
        give({ for: 'crm', input: { type: 'request', requestId, request } });
        break;
      default:
        unreachable(request);
    }
  }

  /** A question or a part of an answer of a member. */
  delivered(from: string, message: unknown): void {
    this.#gathered(this.#gathering.delivered(from, message));
  }

  /** What this machine remembers. */
  collected({ id, asker, body }: Extract<NodeInput, { type: 'collected' }>): void {
    this.#gathered(this.#gathering.collected(id, asker, body));
  }

  /** True if the timer was ours. */
  timerExpired(id: string): boolean {
    if (!isGatheringTimer(id)) return false;
    this.#gathered(this.#gathering.expired(id));
    return true;
  }

  #gathered({ letters, collect, answer, timer }: Outcome): void {
    const { submit, want, startTimer } = this.#outlets;
    for (const envelope of letters) submit({ envelope, service: 'agreed' });
    if (collect !== undefined) want(collect);
    if (answer !== undefined) want({ type: 'answer', ...answer });
    if (timer !== undefined) startTimer(timer, gatherTimeoutMs);
  }

  #done(requestId: string): void {
    this.#outlets.want({ type: 'answer', requestId, answer: { ok: true, value: {} } });
  }
}
