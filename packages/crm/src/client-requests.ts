/**
 * What clients of this node wait for. A change is answered when it is safe: delivered as `durable`, and so on the disks
 * of a quorum. If the view ended while it was delivered, it is applied, but nobody knows yet on whose disks it is: an
 * empty change of the next view, durable in its turn, settles that before the client hears of success.
 */
import { type Cib, type Conflict, formatVersion } from '@systole/cib';
import { unreachable } from '@systole/kernel';
import type { Answer, ClientRequest, CrmEffect, CrmInput, CrmOptions } from './contract.ts';
import type { ChangeMessage, ControllerMessage } from './messages.ts';
import type { QuorumState } from './own-quorum.ts';
import { nodeState } from './status/node-state.ts';

/** What the requests need from the controller around them. */
export interface Desk {
  readonly cib: () => Cib;
  readonly quorum: () => QuorumState;
  readonly quorumReason: () => string;
  readonly isAgreed: () => boolean;
  readonly post: (message: ControllerMessage) => number;
  /** False if the message has left already. */
  readonly withdraw: (messageId: number) => boolean;
  readonly effects: CrmEffect[];
}

interface Waiting {
  readonly requestId: string;
  readonly message: ControllerMessage;
}

/** A client that waits longer has most likely gone; the outcome is then unknown to it. */
export const requestPatienceMs = 30_000;

/** At most so many clients are served at a time; more are refused. */
export const requestsMax = 1000;

export class ClientRequests {
  readonly #options: CrmOptions;
  /** By the id of the message that will answer them. */
  readonly #waiting = new Map<number, Waiting>();

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Applied in a view that ended: to be confirmed in the next. */
  #unconfirmed: readonly string[] = [];
  /** Confirmations under way, and whom they answer. */
  readonly #barriers = new Map<number, readonly string[]>();
  readonly #fencings = new Set<string>();
  readonly #dampened = new Map<string, { readonly node: string; values: Record<string, string | null> }>();

  constructor(options: CrmOptions) {
    this.#options = options;
  }

  take(requestId: string, request: ClientRequest, desk: Desk): void {
    if (this.#waiting.size >= requestsMax) {
      refuse(desk, requestId, 'unavailable', `${requestsMax} requests wait already; try again later`);
      return;
    }
    switch (request.type) {
      case 'change':
        this.#change(requestId, request, desk);
        break;
      case 'setAttributes':
        this.#setAttributes(requestId, request, desk);
        break;
      case 'cleanUp': {
        const { type: _type, ...selection } = request;
        this.#post(requestId, { type: 'cleaned', ...selection }, desk);
        break;
      }
      case 'fence': {
        if (desk.quorum() !== 'held') {
          refuse(desk, requestId, 'noQuorum', `no quorum here (${desk.quorumReason()}): fencing is not allowed`);
          return;
        }
        const { target, action, user } = request;
        this.#fencings.add(requestId);
        desk.effects.push({
          type: 'fence',
          requestId,
          target,
          action,
          timeoutMs: 60_000,
          client: user,
          isManual: true,
        });
        break;
      }
      case 'confirmDown':
        this.#fencings.add(requestId);
        desk.effects.push({ type: 'confirmDown', requestId, target: request.target, by: request.user });
        break;
      default:
        unreachable(request);
    }
  }

  /** A message that was somebody's request has its place in the order and has been applied. */
  delivered(
    messageId: number,
    how: { readonly isTransitional: boolean; readonly conflict?: readonly Conflict[] },
    desk: Desk,
  ): void {
    const waiters = this.#barriers.get(messageId);
    if (waiters !== undefined) {
      this.#barriers.delete(messageId);
      if (how.isTransitional) this.#unconfirmed = [...this.#unconfirmed, ...waiters];
      else for (const requestId of waiters) succeed(desk, requestId);
      return;
    }
    const waiting = this.#waiting.get(messageId);
    if (waiting === undefined) return;
    this.#forget(messageId, desk);
    const [first] = how.conflict ?? [];
    if (first !== undefined) {
      const text = `the configuration has changed since: ${first.path} is not what the change expects`;
      refuse(desk, waiting.requestId, 'conflict', text, { conflicts: how.conflict });
    } else if (waiting.message.type === 'change' && how.isTransitional) {
      this.#unconfirmed = [...this.#unconfirmed, waiting.requestId];
    } else {
      succeed(desk, waiting.requestId);
    }
  }

  /** The members of a new view have one CIB: what the end of the last one left open can be settled. */
  agreed(desk: Desk): void {
    this.quorumChanged(desk);
  }

  /**
   * Another member's CIB took the place of ours. What the last view's end left open was applied to ours; whether it is
   * in the other is unknown, unless the two say the same. (Simulator, seed 67: a minority's last change was confirmed
   * by an empty change on top of a CIB that never had it.)
   */
  replaced(before: Cib, after: Cib, desk: Desk): void {
    const open = [...this.#unconfirmed, ...[...this.#barriers.values()].flat()];
    if (open.length === 0 || JSON.stringify(before.configuration) === JSON.stringify(after.configuration)) return;
    for (const requestId of open) {
      refuse(
        desk,
        requestId,
        'timedOut',
        'the members went on from another copy of the CIB; look whether the change is in it',
      );
    }
    this.#unconfirmed = [];
    this.#barriers.clear();
  }

  quorumChanged(desk: Desk): void {
    if (!desk.isAgreed()) return;
    if (desk.quorum() === 'held' && this.#unconfirmed.length > 0) {
      const nothing: ChangeMessage = {
        type: 'change',
        change: { base: desk.cib().version, edits: [] },
        user: 'systole',
        at: Math.floor(this.#options.wallClock() / 1000),
      };
      const waiters = this.#unconfirmed;
      this.#unconfirmed = [];
      this.#barriers.set(desk.post(nothing), waiters);
    }
    if (desk.quorum() !== 'lost') return;
    for (const [messageId, { requestId, message }] of this.#waiting) {
      if (message.type !== 'change' || !desk.withdraw(messageId)) continue;
      this.#forget(messageId, desk);
      refuse(desk, requestId, 'noQuorum', `no quorum here (${desk.quorumReason()}): nothing was changed`);
    }
    for (const requestId of this.#unconfirmed) {
      refuse(desk, requestId, 'timedOut', 'quorum was lost while the change was being stored; it may or may not last');
    }
    this.#unconfirmed = [];
  }

  fenceEnded(ended: Extract<CrmInput, { type: 'fenceEnded' }>, desk: Desk): void {
    if (!this.#fencings.delete(ended.requestId)) return;
    if (ended.outcome === 'ok') {
      answer(desk, ended.requestId, {
        ok: true,
        value: { target: ended.target, devices: ended.devices, reason: ended.reason },
      });
    } else {
      const code = ended.outcome === 'timedOut' ? 'timedOut' : ended.outcome === 'refused' ? 'refused' : 'failed';
      refuse(desk, ended.requestId, code, `could not fence ${ended.target}: ${ended.reason}`);
    }
  }

  timerExpired(id: string, desk: Desk): void {
    const dampened = this.#dampened.get(id);
    if (dampened !== undefined) {
      this.#dampened.delete(id);
      desk.post({ type: 'attributes', node: dampened.node, values: dampened.values });
      return;
    }
    const messageId = Number(id.slice('crm.request.'.length));
    const waiting = this.#waiting.get(messageId);
    if (waiting === undefined) return;
    this.#waiting.delete(messageId);
    desk.withdraw(messageId);
    refuse(desk, waiting.requestId, 'timedOut', 'no agreement in time; whether it will come about is unknown');
  }

  #change(requestId: string, request: Extract<ClientRequest, { type: 'change' }>, desk: Desk): void {
    if (desk.quorum() === 'lost' || desk.quorum() === 'unknown') {
      refuse(
        desk,
        requestId,
        'noQuorum',
        `no quorum here (${desk.quorumReason()}): the configuration cannot be changed`,
      );
      return;
    }
    if (request.change.edits.length === 0) {
      succeed(desk, requestId);
      return;
    }
    const { change, user, command, ifEpoch } = request;
    const message: ChangeMessage = {
      type: 'change',
      change,
      user,
      at: Math.floor(this.#options.wallClock() / 1000),
      ...(command === undefined ? {} : { command }),
      ...(ifEpoch === undefined ? {} : { ifEpoch }),
    };
    this.#post(requestId, message, desk);
  }

  #setAttributes(requestId: string, request: Extract<ClientRequest, { type: 'setAttributes' }>, desk: Desk): void {
    const { node, values, dampenMs = 0 } = request;
    if (nodeState(desk.cib(), node)?.inCluster !== 'true') {
      refuse(
        desk,
        requestId,
        'notFound',
        `${node} is not a member now, so it has no attributes that last until it leaves`,
      );
      return;
    }
    if (dampenMs === 0) {
      this.#post(requestId, { type: 'attributes', node, values }, desk);
      return;
    }
    // Values that come in quick succession (ping results, say) count together, once they have come to rest.
    const id = `crm.request.dampen.${node}`;
    const waiting = this.#dampened.get(id) ?? { node, values: {} };
    waiting.values = { ...waiting.values, ...values };
    this.#dampened.set(id, waiting);
    desk.effects.push({ type: 'startTimer', id, delayMs: dampenMs });
    succeed(desk, requestId);
  }

  #post(requestId: string, message: ControllerMessage, desk: Desk): void {
    const messageId = desk.post(message);
    this.#waiting.set(messageId, { requestId, message });
    desk.effects.push({ type: 'startTimer', id: `crm.request.${messageId}`, delayMs: requestPatienceMs });
  }

  #forget(messageId: number, desk: Desk): void {
    this.#waiting.delete(messageId);
    desk.effects.push({ type: 'stopTimer', id: `crm.request.${messageId}` });
  }
}

const answer = (desk: Desk, requestId: string, given: Answer): void => {
  desk.effects.push({ type: 'answer', requestId, answer: given });
};

const succeed = (desk: Desk, requestId: string): void => {
  answer(desk, requestId, {
    ok: true,
    value: { version: desk.cib().version, text: formatVersion(desk.cib().version) },
  });
};

const refuse = (
  desk: Desk,
  requestId: string,
  code: Extract<Answer, { ok: false }>['code'],
  message: string,
  details?: Readonly<Record<string, unknown>>,
): void => answer(desk, requestId, { ok: false, code, message, ...(details === undefined ? {} : { details }) });
