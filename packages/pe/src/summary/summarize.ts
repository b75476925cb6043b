/** The changes that a decision makes. */
import type { Decision } from '../schedule.ts';

export interface Change {
  readonly change: string;
}

export function summarize(_decision: Decision): readonly Change[] {
  return [];
}
