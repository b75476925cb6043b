/**
 * How long a client of a load-balancer pair goes without an answer when the active director is taken out of service, or
 * loses its power: this project's directors beside keepalived's, on the same machines with kernels of their own.
 *
 *   npm run bench -- lvs [METHOD] [TRIALS] [WHO]      METHOD: dr (default), nat, tun; WHO: those whose name has this in it
 *
 * Needs root, user-mode Linux and keepalived. This project's programs are built first, and the built ones measured: from its
 * sources a daemon takes a minute and more to start on such a kernel.
 */
import { directorTrial, openConnections, type TrialOptions, type TrialResult } from '../lab/director-trial.ts';
import { methods } from '../lab/director-pair.ts';
import { buildPrograms } from '../support/build.ts';

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function rows(name: string, { takeovers }: TrialResult): readonly Readonly<Record<string, string | number>>[] {
  return (['standby', 'power'] as const).map((fault) => {
    const all = takeovers.filter((one) => one.fault === fault);
    const outages = all.map(({ outageMs }) => outageMs);
    return {
      directors: name,
      fault,
      trials: all.length,
      'outage ms (median)': median(outages),
      'outage ms (all)': outages.join(' '),
      'requests lost (median)': median(all.map(({ requestsLost }) => requestsLost)),
      [`of ${openConnections} connections alive`]: all.map(({ connectionsAlive }) => connectionsAlive).join(' '),
    };
  });
}

export async function run([wanted = 'dr', trials = '3', who = '']: readonly string[]): Promise<void> {
  const method = methods.find((one) => one === wanted);
  if (method === undefined) throw new Error(`${wanted} is none of ${methods.join(', ')}`);
  const contenders: readonly (readonly [string, Omit<TrialOptions, 'method' | 'trials'>])[] = [
    ['systole', { manager: 'systole', programs: await buildPrograms() }],
    ['keepalived, advert_int 1 (its default)', { manager: 'keepalived' }],
    ['keepalived, advert_int 0.1', { manager: 'keepalived', advertiseEvery: '0.1' }],
  ];
  const table: object[] = [];
  for (const [name, options] of contenders) {
    if (!name.includes(who)) continue;
    process.stdout.write(`${name}\n`);
    const onStep = (text: string): void => void process.stdout.write(`  ${text}\n`);
    table.push(...rows(name, await directorTrial({ method, trials: Number(trials), onStep, ...options })));
  }
  console.table(table);
}
