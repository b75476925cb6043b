/**
 * The level `configure`. A one-shot command edits and commits at once; in a script or the interactive shell edits are
 * collected until `commit`.
 */
import { SystoleError } from '@systole/kernel';
import type { Item } from '../language/items.ts';
import { definitionWords } from '../language/parse.ts';
import { completeWord, editingWords } from '../language/session.ts';
import type { Statement } from '../language/words.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { commitSession } from './configure-commit.ts';
import { toXml } from './configure-files.ts';
import { asStatement, collectEdits, host, isCollecting, openSession, tellRemarks } from './editing.ts';

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
  const [{ leaveConfigure }, { step, top }] = await Promise.all([
    import('../shell/leaving.ts'),
    import('../shell/script.ts'),
  ]);
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

/** Timeouts of operations as the agents advise them; an operation of which an agent says nothing is left alone. */
export async function defaultTimeouts(context: Context, ids: readonly string[]): Promise<void> {
  const session = await openSession(context);
  const { describeAgent } = await import('./agents-here.ts');
  for (const id of ids) {
    const item = session.draft.need(id);
    if (item.kind !== 'primitive' && item.kind !== 'template')
      throw new SystoleError('refused', `${id} is a ${item.kind}; only primitives have operations`);
    const template =
      item.kind === 'primitive' && item.value.template !== undefined
        ? session.draft.find(item.value.template)
        : undefined;
    const agent = item.value.agent ?? (template?.kind === 'template' ? template.value.agent : undefined);
    if (agent === undefined) throw new SystoleError('notFound', `${id} has no agent`);
    const { actions } = describeAgent(agent);
    const { operations } = item.value;
    const list = operations.list.map((operation) => {
      const advised =
        actions.find(({ name, role }) => name === operation.name && role === operation.role) ??
        actions.find(({ name }) => name === operation.name);
      return advised?.timeoutMs === undefined ? operation : { ...operation, timeout: `${advised.timeoutMs / 1000}s` };
    });
    session.draft.update({ ...item, value: { ...item.value, operations: { ...operations, list } } } as Item);
  }
  if (!isCollecting(context)) await commitSession(context, `configure default-timeouts ${ids.join(' ')}`);
}
