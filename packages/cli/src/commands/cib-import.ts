/** `systole cib import`: a configuration from elsewhere, or from an earlier time. */
import { existsSync } from 'node:fs';
import { type Cib, importCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { commit, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { type DecidedFrom, isStoredInput, readDecidedFrom } from '../shell/decided.ts';
import { readPacked } from '../shell/packed.ts';
import { decidedFrom, namesTransition } from './inputs.ts';
import { saveShadow } from './transition.ts';

/**
 * Of a CIB in Pacemaker's XML: takes over the configuration; the status is the cluster's own, and nodes that are members
 * here stay. Of what a transition was decided from, and of a CIB with a name: makes a shadow copy, as in crmsh.
 */
export async function importCopy(context: Context, args: readonly string[]): Promise<void> {
  const [file = '-', name] = args;
  if (namesTransition(file) && !existsSync(file)) {
    await importDecision(context, await decidedFrom(context, file), name);
    return;
  }
  const text = file === '-' ? context.terminal.readInput() : readPacked(file);
  if (isStoredInput(text)) {
    await importDecision(context, await readDecidedFrom(text, file, Date.now()), name);
    return;
  }
  const cib = readXml(context, file, text);
  if (name === undefined) await takeOver(context, file, cib);
  else await saveShadow(context, name, cib);
}

async function importDecision(context: Context, { cib, origin }: DecidedFrom, name: string | undefined): Promise<void> {
  await saveShadow(context, name ?? `transition-${origin?.number ?? 'imported'}`, cib);
}

function readXml(context: Context, file: string, text: string): Cib {
  const result = importCib(text);
  if (!result.ok)
    throw new SystoleError(
      'invalid',
      `${file}${result.error.line === undefined ? '' : `:${result.error.line}`}: ${result.error.message}`,
    );
  for (const note of result.value.notes)
    context.remark(`${file}:${note.line}: ${note.kind}: ${note.element}: ${note.message}`);
  return result.value.cib;
}

async function takeOver(context: Context, file: string, { configuration }: Cib): Promise<void> {
  const live = await liveCib(context);
  const known = new Set(configuration.nodes.map((node) => node.name));
  const nodes = [...configuration.nodes, ...live.configuration.nodes.filter((node) => !known.has(node.name))];
  await commit(context, `cib import ${file}`, live, { ...live, configuration: { ...configuration, nodes } });
}
