/**
 * A law: what must hold in every run. Safety laws look at every event as it happens and keep what they need to know
 * themselves; liveness laws look at the world some time after the faults have stopped.
 */
import type { Filling } from '@systole/kernel';
import type { WorldEvent } from '../events.ts';
import type { ClusterSettings } from '../plan.ts';

export interface Violation {
  readonly law: string;
  readonly at: number;
  readonly text: string;
}

/** What a law may look at beside the event itself. */
export interface TrueWorld {
  readonly now: number;
  readonly settings: ClusterSettings;
  isPowered(machine: number): boolean;
  nameOf(machine: number): string;
  machineOf(name: string): number | undefined;
  /** It stands still, and the arbiter's vote that its daemon had has run out since: its next step will say so. */
  hasSleptThroughItsVote(machine: number): boolean;
  /** How full the queues of the daemon on a machine are; nothing, while it is down. */
  fillings(machine: number): readonly Filling[];
}

export interface Law {
  /** `S1`, … as in the specification. */
  readonly id: string;
  readonly statement: string;
  /** A sentence when the event breaks the law. */
  see(event: WorldEvent, world: TrueWorld): string | undefined;
}
