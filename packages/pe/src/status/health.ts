/** Node health: what `#health…` attributes say, and what the strategy makes of it. Semantics: Pacemaker's lib/pengine/pe_health.c. */
import { addScores, parseScore } from '@systole/cib';
import type { Options } from '../options.ts';

const healthValues = (attributes: ReadonlyMap<string, string>): readonly string[] =>
  [...attributes].filter(([name]) => name.startsWith('#health')).map(([, value]) => value.toLowerCase());

function scoreOfColour(value: string, scores: Options['healthScores']): number | undefined {
  return value in scores ? scores[value as keyof Options['healthScores']] : parseScore(value);
}

/** The score of a node for every resource: the base for `progressive`, plus the sum of its health attributes. */
export function healthScore(attributes: ReadonlyMap<string, string>, options: Options): number {
  if (options.healthStrategy === 'none') return 0;
  const base = options.healthStrategy === 'progressive' ? options.healthBase : 0;
  return healthValues(attributes).reduce(
    (sum, value) => addScores(scoreOfColour(value, options.healthScores) ?? 0, sum),
    base,
  );
}

/** The worst colour; numbers count as the colour whose score they do not exceed. */
export function healthColour(attributes: ReadonlyMap<string, string>, options: Options): 'yellow' | 'red' | undefined {
  if (options.healthStrategy === 'none') return undefined;
  const { red, yellow, green } = options.healthScores;
  let worst: 'yellow' | undefined;
  for (const value of healthValues(attributes)) {
    const score = scoreOfColour(value, options.healthScores);
    if (value === 'red') return 'red';
    if (value === 'yellow') worst = 'yellow';
    else if (score !== undefined && score <= red) return 'red';
    else if (score !== undefined && score <= yellow && yellow !== green) worst = 'yellow';
  }
  return worst;
}
