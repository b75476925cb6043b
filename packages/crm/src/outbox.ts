/**
 * Messages on their way into the agreed order. What a view's end rejects is sent again in the next view, once this
 * node's CIB is that view's; orders of a DC are not: the next transition decides afresh.
 */
import type { CrmEffect } from './contract.ts';
import type { ControllerMessage } from './messages.ts';

type Send = Extract<CrmEffect, { type: 'send' }>;

interface Letter {
  readonly id: number;
  readonly service: Send['service'];
  readonly message: ControllerMessage;
}

/** At most so many letters wait. A node that cannot send for so long is cut off, and its results are in its own CIB. */
export const outboxMax = 4096;

/** Belong to one view, or to one transition, and mean nothing in the next. */
const isOfItsView = (type: ControllerMessage['type']): boolean =>
  type === 'hello' || type === 'state' || type === 'settled' || type === 'perform' || type === 'join';

/** An acknowledged change must be on the disks of a quorum; a status is told anew by those who know it. */
const serviceOf = (message: ControllerMessage): Send['service'] => (message.type === 'change' ? 'durable' : 'agreed');

export class Outbox {
  #nextId = 1;
  readonly #waiting: Letter[] = [];
  readonly #sent = new Map<number, Letter>();
  #isOpen = false;
  #isQuorate = false;

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Sends, or keeps until the outbox opens. `isUrgent`: sent whatever the outbox's state. Returns the message's id. */
  post(message: ControllerMessage, effects: CrmEffect[], isUrgent = false): number {
    const letter = { id: this.#nextId++, service: serviceOf(message), message };
    if (isUrgent || this.#mayLeave(letter)) this.#send(letter, effects);
    else if (this.#waiting.length < outboxMax) this.#waiting.push(letter);
    return letter.id;
  }

  /** From now on messages leave at once, those that waited first. */
  open(effects: CrmEffect[]): void {
    this.#isOpen = true;
    this.#flush(effects);
  }

  /** The view ends: nothing leaves until the next one is agreed, and nothing durable until it holds quorum. */
  close(): void {
    this.#isOpen = false;
    this.#isQuorate = false;
  }

  /**
   * Durable messages leave only while this node holds quorum: so an entry on a disk proves that its view was quorate, and
   * a partition without quorum cannot make its CIB look newer. (Simulator, seed 280: a node that was cut off and fenced
   * came back with such an entry, and the cluster took its old CIB over.)
   */
  quorum(isHeld: boolean, effects: CrmEffect[]): void {
    this.#isQuorate = isHeld;
    if (isHeld && this.#isOpen) this.#flush(effects);
  }

  #mayLeave({ service }: Letter): boolean {
    return this.#isOpen && (service !== 'durable' || this.#isQuorate);
  }

  #flush(effects: CrmEffect[]): void {
    for (const letter of this.#waiting.splice(0)) {
      if (this.#mayLeave(letter)) this.#send(letter, effects);
      else this.#waiting.push(letter);
    }
  }

  delivered(id: number): void {
    this.#sent.delete(id);
  }

  /** The message, if its sender must be told; one that will be sent again is kept here and not returned. */
  rejected(id: number): ControllerMessage | undefined {
    const letter = this.#sent.get(id);
    if (letter === undefined) return undefined;
    this.#sent.delete(id);
    if (isOfItsView(letter.message.type)) return letter.message;
    if (this.#waiting.length < outboxMax) this.#waiting.push(letter);
    return undefined;
  }

  /** Takes a waiting message back: its sender no longer wants it. False if it has left already. */
  withdraw(id: number): boolean {
    const index = this.#waiting.findIndex((letter) => letter.id === id);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  /** Messages that were delivered, but to a replica that could not apply them yet. */
  again(id: number, message: ControllerMessage): void {
    const letter = { id, service: serviceOf(message), message };
    if (!isOfItsView(message.type) && this.#waiting.length < outboxMax) this.#waiting.push(letter);
  }

  #send(letter: Letter, effects: CrmEffect[]): void {
    this.#sent.set(letter.id, letter);
    effects.push({ type: 'send', messageId: letter.id, service: letter.service, message: letter.message });
  }
}
