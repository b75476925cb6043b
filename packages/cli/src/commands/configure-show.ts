/** The configuration as text: shown, saved, changed in an editor; and what its options mean. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyCib, exportConfiguration } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { type Item, toConfiguration } from '../language/items.ts';
import { printItems } from '../language/print.ts';
import { selectItems } from '../language/select.ts';
import { Session } from '../language/session.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { readSettings } from '../shell/settings.ts';
import { commitSession } from './configure-commit.ts';
import { fileOptions, readCibFile } from './configure-files.ts';
import { host, isCollecting, openSession } from './editing.ts';

export async function show(context: Context, args: readonly string[]): Promise<void> {
  const { values, words } = fileOptions(args);
  const [format] = words;
  const isXml = format === 'xml';
  const isJson = format === 'json' || context.isJson;
  const selection = (isXml || format === 'json' ? words.slice(1) : words).filter((word) => word !== '');
  const { items, all, draft } = await shownItems(context, values.fromXml, selection);
  if (isJson) context.out(JSON.stringify(toConfiguration(withMembers(items, all), emptyCib.configuration)));
  else if (isXml) context.out(exportConfiguration(toConfiguration(withMembers(items, all), emptyCib.configuration)));
  else {
    const text = printItems(items, all);
    context.out(context.terminal.isTerminal && draft ? hideSecrets(text, selection) : text);
  }
}

async function shownItems(
  context: Context,
  file: string | undefined,
  selection: readonly string[],
): Promise<{ readonly items: readonly Item[]; readonly all: readonly Item[]; readonly draft: boolean }> {
  const words = selection.filter((word) => !word.startsWith('obscure:'));
  if (file !== undefined) {
    const session = new Session(readCibFile(file).configuration, host(context));
    return { items: selectItems(session.draft, words, session.baseItems), all: session.draft.items, draft: false };
  }
  const session = await openSession(context);
  return { items: selectItems(session.draft, words, session.baseItems), all: session.draft.items, draft: true };
}

/** Containers need their members to be written whole. */
function withMembers(items: readonly Item[], all: readonly Item[]): readonly Item[] {
  const wanted = new Set(items);
  const byId = new Map(all.map((item) => [item.id, item]));
  const add = (id: string): void => {
    const item = byId.get(id);
    if (item !== undefined) wanted.add(item);
  };
  for (const item of items) {
    if (item.kind === 'group') item.value.members.forEach(add);
    if (item.kind === 'clone') {
      add(item.value.member);
      const inner = byId.get(item.value.member);
      if (inner?.kind === 'group') inner.value.members.forEach(add);
    }
    if (item.kind === 'bundle' && item.value.primitive !== undefined) add(item.value.primitive);
  }
  return all.filter((item) => wanted.has(item));
}

/** Values whose names look like secrets; only on a terminal, so that saved text can be loaded. */
function hideSecrets(text: string, selection: readonly string[]): string {
  const patterns = selection.filter((word) => word.startsWith('obscure:')).map((word) => word.slice('obscure:'.length));
  const names = [
    'passw[^=\\s]*',
    ...patterns.map((pattern) => pattern.replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^=\\s]*')),
  ];
  return text.replace(new RegExp(`(\\s)(${names.join('|')})=("(?:[^"\\\\]|\\\\.)*"|\\S+)`, 'gi'), '$1$2=******');
}

export async function save(context: Context, args: readonly string[]): Promise<void> {
  const isXml = args[0] === 'xml';
  const words = isXml ? args.slice(1) : args;
  const path = words.at(-1);
  if (path === undefined) throw new UsageError('save lacks the name of a file');
  const session = await openSession(context);
  const items = selectItems(session.draft, words.slice(0, -1), session.baseItems);
  const all = session.draft.items;
  const text = isXml
    ? exportConfiguration(toConfiguration(withMembers(items, all), emptyCib.configuration))
    : printItems(items, all, { showsChosenIds: true });
  if (path === '-') context.out(text);
  else writeFileSync(path, text);
}

export async function edit(context: Context, args: readonly string[]): Promise<void> {
  const session = await openSession(context);
  const items = selectItems(session.draft, args, session.baseItems);
  const before = printItems(items, session.draft.items, { showsChosenIds: true });
  const folder = mkdtempSync(join(tmpdir(), 'systole-'));
  const file = join(folder, 'configuration.crm');
  try {
    writeFileSync(file, before, { mode: 0o600 });
    for (;;) {
      context.terminal.lend(() => runEditor(file));
      const text = readFileSync(file, 'utf8');
      if (text === before) {
        context.remark('nothing was edited');
        return;
      }
      const snapshot = session.draft.snapshot();
      try {
        session.edit(items, text, file);
        session.draft.finish();
        break;
      } catch (error) {
        session.draft.restore(snapshot);
        if (!(await editAgain(context, error))) return;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!isCollecting(context)) await commitSession(context, `configure edit ${args.join(' ')}`.trim());
}

async function editAgain(context: Context, error: unknown): Promise<boolean> {
  const { describeFailure } = await import('../shell/failure.ts');
  const failure = describeFailure(error);
  if (failure === undefined || !context.terminal.isInteractive) throw error;
  context.terminal.error(`${failure.text}\n`);
  return (await context.terminal.ask('Edit again?', ['yes', 'no'])) === 'yes';
}

function runEditor(file: string): void {
  const chosen = readSettings().editor;
  const editor = chosen !== '' ? chosen : (process.env['VISUAL'] ?? process.env['EDITOR'] ?? 'vi');
  const { status, error } = spawnSync(`${editor} '${file}'`, { shell: true, stdio: 'inherit' });
  if (error !== undefined || status !== 0)
    throw new SystoleError('failed', `the editor ${editor} failed; nothing was changed`);
}

export async function getProperty(context: Context, args: readonly string[]): Promise<void> {
  const isTrue = args.includes('-t') || args.includes('--true');
  const names = args.filter((arg) => !arg.startsWith('-'));
  const session = await openSession(context);
  const { readOption } = await import('./options.ts');
  const values = names.map((name) => readOption(session.draft.items, name));
  for (const [index, value] of values.entries()) {
    if (value === undefined && !isTrue)
      throw new SystoleError('notFound', `the option ${names[index] ?? ''} is not set, and has no default`);
  }
  const shown = values.map((value) => (isTrue ? String(/^(?:true|yes|on|y|1)$/i.test(value ?? '')) : (value ?? '')));
  context.answer(Object.fromEntries(names.map((name, index) => [name, shown[index]])), shown.join('\n'));
}

export async function describeOptions(context: Context, args: readonly string[]): Promise<void> {
  const session = await openSession(context);
  const { knownOptions, readOption } = await import('./options.ts');
  const known = knownOptions.filter(
    ({ name, former }) => args.length === 0 || args.includes(name) || args.includes(former ?? name),
  );
  if (known.length === 0) {
    const { didYouMean } = await import('../language/suggest.ts');
    const names = knownOptions.map(({ name }) => name);
    throw new SystoleError(
      'notFound',
      `nothing is known of the option "${args[0] ?? ''}"${didYouMean(args[0] ?? '', names)}`,
    );
  }
  const rows = known.map((option) => ({
    ...option,
    value: readOption(session.draft.items, option.name) ?? option.fallback,
  }));
  const { table } = await import('../render/table.ts');
  context.answer(rows, () =>
    table(
      rows.map(({ name, value, fallback, meaning }) => [
        name,
        value,
        value === fallback ? '' : `default ${fallback}`,
        meaning,
      ]),
    ),
  );
}
