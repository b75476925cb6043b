/** What a client's answers say about an outage. */
import type { Answer } from './probe.ts';

export interface Outage {
  /** When the last good answer before it was asked for, and when the first good one after it was asked for. */
  readonly lastGood: number;
  readonly firstGood: number;
  readonly durationMs: number;
}

/** The longest time without a good answer that began after `since`; undefined if every question was answered. */
export function longestOutage(answers: readonly Answer[], since: number): Outage | undefined {
  const sorted = answers.toSorted((a, b) => a.asked - b.asked);
  let lastGood: number | undefined;
  let isDown = false;
  let longest: Outage | undefined;
  for (const answer of sorted) {
    if (answer.from === undefined) {
      isDown ||= answer.asked >= since;
      continue;
    }
    if (isDown && lastGood !== undefined) {
      const outage = { lastGood, firstGood: answer.asked, durationMs: answer.asked - lastGood };
      if (longest === undefined || outage.durationMs > longest.durationMs) longest = outage;
    }
    isDown = false;
    lastGood = answer.asked;
  }
  return longest;
}
