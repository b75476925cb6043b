/**
 * Messaging's place in the node: the letters of all parts go through here into the agreed order, and what comes out of it,
 * views, quorum and messages, goes from here to the parts that are meant.
 */
import type { Controller } from '@systole/crm';
import { unreachable } from '@systole/kernel';
import type { EngineEffect, EngineInput, View } from '@systole/messaging';
import type { FencingDesk } from './fencing-desk.ts';
import { readFileMessage } from './file-change.ts';
import { type Letter, Mail, readEnvelope } from './mail.ts';
import type { MessagingPort } from './messaging-port.ts';
import { messagingWords } from './messaging-words.ts';
import type { Outlets } from './outlets.ts';
import type { Persistence } from './persistence.ts';
import type { RequestDesk } from './request-desk.ts';
import type { Standing } from './standing.ts';

export interface MessagingDeskParts {
  readonly self: string;
  /** The engine runs in this thread, and its membership is saved by this one. */
  readonly isLocal: boolean;
  readonly engine: MessagingPort;
  readonly crm: Controller;
  readonly fencing: FencingDesk;
  readonly persistence: Persistence;
  readonly standing: Standing;
  readonly requests: RequestDesk;
  readonly nameOf: (id: number) => string;
  readonly observe: (effect: EngineEffect) => void;
}

export class MessagingDesk {
  readonly #parts: MessagingDeskParts;
  readonly #outlets: Outlets;
  readonly #mail = new Mail();
  #view: View | undefined;

  constructor(parts: MessagingDeskParts, outlets: Outlets) {
    this.#parts = parts;
    this.#outlets = outlets;
  }

  /** The last view that was installed. */
  get view(): View | undefined {
    return this.#view;
  }

  get fillings(): Mail['fillings'] {
    return this.#mail.fillings;
  }

  /**
   * A message of the controller is meant for the view that the controller is in. Messaging may be further by now; then
   * it is rejected like any other whose view has ended. (A durable change that slipped into a view before its members
   * had agreed on a CIB could be stored by none of them, and would hold up everything behind it.)
   */
  submit(letter: Letter, view?: number): void {
    const input = this.#mail.submit(letter);
    this.#outlets.give({ for: 'messaging', input, ...(view === undefined ? {} : { view }) });
  }

  /** Hands an input to the engine, and takes what it answers at once. */
  step(input: EngineInput, view: number | undefined): void {
    if (input.type === 'submit' && view !== undefined && view !== this.#view?.tag.number) {
      this.#rejected({ type: 'rejected', handle: input.handle, reason: 'viewEnded' });
      return;
    }
    for (const effect of this.#parts.engine.step(input, this.#outlets.now(), view)) this.take(effect);
  }

  take(effect: EngineEffect): void {
    const { persistence, observe, nameOf } = this.#parts;
    const { give, want, stop } = this.#outlets;
    observe(effect);
    switch (effect.type) {
      case 'transmit':
      case 'rejoinGroup':
        want(effect);
        break;
      case 'save':
        persistence.saveMembership(effect.record, effect.token);
        break;
      case 'deliver':
        this.#delivered(effect);
        break;
      case 'accepted':
        break; // its delivery has said so
      case 'rejected':
        this.#rejected(effect);
        break;
      case 'storeDurable':
        persistence.storeDurable(effect);
        break;
      case 'unreliable':
        break; // nobody sends any
      case 'keyInUse':
        give({ for: 'keys', input: { type: 'keyInUse', keyId: effect.keyId } });
        break;
      case 'viewEnding':
        this.#tellViewEnded();
        give({ for: 'crm', input: { type: 'viewEnding', survivors: effect.survivors.map(nameOf) } });
        break;
      case 'view':
        this.#viewInstalled(effect);
        break;
      case 'viewActive':
        this.#viewActive();
        break;
      case 'quorum':
        this.#quorumChanged(effect);
        break;
      case 'drained':
        break;
      case 'left':
        stop(0, 'has left the membership');
        break;
      case 'restart':
        if (this.#parts.isLocal) persistence.saveMembershipLast(effect.record);
        stop(75, 'another life of this node was newer (a clock set back, or a copied disk): start again');
        break;
      case 'stopped': {
        const { host } = effect.from;
        stop(78, `${host} runs as this same node, and was there before: correct the configuration of one`);
        break;
      }
      case 'report': {
        const { event, fields } = effect;
        const { level, text } = messagingWords(event, fields, nameOf);
        this.#outlets.report('messaging', level, event, text, fields);
        break;
      }
      default:
        unreachable(effect);
    }
  }

  /** The fencer is told who is here, and whether that is enough to act. */
  tellFencer(): void {
    const { self, fencing, standing, crm, nameOf } = this.#parts;
    const members = this.#view?.members.map(({ node }) => nameOf(node)) ?? [self];
    fencing.membersChanged(members, standing.isQuorate, crm.cib);
  }

  #delivered({ origin, view, sequence, transitional, handle, body }: Extract<EngineEffect, { type: 'deliver' }>): void {
    const { self, requests, nameOf } = this.#parts;
    const { give, report } = this.#outlets;
    const from = nameOf(origin);
    const sent = this.#mail.take(handle);
    const envelope = readEnvelope(body);
    if (envelope === undefined) {
      return report('messaging', 'error', 'message.malformed', `a message of ${from} is no envelope`, { from });
    }
    const { to, node, message } = envelope;
    const isForUs = node === undefined || node === self;
    if (to === 'crm') {
      give({
        for: 'crm',
        input: {
          type: 'delivered',
          from,
          position: { view: view.number, sequence },
          isTransitional: transitional,
          message,
          ...(sent?.crmId === undefined ? {} : { messageId: sent.crmId }),
        },
      });
    } else if (to === 'keys') {
      give({ for: 'keys', input: { type: 'delivered', from, message } });
    } else if (to === 'files') {
      const known = readFileMessage(message);
      if (known !== undefined) give({ for: 'network', input: { type: 'delivered', from, message: known } });
    } else if (to === 'gathering') {
      if (isForUs) requests.delivered(from, message);
    } else if (from !== self && isForUs) {
      give({ for: 'stonith', input: { type: 'peerMessage', from, message } });
    }
  }

  #rejected({ handle, reason }: Extract<EngineEffect, { type: 'rejected' }>): void {
    const sent = this.#mail.take(handle);
    if (sent === undefined) return;
    if (reason === 'tooLarge') {
      const text = 'a message is larger than messages may be; it is not sent';
      this.#outlets.report('messaging', 'error', 'message.tooLarge', text, {});
    }
    const { crmId: messageId } = sent;
    if (messageId !== undefined) this.#outlets.give({ for: 'crm', input: { type: 'rejected', messageId, reason } });
    else if (reason !== 'tooLarge' && sent.envelope.to === 'stonith') this.#mail.keep(sent);
  }

  #viewInstalled({ view, departed }: Extract<EngineEffect, { type: 'view' }>): void {
    const { persistence, nameOf } = this.#parts;
    this.#view = view;
    this.#tellViewEnded();
    persistence.viewEnded();
    this.#outlets.give({
      for: 'crm',
      input: {
        type: 'viewInstalled',
        number: view.tag.number,
        members: view.members.map(({ node, incarnation }) => ({ name: nameOf(node), incarnation })),
        departed: departed.map(({ node, incarnation, cause }) => ({ name: nameOf(node), incarnation, cause })),
      },
    });
  }

  #viewActive(): void {
    const { give } = this.#outlets;
    give({ for: 'crm', input: { type: 'viewActive' } });
    const { tag, members } = this.#view ?? { tag: { number: 0 }, members: [] };
    const names = members.map(({ node }) => this.#parts.nameOf(node));
    give({ for: 'keys', input: { type: 'view', number: tag.number, members: names } });
    give({ for: 'network', input: { type: 'view', members: names } });
    this.tellFencer();
    for (const letter of this.#mail.takeWaiting()) this.submit(letter);
  }

  #quorumChanged({ state: quorum }: Extract<EngineEffect, { type: 'quorum' }>): void {
    const { state, reason, exclusiveAfterMs } = quorum;
    this.#parts.standing.quorumChanged(state === 'held');
    const after = exclusiveAfterMs === undefined ? {} : { exclusiveAfterMs };
    this.#outlets.give({ for: 'crm', input: { type: 'quorum', state, reason, ...after } });
    this.tellFencer();
  }

  /** A change of keys or files that is under way means nothing in another view. */
  #tellViewEnded(): void {
    this.#outlets.give({ for: 'keys', input: { type: 'viewEnded' } });
    this.#outlets.give({ for: 'network', input: { type: 'viewEnded' } });
  }
}
