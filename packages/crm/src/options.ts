/** Cluster options that the controller itself needs, read from the configuration the way the policy engine names them. */
import type { Cib } from '@systole/cib';
import { parseDuration } from '@systole/kernel';

/** The first value of `name` in the options' sets, by score; sets with a rule are the policy engine's business. */
export function clusterOption(cib: Cib, ...names: readonly string[]): string | undefined {
  const sets = cib.configuration.options
    .filter(({ rule }) => rule === undefined)
    .toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0));
  for (const name of names) {
    for (const { pairs } of sets) {
      const found = pairs.find((pair) => pair.name === name)?.value;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const truths = new Set(['true', 'yes', 'y', 'on', '1']);

export function booleanOption(cib: Cib, fallback: boolean, ...names: readonly string[]): boolean {
  const text = clusterOption(cib, ...names);
  return text === undefined ? fallback : truths.has(text.trim().toLowerCase());
}

export function durationOption(cib: Cib, fallbackMs: number, ...names: readonly string[]): number {
  const text = clusterOption(cib, ...names);
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true ? parsed.value : fallbackMs;
}

export function numberOption(cib: Cib, fallback: number, ...names: readonly string[]): number {
  const text = clusterOption(cib, ...names);
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : fallback;
}
