/** Key rotations of several nodes with an agreed order, disks that take their time, and crashes; no engine below. */
import { type Random, seededRandom } from '@systole/kernel';
import type { ClusterKey } from '../src/configuration.ts';
import type { KeyRing } from '../src/key-ring.ts';
import { KeyRotation } from '../src/key-rotation.ts';
import type { KeyAnswer, KeyEffect, KeyInput } from '../src/key-surface.ts';

const clusterName = 'test';
export const firstKey: ClusterKey = { id: 0, key: new Uint8Array(32).fill(7), primary: true };

export interface GroupNode {
  readonly name: string;
  machine: KeyRotation | undefined;
  /** The key file. */
  disk: KeyRing;
  /** What messaging seals with and accepts. */
  used: readonly ClusterKey[];
  /** Being written; the newest counts. */
  writing: KeyRing | undefined;
  isDiskFull: boolean;
}

export class Group {
  readonly nodes: readonly GroupNode[];
  readonly random: Random;
  readonly answers: KeyAnswer[] = [];
  readonly reports: { readonly node: string; readonly event: string; readonly text: string }[] = [];
  /** All that was ever ordered, as it would lie on disks and in recordings. */
  readonly said: string[] = [];
  #order: { readonly from: string; readonly message: unknown }[] = [];
  #view: readonly string[] = [];
  #number = 0;

  constructor(names: readonly string[], seed = 1) {
    this.random = seededRandom(seed);
    this.nodes = names.map((name) => ({
      name,
      machine: undefined,
      disk: { keys: [firstKey] },
      used: [],
      writing: undefined,
      isDiskFull: false,
    }));
    for (const node of this.nodes) this.#boot(node);
    this.changeView();
  }

  node(name: string): GroupNode {
    return this.nodes.find((node) => node.name === name) as GroupNode;
  }

  get view(): readonly string[] {
    return this.#view;
  }

  give(node: GroupNode, input: KeyInput): void {
    this.#carryOut(node, node.machine?.step(input) ?? []);
  }

  rotate(by: string, without: readonly string[] = [], isQuorate = true): void {
    this.give(this.node(by), { type: 'rotate', requestId: 'r', without, isQuorate });
  }

  crash(name: string): void {
    const node = this.node(name);
    // The power goes while the file is written: the old one is there, or the new one.
    if (node.writing !== undefined && this.random.integer(2) === 0) node.disk = node.writing;
    node.writing = undefined;
    node.machine = undefined;
    this.changeView();
  }

  start(name: string): void {
    if (this.node(name).machine === undefined) this.#boot(this.node(name));
    this.changeView();
  }

  /** Delivers the next message, or finishes a write. False if there is nothing left to do. */
  step(): boolean {
    const writers = this.nodes.filter(({ writing }) => writing !== undefined);
    if (writers.length > 0 && (this.#order.length === 0 || this.random.integer(2) === 0)) {
      const node = writers[this.random.integer(writers.length)] as GroupNode;
      this.#written(node);
      return !node.isDiskFull || this.#order.length > 0;
    }
    const next = this.#order.shift();
    if (next === undefined) return false;
    for (const name of this.#view) this.give(this.node(name), { type: 'delivered', ...next });
    return true;
  }

  settle(): void {
    for (let steps = 0; this.step(); steps++) if (steps > 2000) throw new Error('the rotation never comes to rest');
  }

  /** Who is up and hears the others forms a view; what was ordered and not delivered is lost with the old one. */
  changeView(): void {
    const up = this.nodes.filter(({ machine }) => machine !== undefined);
    this.#order = [];
    for (const node of up) this.give(node, { type: 'viewEnded' });
    const [first] = up;
    this.#view = up
      .filter((node) => first === node || (hears(node, first) && hears(first, node)))
      .map(({ name }) => name);
    this.#number += 1;
    for (const name of this.#view)
      this.give(this.node(name), { type: 'view', number: this.#number, members: this.#view });
  }

  /** At no moment does a member seal with a key that another member cannot open. */
  checkHearing(): void {
    for (const a of this.#view)
      for (const b of this.#view)
        if (!hears(this.node(b), this.node(a))) throw new Error(`${b} cannot open what ${a} seals`);
  }

  #boot(node: GroupNode): void {
    node.used = node.disk.keys;
    node.machine = new KeyRotation({
      self: node.name,
      clusterName,
      ring: node.disk,
      nodes: this.nodes.map(({ name }) => name),
      random: this.random,
    });
  }

  #written(node: GroupNode): void {
    if (node.isDiskFull) return this.give(node, { type: 'saved', isOk: false, problem: 'ENOSPC' });
    node.disk = node.writing as KeyRing;
    node.writing = undefined;
    this.give(node, { type: 'saved', isOk: true });
  }

  #carryOut(node: GroupNode, effects: readonly KeyEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') {
        this.said.push(JSON.stringify(effect.message));
        this.#order.push({ from: node.name, message: JSON.parse(JSON.stringify(effect.message)) });
      } else if (effect.type === 'saveKeys') node.writing = effect.ring;
      else if (effect.type === 'useKeys') node.used = effect.keys;
      else if (effect.type === 'answer') this.answers.push(effect.answer);
      else this.reports.push({ node: node.name, event: effect.event, text: effect.text });
    }
    this.checkHearing();
  }
}

/** Whether `a` can open what `b` seals. */
export function hears(a: GroupNode | undefined, b: GroupNode | undefined): boolean {
  const sealing = b?.used.find(({ primary }) => primary);
  return (
    a?.used.some(({ id, key }) => id === sealing?.id && sealing.key.every((byte, index) => byte === key[index])) ===
    true
  );
}
