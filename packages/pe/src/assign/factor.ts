/** How much a colocation weighs: single-precision fractions, as Pacemaker has them. */
import { INFINITY } from '@systole/cib';

/** A colocation's weight as a part of INFINITY. */
export const factorOf = (score: number): number => Math.fround(score / INFINITY);

/** The weight of what is behind another colocation. */
export const weakerFactor = (factor: number, score: number): number =>
  Math.fround(Math.fround(factor * score) / INFINITY);
