/**
 * Completion, for the interactive shell and for bash, zsh and fish: what may stand next, from the tree of commands and
 * from what is configured. `systole complete WORD …` prints it. A person waits for each key: what is not needed for an
 * answer is not loaded for it.
 */
import { root } from '../tree.ts';
import { type Argument, type Command, findEntry, isLevel, type Level } from '../tree/entry.ts';
import type { Context } from './context.ts';
import { type Names, namesOf } from './names.ts';
import { optionHelp, takesValue } from './options.ts';

/** Candidates for the last of `words`, which may be empty. Sorted; each begins with that word. */
export async function complete(words: readonly string[], names: Names, from: Level = root): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const candidates = await candidatesFor(words.slice(0, -1), last, names, from);
  return [...new Set(candidates.filter((candidate) => candidate.startsWith(last)))].toSorted();
}

/** Words of the line that are no options of the shell itself, nor their values. */
function plainWords(before: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < before.length; at += 1) {
    const word = before[at] ?? '';
    if (!word.startsWith('-')) words.push(word);
    else if (takesValue(word)) at += 1;
  }
  return words;
}

async function candidatesFor(
  before: readonly string[],
  last: string,
  names: Names,
  from: Level,
): Promise<readonly string[]> {
  const previous = before.at(-1) ?? '';
  if (previous === '--format') return ['text', 'json'];
  if (takesValue(previous)) return (await import('./complete-files.ts')).filesBeginning(last);
  const words = plainWords(before);
  let level = from;
  for (const [index, word] of words.entries()) {
    const entry = findEntry(level, word) ?? (index === 0 ? findEntry(root, word) : undefined);
    if (entry === undefined || entry === 'ambiguous') {
      // Words that the language still reads but does not offer: ms, collocation.
      if (level.word !== 'configure') return [];
      return await statement(word.toLowerCase(), words.slice(index + 1), last, names);
    }
    if (isLevel(entry)) {
      level = entry;
      continue;
    }
    const args = words.slice(index + 1);
    if (entry.isStatement === true) return await statement(entry.word, args, last, names);
    return [...(last.startsWith('-') ? optionsOf(entry) : []), ...(await argumentCandidates(entry, args, last, names))];
  }
  if (last.startsWith('-')) return globalOptions;
  const own = level.children.filter(({ isHidden }) => isHidden !== true).map((entry) => entry.word);
  return level === root ? own : [...own, ...(from === root ? [] : ['up', 'quit', 'help'])];
}

const globalOptions: readonly string[] = optionHelp.flatMap(([text]) => text.match(/--[a-z-]+=?/g) ?? []);

/** Options that a command names in its usage line, and those that every command takes. */
const optionsOf = ({ details = '' }: Command): readonly string[] => [
  ...(/^usage:.*$/m.exec(details)?.[0].match(/--[a-z-]+/g) ?? []),
  ...globalOptions,
];

async function statement(
  word: string,
  args: readonly string[],
  last: string,
  names: Names,
): Promise<readonly string[]> {
  const { languageCandidates } = await import('./complete-language.ts');
  return await languageCandidates(word, args, last, names);
}

async function argumentCandidates(
  command: Command,
  args: readonly string[],
  last: string,
  names: Names,
): Promise<readonly string[]> {
  const argument = command.arguments[args.length] ?? command.arguments.findLast((each) => each.isRepeated === true);
  return argument === undefined ? [] : await ofKind(argument, args, last, names);
}

const resourceKinds: ReadonlySet<string> = new Set(['primitive', 'group', 'clone', 'bundle']);

async function ofKind(
  { kind }: Argument,
  args: readonly string[],
  last: string,
  names: Names,
): Promise<readonly string[]> {
  if (typeof kind !== 'string') return kind;
  switch (kind) {
    case 'text':
    case 'ticket':
      return [];
    case 'file':
      return (await import('./complete-files.ts')).filesBeginning(last);
    case 'shadow':
      return await names.shadows();
    case 'configuration':
      return await names.configurations();
    case 'agent':
      return await names.agents();
    case 'meta':
      return Object.keys((await import('../lint/known-names.ts')).metaShapes);
    case 'option':
      return (await import('../commands/options.ts')).knownOptions.map(({ name }) => name);
    case 'parameter':
      return await parametersOf(args[0] ?? '', names);
    default:
      break;
  }
  const items = await names.items();
  const ids = (wanted: (itemKind: string) => boolean): readonly string[] =>
    items.filter((item) => wanted(item.kind)).map((item) => item.id);
  switch (kind) {
    case 'node':
      return ids((each) => each === 'node');
    case 'resource':
      return ids((each) => resourceKinds.has(each));
    case 'resource|node':
      return ids((each) => resourceKinds.has(each) || each === 'node');
    case 'primitive':
    case 'group':
    case 'template':
      return ids((each) => each === kind);
    case 'id':
      return ids(() => true);
    case 'selection': {
      const { wordOf } = await import('../language/items.ts');
      return ['xml', 'json', 'changed', ...new Set(items.map((item) => `type:${wordOf(item)}`)), ...ids(() => true)];
    }
  }
}

/** Parameters of a resource that exists, or of an agent; behind an agent as `NAME=`. */
async function parametersOf(subject: string, names: Names): Promise<readonly string[]> {
  const item = (await names.items()).find(({ id, kind }) => id === subject && kind === 'primitive');
  if (item?.kind !== 'primitive') return (await names.parameters(subject)).map((name) => `${name}=`);
  const { agent } = item.value;
  if (agent === undefined) return [];
  return await names.parameters(
    [agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':'),
  );
}

/** The hidden command that the scripts call: one candidate a line. */
export async function answer(context: Context, words: readonly string[]): Promise<void> {
  const found = await complete(words, namesOf(context));
  if (found.length > 0) context.out(found.join('\n'));
}
