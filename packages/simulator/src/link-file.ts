/**
 * What the file of a machine's daemon says of its links, as far as it can be changed while the cluster runs: their
 * numbers. The addresses follow from them. It is on the machine's disk; what was there before the last change is known to
 * the daemon that made it, and to no later one.
 */
import type { NodeEffect } from '@systole/daemon/node';
import type { Machine } from './machine.ts';

type ChangeFile = Extract<NodeEffect, { type: 'changeFile' }>;

export type Links = readonly number[];

/** Of a machine whose file was never changed: the first so many. */
export const linksOf = (machine: Machine, count: number): Links =>
  (machine.disk.read('links') as Links | undefined) ?? Array.from({ length: count }, (_, id) => id);

export class LinkFile {
  readonly #machine: Machine;
  readonly #count: number;
  #before: Links | undefined;

  constructor(machine: Machine, count: number) {
    this.#machine = machine;
    this.#count = count;
  }

  /** `done` hears what is wrong, or whether the links are others now. */
  change({ step, change }: ChangeFile, done: (problem: string | undefined, isChanged: boolean) => void): void {
    const now = linksOf(this.#machine, this.#count);
    const wanted = step === 'undo' ? (this.#before ?? 'there is nothing to take back') : after(now, change);
    if (typeof wanted === 'string') return done(wanted, false);
    if (step === 'check') return done(undefined, false);
    this.#machine.disk.replace('links', wanted, ({ ok }) => {
      if (ok) this.#before = step === 'apply' ? now : undefined;
      this.#machine.whenAwake(() => done(ok ? undefined : 'no space left on device', ok));
    });
  }
}

/** Or why not. Who has it already has nothing to do. */
function after(links: Links, change: ChangeFile['change']): Links | string {
  switch (change.type) {
    case 'setLink':
      return links.includes(change.link) ? links : [...links, change.link];
    case 'removeLink': {
      const rest = links.filter((link) => link !== change.link);
      return rest.length === 0 ? `link ${change.link} is the only one` : rest;
    }
    case 'setValue':
      return `${change.name} cannot be changed here`;
  }
}
