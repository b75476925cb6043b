/**
 * Changes what the files of all nodes say about the network, while the cluster runs: all of them or none.
 *
 *     propose ──► every node looks whether it can ──► commit ──► every node does it, and looks ──► done, or undo
 *
 * Each step is an ordered message, and the next one is taken by the node that was asked when all configured nodes have
 * answered. A view that ends in between ends the change as well: who has not been told to commit keeps what it had, who
 * has keeps the new; asking for the same again brings the rest along, for whoever has it already has nothing to do.
 *
 * What can be done, and whether it worked, is for the node and its host to say (`changeFile`): an address that is not on
 * the machine, a link that is the last one to somebody, a peer that does not answer over the new link.
 */
import type { NetworkChange } from '@systole/api';
import type { Answer } from '@systole/crm';

/** As a client asks for it, and as the nodes tell it each other. */
export type FileChange = NetworkChange;

export type FileMessage =
  | { readonly type: 'propose'; readonly id: string; readonly change: FileChange }
  | { readonly type: 'checked' | 'applied'; readonly id: string; readonly problem?: string }
  | { readonly type: 'commit' | 'undo'; readonly id: string };

export type FileChangeInput =
  | { readonly type: 'view'; readonly members: readonly string[] }
  | { readonly type: 'viewEnded' }
  | { readonly type: 'nodes'; readonly nodes: readonly string[] }
  | { readonly type: 'delivered'; readonly from: string; readonly message: FileMessage }
  /** The host has done what `changeFile` asked for, or could not. */
  | { readonly type: 'done'; readonly id: string; readonly step: FileStep; readonly problem?: string }
  | {
      readonly type: 'request';
      readonly requestId: string;
      readonly change: FileChange;
      readonly isQuorate: boolean;
    };

export type FileStep = 'check' | 'apply' | 'undo';

export type FileChangeEffect =
  | { readonly type: 'send'; readonly message: FileMessage }
  | { readonly type: 'changeFile'; readonly id: string; readonly step: FileStep; readonly change: FileChange }
  | { readonly type: 'answer'; readonly requestId: string; readonly answer: Answer };

interface Change {
  readonly id: string;
  readonly change: FileChange;
  readonly by: string;
  stage: 'checking' | 'applying';
  readonly answers: Map<string, string>;
}

export class FileChanges {
  readonly #self: string;
  #nodes: readonly string[];
  #members: readonly string[] | undefined;
  #change: Change | undefined;
  #asked: { readonly requestId: string; readonly id: string } | undefined;
  #number = 0;
  #refusal = '';
  #effects: FileChangeEffect[] = [];

  constructor(self: string, nodes: readonly string[]) {
    this.#self = self;
    this.#nodes = nodes;
  }

  step(input: FileChangeInput): readonly FileChangeEffect[] {
    this.#effects = [];
    switch (input.type) {
      case 'view':
        this.#members = input.members;
        break;
      case 'viewEnded':
        this.#members = undefined;
        this.#change = undefined;
        this.#answer('unavailable', 'the membership changed meanwhile; look at the links, and ask for the same again');
        break;
      case 'nodes':
        this.#nodes = input.nodes;
        break;
      case 'delivered':
        this.#delivered(input.from, input.message);
        break;
      case 'done':
        this.#done(input);
        break;
      case 'request':
        this.#request(input);
        break;
    }
    return this.#effects;
  }

  #request({ requestId, change, isQuorate }: Extract<FileChangeInput, { type: 'request' }>): void {
    const refuse = (code: 'refused' | 'noQuorum', message: string): void => {
      this.#effects.push({ type: 'answer', requestId, answer: { ok: false, code, message } });
    };
    if (this.#members === undefined || !isQuorate)
      return refuse('noQuorum', 'the network is changed by a cluster that has quorum');
    const away = this.#nodes.filter((node) => this.#members?.includes(node) !== true);
    if (away.length > 0)
      return refuse('refused', `${away.join(', ')} is away, and would come back with another network: start it first`);
    if (this.#change !== undefined || this.#asked !== undefined)
      return refuse('refused', 'the network is being changed already');
    if (change.type === 'setLink' && change.isNew) {
      const missing = this.#nodes.filter((node) => change.addresses[node] === undefined);
      if (missing.length > 0) return refuse('refused', `no address is given for ${missing.join(', ')}`);
    }
    this.#number += 1;
    const id = `${this.#self}/${this.#number}`;
    this.#asked = { requestId, id };
    this.#effects.push({ type: 'send', message: { type: 'propose', id, change } });
  }

  #delivered(from: string, message: FileMessage): void {
    if (message.type === 'propose') {
      if (this.#change !== undefined) return; // its proposer sees the earlier one, and waits in vain until it ends
      const { id, change } = message;
      this.#change = { id, change, by: from, stage: 'checking', answers: new Map() };
      this.#effects.push({ type: 'changeFile', id, step: 'check', change });
      return;
    }
    const change = this.#change;
    if (change?.id !== message.id) return;
    switch (message.type) {
      case 'checked':
      case 'applied':
        change.answers.set(from, message.problem ?? '');
        return this.#goOn(change);
      case 'commit':
        change.stage = 'applying';
        change.answers.clear();
        this.#effects.push({ type: 'changeFile', id: change.id, step: 'apply', change: change.change });
        return;
      case 'undo':
        this.#change = undefined;
        if (change.stage === 'applying')
          this.#effects.push({ type: 'changeFile', id: change.id, step: 'undo', change: change.change });
        else this.#answer('refused', this.#refusal);
    }
  }

  #done({ id, step, problem }: Extract<FileChangeInput, { type: 'done' }>): void {
    if (step === 'undo' && this.#asked?.id === id) return this.#answer('refused', this.#refusal);
    if (this.#change?.id !== id || step === 'undo') return;
    const type = step === 'check' ? 'checked' : 'applied';
    this.#effects.push({ type: 'send', message: { type, id, ...(problem === undefined ? {} : { problem }) } });
  }

  /** Everybody sees the answers; who proposed it acts on them. */
  #goOn(change: Change): void {
    if (!(this.#members ?? []).every((node) => change.answers.has(node))) return;
    const problems = [...change.answers].flatMap(([node, problem]) => (problem === '' ? [] : [`${node}: ${problem}`]));
    const isOurs = change.by === this.#self;
    if (problems.length > 0) {
      if (isOurs) this.#effects.push({ type: 'send', message: { type: 'undo', id: change.id } });
      this.#refusal = problems.join('; '); // told when it is taken back here
    } else if (change.stage === 'checking') {
      if (isOurs) this.#effects.push({ type: 'send', message: { type: 'commit', id: change.id } });
    } else {
      this.#change = undefined;
      if (isOurs) this.#answer('done', '');
    }
  }

  #answer(code: 'done' | 'refused' | 'unavailable', message: string): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) return;
    const answer: Answer = code === 'done' ? { ok: true, value: {} } : { ok: false, code, message };
    this.#effects.push({ type: 'answer', requestId: asked.requestId, answer });
  }
}

/** The message, if it is one; what it wants of the file is checked where it is done. */
export function readFileMessage(message: unknown): FileMessage | undefined {
  const given = message as Partial<FileMessage & { change: Partial<FileChange> }> | null;
  if (typeof given?.id !== 'string' || given.id.length > 128) return undefined;
  if (given.type === 'propose') return typeof given.change?.type === 'string' ? (given as FileMessage) : undefined;
  return ['checked', 'applied', 'commit', 'undo'].includes(String(given.type)) ? (given as FileMessage) : undefined;
}
