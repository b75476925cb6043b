/** How configured texts become values: booleans, durations, whole numbers, scores; with Pacemaker's leniency. */
import { parseScore } from '@systole/cib';
import { parseDuration } from '@systole/kernel';

const truths: ReadonlySet<string> = new Set(['true', 'on', 'yes', 'y', '1']);
const falsehoods: ReadonlySet<string> = new Set(['false', 'off', 'no', 'n', '0']);

/** Undefined for what is neither. */
export function booleanOf(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? '';
  if (truths.has(word)) return true;
  return falsehoods.has(word) ? false : undefined;
}

/** Anything but a yes is a no. */
export const isTrue = (text: string | undefined): boolean => booleanOf(text) === true;

/** Some 49 days, as in Pacemaker, where a time fits into 32 bits: a failure older than that expires all the same. */
const DURATION_MAX_MS = 2 ** 32 - 1;

/** Milliseconds; `otherwise` if `text` is absent or no duration. */
export function durationOf(text: string | undefined, otherwise = 0): number {
  if (text === undefined) return otherwise;
  const parsed = parseDuration(text);
  return parsed.ok ? Math.min(parsed.value, DURATION_MAX_MS) : otherwise;
}

/** A whole number from `least` up: what is absent, no number or less becomes `least`. */
export function integerOf(text: string | undefined, least: number): number {
  if (text === undefined || !/^\s*[+-]?\d+\s*$/.test(text)) return least;
  return Math.max(least, Math.min(Number(text), 2 ** 31 - 1));
}

export const scoreOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : (parseScore(text) ?? otherwise);

/** The whole number that `text` is; undefined for anything else. */
export const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined;

/** Milliseconds in whole seconds, rounded, but never to 0: times in histories are whole seconds. */
export const secondsOf = (milliseconds: number): number =>
  milliseconds > 0 ? Math.max(1, Math.round(milliseconds / 1000)) : 0;

/** The resource's name without an instance number: `web:1` is `web`. */
export function withoutNumber(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > 0 && /^\d*$/.test(name.slice(colon + 1)) && colon < name.length - 1 ? name.slice(0, colon) : name;
}
