/** Inputs of the policy engine that the node which led a transition has kept: what was decided from, to be decided again. */
import type { Cib } from '@systole/cib';

/** All that `schedule` was given, and what is needed to find it and to trust it. */
export interface StoredInput {
  readonly format: 'systole-input/1';
  /** Id of the transition, as in the timeline. */
  readonly transition: string;
  /** Its number with the node that led; 0 where the policy engine failed and no transition came of it. */
  readonly number: number;
  readonly node: string;
  /** What the policy engine took for the present; milliseconds since 1970. */
  readonly at: number;
  readonly cause: string;
  /** Of the program that decided. */
  readonly release: string;
  /** `transitionDigest` of what was decided; absent where the policy engine failed. */
  readonly decision?: string;
  /** What it failed with. */
  readonly failure?: string;
  /** Secrets were taken out since: digests of parameters cannot be compared any more. */
  readonly isMasked?: boolean;
  readonly cib: Cib;
}

/** One of them without its content. */
export interface InputRow {
  readonly transition: string;
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** On the disk, compressed. */
  readonly bytes: number;
  /** Grows by one with each that a node keeps. */
  readonly serial: number;
}
