/**
 * Changes the cluster key while the cluster runs, without a moment in which two members could not hear each other.
 *
 *     add everywhere ──► seal with it everywhere ──► forget the old one everywhere
 *
 * A step is an ordered message; each member carries it out, has it on disk, and tells what it has. The next step is taken
 * only when every configured node has told so in the present view (those that the operator left out excepted): a member
 * that seals with the new key is understood by all, and none still seals with the old one when it is forgotten.
 *
 * Nothing but the rings drives it (`key-ring.ts`). Whoever is first in the view compares what the members told and orders
 * the next step; after a crash of any node at any moment the next view finds the same rings, and goes on from there. So
 * no message needs to be durable: a step counts once all disks have it, which is more than a quorum of them.
 *
 * A node that is away holds the rotation up; both keys are accepted until then. With `without` it is left out. One that
 * is left out and had the new key already finds its own way: hearing the new key in use proves that all who count have
 * it, so it seals with it too. One that never had it can only be told.
 */
import type { Random } from '@systole/kernel';
import type { ClusterKey } from './configuration.ts';
import { type KeyMessage, readKeyMessage } from './key-messages.ts';
import {
  type KeyRing,
  nextKeyId,
  primaryOf,
  type RingReport,
  type Rotation,
  type Stage,
  stageOf,
  stages,
  withKey,
  withoutOthers,
  withPrimary,
} from './key-ring.ts';
import type { KeyAnswer, KeyEffect, KeyInput, KeyStatus } from './key-surface.ts';
import { keyPrint, unwrapKey, wrapKey } from './key-wrap.ts';

export interface KeyRotationOptions {
  readonly self: string;
  readonly clusterName: string;
  readonly ring: KeyRing;
  readonly nodes: readonly string[];
  readonly random: Random;
}

export class KeyRotation {
  readonly #options: KeyRotationOptions;
  /** On disk, and in use. */
  #ring: KeyRing;
  /** Being written. */
  #saving: KeyRing | undefined;
  #nodes: readonly string[];
  #view: { readonly number: number; readonly members: readonly string[] } | undefined;
  readonly #told = new Map<string, RingReport>();
  /** What this node has last told, and ordered, in this view. */
  #hasTold = '';
  #hasOrdered = '';
  #areArbitersBehind = false;
  #asked: string | undefined;
  #effects: KeyEffect[] = [];

  constructor(options: KeyRotationOptions) {
    this.#options = options;
    this.#ring = options.ring;
    this.#nodes = options.nodes;
  }

  get keys(): readonly ClusterKey[] {
    return this.#ring.keys;
  }

  /** Never throws for what other members say. */
  step(input: KeyInput): readonly KeyEffect[] {
    this.#effects = [];
    this.#take(input);
    return this.#effects;
  }

  status(): KeyStatus {
    const open = this.#open;
    const own = this.#report();
    if (open === undefined) return { ...own, members: [], waitingFor: [] };
    const members = (this.#view?.members ?? []).flatMap((node) => {
      const told = this.#told.get(node);
      return told === undefined
        ? []
        : [{ node, stage: stageOf(told, open), arbiterBehind: told.arbiterBehind === true }];
    });
    return { ...own, rotation: open, members, waitingFor: this.#away(open.without), waiting: this.#waiting(open) };
  }

  #take(input: KeyInput): void {
    switch (input.type) {
      case 'view':
        this.#view = input;
        this.#told.clear();
        this.#hasTold = '';
        this.#hasOrdered = '';
        if (this.#ring.rotation !== undefined) this.#tell();
        return;
      case 'viewEnded':
        this.#view = undefined;
        this.#answer({ ok: false, code: 'unavailable', message: 'the membership changed meanwhile; try again' });
        return;
      case 'nodes':
        this.#nodes = input.nodes;
        return this.#goOn();
      case 'delivered':
        return this.#delivered(input.from, readKeyMessage(input.message));
      case 'saved':
        return this.#saved(input.isOk, input.problem);
      case 'retry':
        if (this.#saving !== undefined) this.#effects.push({ type: 'saveKeys', ring: this.#saving });
        return;
      case 'keyInUse':
        return this.#follow(input.keyId);
      case 'arbiters':
        if (this.#areArbitersBehind === input.areBehind) return;
        this.#areArbitersBehind = input.areBehind;
        if (this.#ring.rotation !== undefined) this.#tell();
        return;
      default:
        return this.#rotate(input);
    }
  }

  // ---- the operator -----------------------------------------------------------------------------------------------

  #rotate({ requestId, without, isQuorate }: Extract<KeyInput, { type: 'rotate' }>): void {
    const refuse = (code: 'refused' | 'notFound' | 'noQuorum', message: string): void => {
      this.#effects.push({ type: 'answer', requestId, answer: { ok: false, code, message } });
    };
    const open = this.#open;
    if (this.#view === undefined || !isQuorate)
      return refuse(
        'noQuorum',
        'a key is changed by a cluster that has quorum: nodes elsewhere could change it as well',
      );
    const unknown = without.find((node) => !this.#nodes.includes(node));
    if (unknown !== undefined) return refuse('notFound', `there is no node ${unknown}`);
    const present = without.find((node) => this.#view?.members.includes(node));
    if (present !== undefined) return refuse('refused', `${present} is here, and takes part`);
    const isMore = open !== undefined && without.some((node) => !open.without.includes(node));
    if (open !== undefined && !isMore)
      return refuse('refused', `the key is being changed already: ${this.#waiting(open)}`);
    if (this.#asked !== undefined) return refuse('refused', 'somebody else has just asked for the same');
    const left = [...new Set([...(open?.without ?? []), ...without])].toSorted();
    const away = this.#away(left);
    if (away.length > 0) return refuse('refused', awayText(away));
    if (open === undefined && this.#ring.keys.length > 1)
      return refuse('refused', 'the key file lists several keys already; bring that change to its end first');
    this.#asked = requestId;
    if (open === undefined) this.#begin(left);
    else this.#sendKey({ ...open, without: left });
  }

  /** A new key, and its id: told to all, this node included, in the agreed order. */
  #begin(without: readonly string[]): void {
    const { random, clusterName } = this.#options;
    const key = random.bytes(32);
    const to = nextKeyId(this.#ring);
    const rotation = { to, print: keyPrint({ key }, clusterName), number: this.#view?.number ?? 0, without };
    this.#sendAdd(rotation, key);
  }

  #sendKey(rotation: Rotation): void {
    const key = this.#ring.keys.find(({ id }) => id === rotation.to);
    if (key !== undefined) this.#sendAdd(rotation, key.key);
  }

  #sendAdd(rotation: Rotation, key: Uint8Array): void {
    const { random, clusterName } = this.#options;
    // Sealed under the oldest key of the ring: whoever is behind has that one.
    const under = this.#ring.keys.find(({ id }) => id !== rotation.to) ?? primaryOf(this.#ring);
    const sealed = toHex(wrapKey(under, clusterName, key, random.bytes(16)));
    this.#effects.push({ type: 'send', message: { type: 'add', rotation, under: under.id, sealed } });
  }

  #answer(answer: KeyAnswer): void {
    if (this.#asked === undefined) return;
    this.#effects.push({ type: 'answer', requestId: this.#asked, answer });
    this.#asked = undefined;
  }

  // ---- what members say -------------------------------------------------------------------------------------------

  #delivered(from: string, message: KeyMessage | undefined): void {
    if (message === undefined)
      return this.#say('error', 'key.malformed', `a message of ${from} about keys means nothing here`, { from });
    switch (message.type) {
      case 'add':
        return this.#add(from, message);
      case 'advance':
        return this.#advance(message.rotation, message.stage);
      default:
        this.#told.set(from, message.ring);
        if (this.#hasTold === '') this.#tell();
        return this.#goOn();
    }
  }

  #add(from: string, { rotation, under, sealed }: Extract<KeyMessage, { type: 'add' }>): void {
    const ring = this.#saving ?? this.#ring;
    const stage = stageOf(this.#reportOf(ring), rotation);
    const known = ring.rotation;
    if (stage !== 'before') {
      // Told again for others. What may have changed is who is left out.
      const isNews = known?.to === rotation.to && known.without.join(' ') !== rotation.without.join(' ');
      if (isNews) this.#save({ ...ring, rotation });
      else this.#answer({ ok: true, value: { to: rotation.to } });
      return;
    }
    if (known !== undefined && known.number > rotation.number) return; // an older attempt
    const key = ring.keys.find(({ id }) => id === under);
    const added = key && unwrapKey(key, this.#options.clusterName, fromHex(sealed));
    if (added === undefined || keyPrint({ key: added }, this.#options.clusterName) !== rotation.print) {
      return this.#say(
        'error',
        'key.unreadable',
        `the new key from ${from} cannot be opened with the keys of this node`,
        {
          from,
          under,
        },
      );
    }
    if (primaryOf(ring).id === rotation.to) {
      const text = `the new key from ${from} has the id ${rotation.to} of the key in use; it is not taken`;
      return this.#say('error', 'key.conflict', text, { from });
    }
    this.#say(
      'info',
      'key.added',
      `the cluster key is being changed: key ${rotation.to} (${rotation.print}) is accepted`,
      {
        to: rotation.to,
        print: rotation.print,
      },
    );
    this.#save(withKey(ring, added, rotation));
  }

  #advance(rotation: Rotation, step: 'primary' | 'remove'): void {
    const ring = this.#saving ?? this.#ring;
    const stage = stageOf(this.#reportOf(ring), rotation);
    if (step === 'primary' && stage === 'added') this.#save(withPrimary(ring, ring.rotation ?? rotation));
    if (step === 'remove' && stage === 'primary') {
      this.#say('info', 'key.changed', `the cluster key is key ${rotation.to} (${rotation.print}) alone from now on`, {
        to: rotation.to,
        print: rotation.print,
      });
      this.#save(withoutOthers(ring, rotation));
    }
  }

  /** Somebody seals with the new key: so all who count have it. */
  #follow(keyId: number): void {
    const ring = this.#saving ?? this.#ring;
    const { rotation } = ring;
    if (rotation?.to !== keyId || primaryOf(ring).id === keyId) return;
    if (this.#view !== undefined && this.#view.members.length > 1) return; // the order will say so
    this.#save(withPrimary(ring, rotation));
  }

  // ---- what this node has -----------------------------------------------------------------------------------------

  #save(ring: KeyRing): void {
    this.#saving = ring;
    this.#effects.push({ type: 'saveKeys', ring });
  }

  #saved(isOk: boolean, problem: string | undefined): void {
    const ring = this.#saving;
    if (ring === undefined) return;
    if (!isOk) {
      const text = `could not write the cluster's keys: ${problem ?? 'unknown'}; the rotation waits`;
      return this.#say('error', 'key.notSaved', text, {});
    }
    this.#saving = undefined;
    this.#ring = ring;
    this.#effects.push({ type: 'useKeys', keys: ring.keys });
    this.#answer({ ok: true, value: { to: ring.rotation?.to ?? primaryOf(ring).id } });
    this.#tell();
  }

  #reportOf(ring: KeyRing): RingReport {
    return {
      keys: ring.keys.map((key) => ({ id: key.id, print: keyPrint(key, this.#options.clusterName) })),
      primary: primaryOf(ring).id,
      ...(ring.rotation === undefined ? {} : { rotation: ring.rotation }),
    };
  }

  #report(): RingReport {
    const report = this.#reportOf(this.#ring);
    return this.#areArbitersBehind ? { ...report, arbiterBehind: true } : report;
  }

  #tell(): void {
    const ring = this.#report();
    const text = JSON.stringify(ring);
    if (this.#view === undefined || this.#hasTold === text) return;
    this.#hasTold = text;
    this.#effects.push({ type: 'send', message: { type: 'ring', ring } });
  }

  // ---- the next step ----------------------------------------------------------------------------------------------

  /** The newest rotation that anybody here knows of, this node first. */
  get #open(): Rotation | undefined {
    let open = (this.#saving ?? this.#ring).rotation;
    for (const { rotation } of this.#told.values()) {
      if (rotation !== undefined && (open === undefined || rotation.number > open.number)) open = rotation;
    }
    return open;
  }

  #away(without: readonly string[]): readonly string[] {
    return this.#nodes.filter((node) => !without.includes(node) && this.#view?.members.includes(node) !== true);
  }

  /** Orders the next step, if this node is the one to do it and everything before is done. */
  #goOn(): void {
    const { self } = this.#options;
    const members = this.#view?.members ?? [];
    const rotation = this.#open;
    if (rotation === undefined || !members.every((node) => this.#told.has(node))) return;
    const stageOfMember = (node: string): Stage => stageOf(this.#told.get(node) as RingReport, rotation);
    const holders = members.filter((node) => stageOfMember(node) !== 'before');
    if (holders[0] !== self) return;
    const least = Math.min(...members.map((node) => stages.indexOf(stageOfMember(node))));
    const isHeldUp =
      this.#away(rotation.without).length > 0 ||
      (stages[least] === 'primary' && members.some((node) => this.#told.get(node)?.arbiterBehind === true));
    if (least === stages.indexOf('done') || (least > 0 && isHeldUp)) return;
    const state = members.map((node) => `${node} ${stageOfMember(node)}`).join(', ');
    if (this.#hasOrdered === state) return;
    this.#hasOrdered = state;
    if (least === 0) this.#sendKey(rotation);
    else {
      const stage = stages[least] === 'added' ? 'primary' : 'remove';
      this.#effects.push({ type: 'send', message: { type: 'advance', rotation, stage } });
    }
  }

  #waiting({ without }: Rotation): string {
    const away = this.#away(without);
    if (away.length > 0) return awayText(away);
    if ([...this.#told.values()].some(({ arbiterBehind }) => arbiterBehind === true)) {
      return 'an arbiter knows only the old key: give it the new one, which "systole-arbiter derive" prints on a node';
    }
    return 'the members are taking the next step';
  }

  #say(
    level: 'info' | 'error',
    event: string,
    text: string,
    fields: Extract<KeyEffect, { type: 'report' }>['fields'],
  ): void {
    this.#effects.push({ type: 'report', level, event, text, fields });
  }
}

const awayText = (away: readonly string[]): string =>
  `${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} away: start ${away.length === 1 ? 'it' : 'them'}, or leave ` +
  `${away.length === 1 ? 'it' : 'them'} out (systole key rotate --without ${away.join(',')}) and copy the key file ` +
  `there before starting ${away.length === 1 ? 'it' : 'them'} again`;

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16));
