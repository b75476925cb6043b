/**
 * Durations as people write them: `10s`, `5min`, `250ms`, a bare number of seconds, or ISO 8601 (`PT1M30S`).
 * The units are those of OCF metadata and of Pacemaker's configuration.
 */
import type { Millis } from './brand.ts';
import { fail, ok, type Result } from './result.ts';

const unitMillis: Readonly<Record<string, number>> = {
  us: 0.001,
  usec: 0.001,
  ms: 1,
  msec: 1,
  '': 1000,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
};

const plain = /^\s*(\d+)\s*([a-z]*)\s*$/i;
const iso = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)$/i;
/** `P30S`: without the T that the standard wants, as many configurations have it. Not for M, which would be months. */
const lax = /^P()(?:(\d+)D)?(?:(\d+)H)?()(?:(\d+)S)?$/i;

/** Fails with a sentence when `text` is no duration. Fractions of a millisecond are dropped; the largest is 2^53 ms. */
export function parseDuration(text: string): Result<Millis, string> {
  const simple = plain.exec(text);
  const factor = simple === null ? undefined : unitMillis[(simple[2] ?? '').toLowerCase()];
  if (simple !== null && factor !== undefined) {
    return ok(Math.min(Math.floor(Number(simple[1]) * factor), Number.MAX_SAFE_INTEGER) as Millis);
  }
  const calendar = iso.exec(text.trim()) ?? lax.exec(text.trim());
  if (calendar !== null && /\d/.test(text)) {
    const [weeks, days, hours, minutes, seconds] = calendar.slice(1).map((part) => Number(part ?? 0));
    const total = ((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
    return ok(Math.min(total * 1000, Number.MAX_SAFE_INTEGER) as Millis);
  }
  return fail(`"${text}" is not a duration; write for example 30s, 5min, 250ms or PT1M30S`);
}

/** The shortest exact form: `90s`, `5min`, `250ms`. */
export function formatDuration(duration: number): string {
  if (duration % 1000 !== 0) return `${duration}ms`;
  if (duration === 0 || duration % 60_000 !== 0) return `${duration / 1000}s`;
  return duration % 3_600_000 === 0 ? `${duration / 3_600_000}h` : `${duration / 60_000}min`;
}
