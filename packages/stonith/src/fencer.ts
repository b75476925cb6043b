/**
 * The fencer of a node. The node that is asked becomes the originator of the fencing: it asks all members, itself
 * included, what they could do, chooses, has the chosen device run by the node that offered it, and tells everyone.
 * Any member can originate, run devices, and answer; so the loss of the DC in the middle is no special case.
 *
 * Here inputs are handed to the part they are for: what is asked of this node is `requests.ts`, what it does with its own
 * devices for whoever asks `provider.ts`.
 *
 * Semantics: agents guide, section 7.
 */
import type { FencingLevel } from '@systole/cib';
import { type Instant, type Subsystem, unreachable } from '@systole/kernel';
import { Board } from './board.ts';
import { checkMessage } from './check.ts';
import { watchdogDevice } from './choose.ts';
import type { FencingEvent, MembersChanged, StonithEffect, StonithInput, StonithOptions } from './contract.ts';
import { Provider } from './provider.ts';
import { Requests } from './requests.ts';
import { levelIndexMax } from './topology.ts';

export class Fencer implements Subsystem<StonithInput, StonithEffect> {
  readonly #board: Board;
  readonly #requests: Requests;
  readonly #provider: Provider;

  constructor(options: StonithOptions) {
    this.#board = new Board(options);
    const requests = new Requests(this.#board, () => this.#provider);
    this.#requests = requests;
    this.#provider = new Provider(this.#board, {
      answered: (operation, devices) => requests.answered(operation, options.node, devices),
      performed: (operation, step, outcome, reason) =>
        requests.performed(operation, options.node, step, { outcome, reason }),
    });
  }

  step(input: StonithInput, now: Instant): readonly StonithEffect[] {
    const effects = this.#board.begin(now);
    switch (input.type) {
      case 'devicesChanged':
        this.#board.emit(...this.#provider.catalog.replace(input.devices));
        break;
      case 'topologyChanged':
        this.#requests.levels = input.levels;
        for (const level of input.levels) this.#checkLevel(level);
        break;
      case 'membersChanged':
        this.#membersChanged(input);
        break;
      case 'optionsChanged':
        this.#board.fencer = input.options;
        break;
      case 'fence':
        this.#requests.fence(input);
        break;
      case 'confirmDown':
        this.#requests.confirmDown(input);
        break;
      case 'askDevice':
        this.#provider.ask(input);
        break;
      case 'findDevices':
        this.#provider.find(input);
        break;
      case 'cleanHistory': {
        const { target } = input;
        this.#cleanHistory(target);
        this.#board.send(undefined, { kind: 'historyCleaned', ...(target === undefined ? {} : { target }) });
        break;
      }
      case 'peerMessage':
        this.#peerMessage(input.from, input.message);
        break;
      case 'processEnded':
        this.#provider.processEnded(input);
        break;
      case 'timerExpired': {
        const { id } = input;
        const isKnown = this.#provider.timerExpired(id) || this.#requests.timerExpired(id);
        if (!isKnown) this.#board.reject(`timer ${id} is not one of ours`);
        break;
      }
      default:
        unreachable(input);
    }
    this.#provider.dropLate();
    return effects;
  }

  /** What has been fenced, newest first. */
  history(): readonly FencingEvent[] {
    return this.#board.history.list();
  }

  /** Whether a device is known to work from this node. */
  isVerified(device: string): boolean {
    return this.#provider.catalog.get(device)?.isVerified === true;
  }

  #peerMessage(from: string, input: unknown): void {
    const checked = checkMessage(input);
    if (!checked.ok) {
      this.#board.reject(`from ${from}: ${checked.error}`);
      return;
    }
    const message = checked.value;
    switch (message.kind) {
      case 'query':
        this.#provider.query(from, message);
        break;
      case 'queryAnswer':
        this.#requests.answered(message.operation, from, message.devices);
        break;
      case 'perform':
        this.#provider.perform(from, message);
        break;
      case 'performed':
        this.#requests.performed(message.operation, from, message.step, message);
        break;
      case 'announcement':
        this.#requests.heard(message.event);
        break;
      case 'history':
        this.#historyExchange(from, message.events, message.wantsAnswer);
        break;
      case 'historyCleaned':
        this.#cleanHistory(message.target);
        break;
      case 'resetYourself':
        this.#board.emit({ type: 'resetSelf', reason: `${from}: ${message.reason}` });
        break;
      default:
        unreachable(message);
    }
  }

  #membersChanged({ members, isQuorate, nodes }: MembersChanged): void {
    const { members: before, self } = this.#board;
    this.#board.members = members;
    this.#board.isQuorate = isQuorate;
    if (nodes !== undefined) this.#board.nodes = nodes;
    this.#provider.membersChanged();
    this.#requests.membersChanged(members);
    const joined = members.filter((name) => !before.includes(name) && name !== self);
    // Each side of a new acquaintance tells the other; nobody has to ask.
    for (const peer of joined) this.#board.send(peer, { kind: 'history', wantsAnswer: false, events: this.history() });
  }

  #historyExchange(from: string, events: readonly FencingEvent[], wantsAnswer: boolean): void {
    const { history, self } = this.#board;
    const news = history.merge(events, self, (id) => this.#requests.isOurs(id));
    if (news.length > 0) this.#board.historyChanged();
    if (wantsAnswer) this.#board.send(from, { kind: 'history', wantsAnswer: false, events: this.history() });
  }

  #cleanHistory(target: string | undefined): void {
    this.#board.history.clean(target);
    this.#board.historyChanged();
  }

  #checkLevel({ id, index, devices }: FencingLevel): void {
    if (index < 1 || index > levelIndexMax) {
      const range = `levels go from 1 to ${levelIndexMax}`;
      this.#board.reject(`fencing level ${id} has index ${index}; ${range}, it is left out`);
    }
    for (const device of devices) {
      if (device !== watchdogDevice && this.#provider.catalog.get(device) === undefined) {
        this.#board.reject(`fencing level ${id} names ${device}, which is no fence device`);
      }
    }
  }
}
