/** Scores: preferences as whole numbers, with an infinity that no sum of finite scores reaches from below zero. */

/** A whole number from -INFINITY to INFINITY. */
export type Score = number;

/** 1 000 000 and all above: must. Its negative: must not. Source: Pacemaker Explained, "Score". */
export const INFINITY: Score = 1_000_000;

/** Adds as Pacemaker does: -INFINITY wins over everything, then INFINITY; finite sums stay within the two. */
export function addScores(a: Score, b: Score): Score {
  if (a <= -INFINITY || b <= -INFINITY) return -INFINITY;
  if (a >= INFINITY || b >= INFINITY) return INFINITY;
  return Math.max(-INFINITY, Math.min(INFINITY, a + b));
}

const words: Readonly<Record<string, Score>> = { red: -INFINITY, yellow: 0, green: 0 };

/** Reads `INFINITY`, `inf`, `+INFINITY`, `-inf`, numbers (a fraction is cut off); undefined for anything else. */
export function parseScore(text: string): Score | undefined {
  const trimmed = text.trim();
  const infinite = /^([+-]?)(?:infinity|inf)$/i.exec(trimmed);
  if (infinite !== null) return infinite[1] === '-' ? -INFINITY : INFINITY;
  if (/^[+-]?\d+(?:\.\d*)?$/.test(trimmed)) {
    return Math.max(-INFINITY, Math.min(INFINITY, Math.trunc(Number(trimmed))));
  }
  return words[trimmed.toLowerCase()];
}

/** `INFINITY`, `-INFINITY` or the number. */
export function formatScore(score: Score): string {
  if (score >= INFINITY) return 'INFINITY';
  return score <= -INFINITY ? '-INFINITY' : String(score);
}
