/**
 * The level `configure`. A one-shot command edits and commits at once; in a script or the interactive shell edits are
 * collected until `commit`. `--base`, `--file`, `--to-xml` and `--from-xml` work on files, without a daemon.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cib, emptyCib, exportCib, exportConfiguration, importCib } from '@systole/cib/document';
import { SystoleError } from '@systole/kernel';
import { type Item, toConfiguration } from '../language/items.ts';
import { printItems } from '../language/print.ts';
import { LanguageProblem } from '../language/problem.ts';
import { changedItems, selectItems } from '../language/select.ts';
import { completeWord, editingWords, Session, type SessionHost } from '../language/session.ts';
import { definitionWords } from '../language/parse.ts';
import { Source, type Statement } from '../language/words.ts';
import { quote } from '../language/quote.ts';
import { commit, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';

// --- the session -----------------------------------------------------------------------------------------------

const host = (context: Context): SessionHost => ({
  readFile: (path) => {
    if (path === '-') return context.terminal.readInput();
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new LanguageProblem(`cannot read ${path}: ${(error as Error).message}`, { code: 'notFound' });
    }
  },
  runFilter: (program, text) => {
    const { status, stdout, stderr, error } = spawnSync('/bin/sh', ['-c', program], {
      input: text,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw new LanguageProblem(`cannot run ${program}: ${error.message}`, { code: 'refused' });
    if (status !== 0)
      throw new LanguageProblem(`${program} ended with ${status ?? 'a signal'}: ${stderr.trim()}`, { code: 'refused' });
    return stdout;
  },
});

/** The CIB that is worked on: the live one, or the shadow copy in use. */
async function currentCib(context: Context): Promise<Cib> {
  if (context.shadow === undefined) return await liveCib(context);
  const { readShadow } = await import('./shadow.ts');
  return readShadow(context.shadow);
}

/** The session of a script or shell; begun, or begun again with the newest configuration if nothing is edited. */
async function openSession(context: Context): Promise<Session> {
  if (context.session?.session.isChanged === true) return context.session.session;
  const cib = await currentCib(context);
  const session = new Session(cib.configuration, host(context));
  context.session = { session, cib };
  return session;
}

const tellRemarks = (context: Context, session: Session, from = 0): void => {
  for (const remark of session.draft.remarks.slice(from)) context.remark(remark);
};

// --- statements ------------------------------------------------------------------------------------------------

/** One word of the language. In the shell it edits; as a one-shot command it edits and commits. */
export async function statement(context: Context, words: readonly string[]): Promise<number | void> {
  if (words.some((word) => word === '--to-xml')) return toXml(context, words);
  const session = await openSession(context);
  const isOneShot = !isCollecting(context);
  const before = session.draft.remarks.length;
  session.execute(asStatement(words));
  tellRemarks(context, session, before);
  if (isOneShot) await commitSession(context, `configure ${words.join(' ')}`);
  return undefined;
}

/** A session that was begun by the shell collects edits; a one-shot command has none yet. */
const collecting = new WeakSet<Context>();
const isCollecting = (context: Context): boolean => collecting.has(context);

/** From now on edits wait for `commit`. */
export const collectEdits = (context: Context): void => {
  collecting.add(context);
};

/** Runs a line of a script as an edit, with its place in messages. @returns whether it was one. */
export async function editWithPlace(context: Context, given: Statement): Promise<boolean> {
  const word = completeWord(given.words[0]?.text ?? '');
  const isOwn = word !== undefined && word !== 'commit' && word !== 'refresh';
  if (!isOwn || !([...definitionWords, ...editingWords] as readonly string[]).includes(word)) return false;
  collectEdits(context);
  const session = await openSession(context);
  const before = session.draft.remarks.length;
  session.execute(given);
  tellRemarks(context, session, before);
  return true;
}

/** Words of a command line, which the system's shell has split already. */
function asStatement(words: readonly string[]): Statement {
  let column = 1;
  const quoted = words.map((text) => (/^[^\s"'\\]+$/.test(text) ? text : quote(text)));
  const placed = words.map((text, index) => {
    const length = quoted[index]?.length ?? 0;
    const word = { text, line: 1, column, length };
    column += length + 1;
    return word;
  });
  return { words: placed, comments: [], source: new Source('', quoted.join(' ')) };
}

/** `systole configure` alone: a script on standard input, or what `--file` names. */
export async function alone(context: Context, args: readonly string[]): Promise<number | void> {
  if (args.includes('--to-xml')) return toXml(context, args);
  if (args.length > 0)
    throw new UsageError(`configure has no option "${args[0] ?? ''}"`, '  options: --base FILE --file FILE --to-xml');
  const { file } = context.options;
  if (file === undefined && context.terminal.isInteractive) {
    const { interact } = await import('../prompt.ts');
    return await interact(context, 'configure');
  }
  const { leaveConfigure, step, top } = await import('../shell/script.ts');
  const { readText } = await import('../language/words.ts');
  collectEdits(context);
  const text = file === undefined || file === '-' ? context.terminal.readInput() : host(context).readFile(file);
  let position = await step(context, top, ['configure']);
  for (const line of readText(text, file ?? '').statements) {
    if (typeof position === 'number') return position;
    const words = line.words.map((word) => word.text);
    if (['quit', 'bye', 'exit', 'end', 'up'].includes(words[0] ?? '')) break;
    position = await step(context, position, words, line);
  }
  if (typeof position === 'number') return position;
  await leaveConfigure(context);
  return undefined;
}

// --- committing ------------------------------------------------------------------------------------------------

export async function commitEdits(context: Context, args: readonly string[]): Promise<void> {
  const open = context.session;
  if (open?.session.isChanged !== true) {
    context.remark('nothing to commit');
    return;
  }
  const isForced = args.includes('force') || context.options.isForced;
  if (
    context.terminal.isInteractive &&
    !isForced &&
    context.shadow === undefined &&
    !(await agreed(context, open.session, open.cib))
  )
    return;
  await commitSession(context, `configure commit: ${summaryOf(open.session)}`);
}

/** So many names are told in the history. */
const NAMES_TOLD = 12;

/** What was edited, by name: `www, prefer-n1, -old`. */
function summaryOf(session: Session): string {
  const { items } = session.draft;
  const kept = new Set(items.map((item) => item.id));
  const names = [
    ...changedItems(items, session.baseItems).map((item) => item.id),
    ...session.baseItems.filter((item) => !kept.has(item.id)).map((item) => `-${item.id}`),
  ];
  const more = names.length > NAMES_TOLD ? ` and ${names.length - NAMES_TOLD} more` : '';
  return `${names.slice(0, NAMES_TOLD).join(', ')}${more}`;
}

/** Shows what would happen, and asks if something that runs would stop or move. */
async function agreed(context: Context, session: Session, cib: Cib): Promise<boolean> {
  const after: Cib = { ...cib, configuration: session.draft.finish() };
  const { disturbances, renderPlan } = await import('../render/plan.ts');
  const disturbed = disturbances(cib, after);
  if (disturbed.length === 0) return true;
  context.out(renderPlan(cib, after));
  const answer = await context.terminal.ask('Services that run would be disturbed. Commit?', ['no', 'yes']);
  return answer === 'yes';
}

async function commitSession(context: Context, command: string): Promise<void> {
  const open = context.session;
  if (open === undefined) return;
  const configuration = open.session.draft.finish();
  if (context.shadow !== undefined) {
    const { writeShadow } = await import('./shadow.ts');
    writeShadow(context.shadow, { ...open.cib, configuration });
    open.session.settle(configuration);
    return;
  }
  const after: Cib = { ...open.cib, configuration };
  await commit(context, command, open.cib, after);
  if (context.options.isDryRun) return;
  context.session = undefined;
}

export async function refresh(context: Context): Promise<void> {
  context.session = undefined;
  await openSession(context);
}

export async function diffEdits(context: Context): Promise<void> {
  const session = await openSession(context);
  const { diffItems } = await import('../render/diff.ts');
  const text = diffItems(session.baseItems, session.draft.items);
  context.out(text === '' ? 'nothing was edited' : text);
}

export async function simulateEdits(context: Context, _args: readonly string[]): Promise<void> {
  const session = await openSession(context);
  const cib = context.session?.cib ?? emptyCib;
  const { renderPlan } = await import('../render/plan.ts');
  context.out(renderPlan(cib, { ...cib, configuration: session.draft.finish() }));
}

export async function verifyEdits(context: Context): Promise<number> {
  const session = await openSession(context);
  const { verifyConfiguration } = await import('./answers.ts');
  return await verifyConfiguration(context, session.draft.finish());
}

// --- showing ---------------------------------------------------------------------------------------------------

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
      runEditor(file);
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
  const editor = process.env['VISUAL'] ?? process.env['EDITOR'] ?? 'vi';
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

// --- files -----------------------------------------------------------------------------------------------------

interface FileOptions {
  readonly base?: string;
  readonly fromXml?: string;
}

function fileOptions(args: readonly string[]): { readonly values: FileOptions; readonly words: readonly string[] } {
  const values: { base?: string; fromXml?: string } = {};
  const words: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--base' || arg === '--from-xml') {
      at += 1;
      const value = args[at];
      if (value === undefined) throw new UsageError(`${arg} needs a file`);
      values[arg === '--base' ? 'base' : 'fromXml'] = value;
    } else if (arg !== '--to-xml') words.push(arg);
  }
  return { values, words };
}

export function readCibFile(path: string): Cib {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new SystoleError('notFound', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = importCib(text);
  if (result.ok) return result.value.cib;
  const { line, message } = result.error;
  throw new SystoleError('invalid', `${path}${line === undefined ? '' : `:${line}`}: ${message}`);
}

/** `configure --base BASE.xml --file INPUT.crm --to-xml`: applies text to a file and prints the resulting CIB. */
export function toXml(context: Context, args: readonly string[]): void {
  const { values, words } = fileOptions(args);
  const base = values.base === undefined ? emptyCib : readCibFile(values.base);
  const session = new Session(base.configuration, host(context));
  const { file } = context.options;
  if (file !== undefined) session.run(host(context).readFile(file), file);
  if (words.length > 0) session.execute(asStatement(words));
  const configuration = session.draft.finish();
  tellRemarks(context, session);
  context.out(exportCib({ ...base, configuration }));
}
