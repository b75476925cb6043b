/** `systole cib`: Pacemaker's XML out (`cib-import.ts`: in), and shadow copies. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { applyChange, type Cib, diff, emptyCib, exportCib, importCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { fromConfiguration } from '../language/items.ts';
import { Session } from '../language/session.ts';
import { didYouMean } from '../language/suggest.ts';
import { diffItems } from '../render/diff.ts';
import { commit, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';
import { createShadow, deleteShadow, readShadow, readShadowBase, shadowNames } from './shadow.ts';

export async function exportXml(context: Context, args: readonly string[]): Promise<void> {
  const [file] = args;
  const cib = context.shadow === undefined ? await liveCib(context) : readShadow(context.shadow);
  if (context.isJson) context.out(JSON.stringify(cib));
  else if (file === undefined || file === '-') context.out(exportCib(cib));
  else writeFileSync(file, exportCib(cib));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SystoleError('notFound', `cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

// --- shadow copies ---------------------------------------------------------------------------------------------

/** The status is always the cluster's own, so that withstatus, as crmsh has it, is nothing else. */
const newWords = ['empty', 'force', 'withstatus'];

/** What is not committed must not go because something else is worked on. @throws SystoleError `refused` */
function keepsEdits(context: Context): void {
  if (context.isShell && context.session?.session.isChanged === true)
    throw new SystoleError(
      'refused',
      'there are edits that are not committed: configure commit, or configure refresh drops them',
    );
}

export async function create(context: Context, args: readonly string[]): Promise<void> {
  const [name = '', ...words] = args;
  const unknown = words.find((word) => !newWords.includes(word));
  if (unknown !== undefined)
    throw new UsageError(
      `cib new: expected ${newWords.join(' or ')}, found "${unknown}"${didYouMean(unknown, newWords)}`,
    );
  keepsEdits(context);
  const live = words.includes('empty') ? emptyCib : await liveCib(context);
  createShadow(name, live, live, context.options.isForced || words.includes('force'));
  use(context, [name]);
}

export function use(context: Context, args: readonly string[]): void {
  const [name] = args;
  if (name !== undefined && name !== 'live') readShadow(name);
  keepsEdits(context);
  context.session = undefined;
  context.shadow = name === 'live' ? undefined : name;
  const hint = context.terminal.isInteractive ? '' : `; in scripts and one-shot commands: SYSTOLE_SHADOW=${name ?? ''}`;
  context.remark(
    context.shadow === undefined
      ? 'working on the live configuration'
      : `working on the shadow copy ${context.shadow}${hint}`,
  );
}

export function list(context: Context): void {
  const names = shadowNames();
  context.answer(names, names.map((name) => (name === context.shadow ? `${name} (in use)` : name)).join('\n'));
}

export async function reset(context: Context, args: readonly string[]): Promise<void> {
  const [name = ''] = args;
  readShadow(name);
  const live = await liveCib(context);
  createShadow(name, live, live, true);
  context.session = undefined;
}

export function remove(context: Context, args: readonly string[]): void {
  const [name = ''] = args;
  deleteShadow(name);
  if (context.shadow === name) use(context, []);
}

/** Sends what was changed in the copy; what others changed meanwhile stays, unless it is the same thing. */
export async function commitShadow(context: Context, args: readonly string[]): Promise<void> {
  const name = args[0] ?? context.shadow;
  if (name === undefined) throw new UsageError('cib commit lacks the name of a shadow copy');
  const [base, edited, live] = [readShadowBase(name), readShadow(name), await liveCib(context)];
  const change = diff(base, { ...base, configuration: edited.configuration });
  const merged = applyChange({ ...live, status: live.status }, change);
  if (!merged.ok) {
    const [first] = merged.error;
    throw new SystoleError('conflict', `the live configuration has changed in the same place: ${first?.path ?? ''}`, {
      details: { conflicts: merged.error },
    });
  }
  await commit(context, `cib commit ${name}`, live, { ...merged.value, version: live.version });
}

/** A name, a file, or nothing: the shadow copy in use, or the live CIB. */
async function anyCib(context: Context, name: string | undefined): Promise<Cib> {
  if (name === undefined || name === 'live') return await liveCib(context);
  if (shadowNames().includes(name)) return readShadow(name);
  if (!existsSync(name)) throw new SystoleError('notFound', `there is no shadow copy and no file "${name}"`);
  const text = readText(name);
  if (/^\s*</.test(text)) {
    const result = importCib(text);
    if (!result.ok) throw new SystoleError('invalid', `${name}: ${result.error.message}`);
    return result.value.cib;
  }
  const session = new Session(emptyCib.configuration, { readFile: readText });
  session.load(text, name, 'update');
  return { ...emptyCib, configuration: session.draft.finish() };
}

export async function compare(context: Context, args: readonly string[]): Promise<number> {
  const [first, second] = args.length > 1 ? args : [undefined, args[0] ?? context.shadow];
  const [before, after] = [await anyCib(context, first), await anyCib(context, second)];
  const { edits } = diff(before, { ...before, configuration: after.configuration });
  const text = diffItems(fromConfiguration(before.configuration), fromConfiguration(after.configuration));
  context.answer(edits, text === '' ? 'no difference' : text);
  return edits.length === 0 ? exitStatus.done : exitStatus.failed;
}
