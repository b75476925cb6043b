/**
 * The clusters that are measured, each by a name: `PROFILE:NODESxRESOURCES:STATE`.
 *
 * They come from ../shared/bench/pe/gen-cib.mjs, so that the figures stand beside those that are known of Pacemaker.
 * Where it is not, our own generator makes the plainest of them (`generate.ts`), and the rest is left out.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { shared } from '../../support/repository.ts';
import { canGenerate, generateCib } from './generate.ts';

export interface Case {
  /** As the generator names it; `one-chain` is a `chain` as long as there are resources. */
  readonly profile: string;
  readonly nodes: number;
  readonly resources: number;
  readonly state: string;
}

const generator = join(shared, 'bench/pe/gen-cib.mjs');

export const hasGenerator = existsSync(generator);

export const nameOf = ({ profile, nodes, resources, state }: Case): string =>
  `${profile}:${nodes}x${resources}:${state}`;

export function readCase(text: string): Case {
  const match = /^([a-z-]+):(\d+)x(\d+):([a-z-]+)$/.exec(text);
  if (match === null) throw new Error(`"${text}" is no case; write PROFILE:NODESxRESOURCES:STATE`);
  const [, profile = '', nodes, resources, state = ''] = match;
  return { profile, nodes: Number(nodes), resources: Number(resources), state };
}

/** The cluster's CIB as a file below `folder`; undefined where nothing here can make it. */
export function fileFor(folder: string, wanted: Case): string | undefined {
  const file = join(folder, `${nameOf(wanted).replaceAll(':', '-')}.xml`);
  if (existsSync(file)) return file;
  const { profile, nodes, resources, state } = wanted;
  if (!hasGenerator) {
    if (!canGenerate(wanted)) return undefined;
    writeFileSync(file, generateCib(wanted));
    return file;
  }
  const kind = profile === 'one-chain' ? ['chain', '--chain', String(resources)] : [profile];
  const sizes = ['--nodes', String(nodes), '--resources', String(resources), '--state', state];
  execFileSync(process.execPath, [generator, '--profile', ...kind, ...sizes, '--out', file]);
  return file;
}
