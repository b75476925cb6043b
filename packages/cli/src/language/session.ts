/**
 * The `configure` level: statements and commands, one after the other, on a draft. A command that fails leaves the
 * draft as it was. Everything outside (files, programs, the live cluster) comes in through `SessionHost`.
 */
import { type Configuration, emptyCib, importCib } from '@systole/cib';
import { Cursor } from './cursor.ts';
import { Draft } from './draft.ts';
import { fromConfiguration, type Item } from './items.ts';
import { definitionWords, parseDefinition } from './parse.ts';
import { parseMonitor } from './parse-resources.ts';
import { printItems } from './print.ts';
import { LanguageProblem, LanguageProblems, type Place } from './problem.ts';
import { changedItems, selectItems } from './select.ts';
import { didYouMean } from './suggest.ts';
import { placeOf, readText, type Statement, type Word } from './words.ts';

export interface SessionHost {
  /** The text of a file; `-` is standard input. @throws LanguageProblem if it cannot be read. */
  readFile(path: string): string;
  /** What `program` (a shell command) prints when it reads `text`; absent where none can be run. @throws LanguageProblem if it fails. */
  runFilter?(program: string, text: string): string;
}

/** Words for which the language itself needs nothing from outside. */
export const editingWords = [
  'delete',
  'rm',
  'rename',
  'modgroup',
  'set',
  'monitor',
  'load',
  'filter',
  'erase',
  'commit',
  'refresh',
] as const;

const allWords: readonly string[] = [...definitionWords, ...editingWords];

/** Words that are only other spellings; they do not make a beginning ambiguous. */
const aliases = new Set(['collocation', 'fencing-topology', 'rm', 'ms', 'master', 'user']);

/** The word meant by `text`: itself, or the one word that begins with it. */
export function completeWord(text: string, words: readonly string[] = allWords): string | undefined {
  const wanted = text.toLowerCase();
  if (words.includes(wanted)) return wanted;
  const starting = words.filter((word) => word.startsWith(wanted) && !aliases.has(word));
  return starting.length === 1 ? starting[0] : undefined;
}

export class Session {
  readonly #host: SessionHost;
  #base: Configuration;
  #draft: Draft;

  constructor(base: Configuration, host: SessionHost) {
    this.#host = host;
    this.#base = base;
    this.#draft = new Draft(base);
  }

  get draft(): Draft {
    return this.#draft;
  }

  /** The configuration that the draft began with, or that was committed last. */
  get base(): Configuration {
    return this.#base;
  }

  get baseItems(): readonly Item[] {
    return fromConfiguration(this.#base);
  }

  get isChanged(): boolean {
    const { items } = this.#draft;
    const before = this.baseItems;
    return items.length !== before.length || changedItems(items, before).length > 0;
  }

  /** To go on with, while this one is the way back. */
  copy(): Session {
    const other = new Session(this.#base, this.#host);
    other.#draft = this.#draft.copy();
    return other;
  }

  /** Runs every statement of a script. */
  run(text: string, name: string): void {
    for (const statement of readText(text, name).statements) this.execute(statement);
  }

  /** Runs one statement; the draft is unchanged if it throws. @returns whether the word was one of this level's. */
  execute(given: Statement): void {
    const statement = withoutPrefix(given);
    const snapshot = this.#draft.snapshot();
    try {
      this.#dispatch(statement);
    } catch (error) {
      this.#draft.restore(snapshot);
      throw error;
    }
  }

  #dispatch(given: Statement): void {
    const [first] = given.words;
    if (first === undefined) return;
    const word = completeWord(first.text);
    if (word === undefined) throw unknownWord(given, allWords);
    const statement: Statement = { ...given, words: [{ ...first, text: word }, ...given.words.slice(1)] };
    const place = placeOf(statement.source, first);
    const cursor = new Cursor(statement);
    cursor.skip();
    switch (word) {
      case 'delete':
      case 'rm':
        return this.#delete(cursor, place);
      case 'rename': {
        const from = cursor.next('the id to change').text;
        const to = cursor.next('the new id').text;
        cursor.finish();
        return this.#draft.rename(from, to, place);
      }
      case 'modgroup':
        return this.#changeGroup(cursor);
      case 'set': {
        const path = cursor.next('what to set, as in vip.ip or vip.monitor.timeout');
        const value = cursor.next('the new value').text;
        cursor.finish();
        return this.#draft.set(path.text, value, placeOf(statement.source, path));
      }
      case 'monitor': {
        const { resource, operation, word: subject } = parseMonitor(cursor);
        cursor.finish();
        return this.#draft.addOperation(resource, operation, placeOf(statement.source, subject));
      }
      case 'load':
        return this.#load(cursor);
      case 'filter':
        return this.#filter(cursor);
      case 'erase':
        return this.#erase(cursor);
      case 'refresh':
        cursor.finish();
        return this.refresh();
      case 'commit':
        cursor.match(/^force$/i);
        cursor.match(/^replace$/i);
        cursor.finish();
        return this.settle(this.#draft.finish());
      default:
        for (const item of parseDefinition(statement, { mode: 'typed', nodes: () => this.#draft.nodeNames }))
          this.#draft.add(item);
    }
  }

  /** Begins again from the base. */
  refresh(): void {
    this.#draft = new Draft(this.#base);
  }

  /** Goes on from `configuration`, which has been committed. */
  settle(configuration: Configuration): void {
    const { remarks } = this.#draft;
    this.#base = configuration;
    this.#draft = new Draft(configuration);
    for (const remark of remarks) this.#draft.remark(remark);
  }

  #delete(cursor: Cursor, place: Place): void {
    const ids: string[] = [];
    while (!cursor.isAtEnd) {
      const word = cursor.next('an id');
      if (word.text === '-f' || word.text === '--force') continue;
      this.#draft.need(word.text, placeOf(cursor.statement.source, word));
      ids.push(word.text);
    }
    if (ids.length === 0) throw cursor.expected('the ids to delete');
    this.#draft.remove(ids, place);
  }

  #changeGroup(cursor: Cursor): void {
    const at = (word: Word): Place => placeOf(cursor.statement.source, word);
    const group = cursor.next('the group');
    const isAdding = cursor.accept('add');
    if (!isAdding && !cursor.accept('remove')) throw cursor.expected('add or remove', ['add', 'remove']);
    const memberWord = cursor.next('a primitive');
    const member = memberWord.text;
    const where = isAdding ? cursor.match(/^(?:before|after)$/i)?.[0].toLowerCase() : undefined;
    const besideWord = where === undefined ? undefined : cursor.next('a member of the group');
    cursor.finish();
    const places = { group: at(group), member: at(memberWord), beside: besideWord && at(besideWord) };
    if (!isAdding) this.#draft.changeGroup(group.text, { type: 'remove', member }, places);
    else {
      const type = where === 'before' ? 'before' : 'after';
      const beside = besideWord?.text;
      this.#draft.changeGroup(group.text, { type, member, ...(beside === undefined ? {} : { beside }) }, places);
    }
  }

  #load(cursor: Cursor): void {
    const isXml = cursor.accept('xml');
    const word = cursor.next('replace, update or push');
    const method = word.text.toLowerCase();
    if (method !== 'replace' && method !== 'update' && method !== 'push') {
      const near = didYouMean(word.text, ['replace', 'update', 'push']);
      throw cursor.problem(`expected replace, update or push, found "${word.text}"${near}`, word);
    }
    const path = cursor.next('a file');
    cursor.finish();
    const text = this.#readFile(path.text, placeOf(cursor.statement.source, path));
    this.load(text, path.text, method, isXml || /^\s*(?:<\?xml|<cib|<configuration)/.test(text));
  }

  #readFile(path: string, place: Place): string {
    try {
      return this.#host.readFile(path);
    } catch (error) {
      if (error instanceof LanguageProblem && error.place === undefined) {
        throw new LanguageProblem(error.message, { place, code: error.code, hint: error.hint });
      }
      throw error;
    }
  }

  /** Merges the definitions of a text into the draft. */
  load(text: string, name: string, method: 'replace' | 'update' | 'push', isXml = false): void {
    const items = isXml ? itemsOfXml(text, name) : itemsOfText(text, name, this.#draft.nodeNames);
    this.#draft.load(items, method);
  }

  /** Prints some items, lets a program change the text, and reads it again. */
  #filter(cursor: Cursor): void {
    const program = cursor.next('a program').text;
    const isXml = cursor.accept('xml');
    if (isXml) throw cursor.problem('filter works on text; use cib export and cib import for XML');
    const ids = cursor.takeRest().map((word) => word.text);
    const items = selectItems(this.#draft, ids, this.baseItems);
    if (this.#host.runFilter === undefined) throw cursor.problem('programs cannot be run here');
    this.edit(items, this.#host.runFilter(program, printItems(items, this.#draft.items)), 'the output of the filter');
  }

  /** Replaces items by what a text defines; what the text lacks is deleted. */
  edit(items: readonly Item[], text: string, name: string): void {
    const loaded = itemsOfText(text, name, this.#draft.nodeNames);
    const kept = new Set(loaded.map((item) => `${item.kind} ${item.id}`));
    const gone = items.filter((item) => !kept.has(`${item.kind} ${item.id}`));
    if (gone.length > 0) this.#draft.remove(gone.map((item) => item.id));
    this.#draft.load(loaded, 'update');
  }

  #erase(cursor: Cursor): void {
    const isNodes = cursor.accept('nodes');
    cursor.finish();
    if (isNodes) this.#draft.remove(this.#draft.nodeNames);
    else this.#draft.erase();
  }
}

/** How prompts in guides look: `crm(live/n1)configure#`, `root@n1:~ #`. */
const promptWord = /^(?:crm\([^)]*\)([\w/]*)[#>]|[\w.-]+@[\w.:~/-]+[#$]|\[[^\]]*\][#$])$/;

/** Lines copied from a guide begin with a prompt, or with the program's name. `level` is what the prompt says. */
export function withoutPrompt(statement: Statement): { readonly statement: Statement; readonly level?: string } {
  const { words } = statement;
  const prompt = promptWord.exec(words[0]?.text ?? '');
  let skip = prompt === null ? 0 : 1;
  const program = words[skip]?.text === 'sudo' ? skip + 1 : skip;
  if (/^(?:crm|systole)$/.test(words[program]?.text ?? '')) skip = program + 1;
  if (skip === 0 || words.length === skip) return { statement };
  const level = prompt?.[1] ?? '';
  return { statement: { ...statement, words: words.slice(skip) }, ...(level === '' ? {} : { level }) };
}

function withoutPrefix(given: Statement): Statement {
  const { statement } = withoutPrompt(given);
  const { words } = statement;
  return words[0]?.text === 'configure' && words.length > 1 ? { ...statement, words: words.slice(1) } : statement;
}

export function unknownWord(statement: Statement, words: readonly string[]): LanguageProblem {
  const [first] = statement.words;
  const text = first?.text ?? '';
  const starting = words.filter((word) => word.startsWith(text.toLowerCase()) && !aliases.has(word));
  const place = first === undefined ? undefined : placeOf(statement.source, first);
  if (starting.length > 1) return new LanguageProblem(`"${text}" is ambiguous: ${starting.join(', ')}`, { place });
  return new LanguageProblem(`"${text}" is no command here${didYouMean(text, words)}`, { place });
}

/** All definitions of a text. @throws LanguageProblems with everything that is wrong. */
export function itemsOfText(text: string, name: string, nodes: readonly string[]): readonly Item[] {
  const problems: LanguageProblem[] = [];
  const items: Item[] = [];
  const { statements } = readText(text, name);
  const own = statements.flatMap(({ words }) => (words[0]?.text === 'node' ? [nodeName(words)] : []));
  for (const given of statements) {
    try {
      items.push(
        ...parseDefinition(expandWord(withoutPrefix(given)), {
          mode: 'loaded',
          nodes: () => [...new Set([...nodes, ...own])],
        }),
      );
    } catch (error) {
      if (!(error instanceof LanguageProblem)) throw error;
      problems.push(error);
    }
  }
  const [first] = problems;
  if (first !== undefined) throw problems.length === 1 ? first : new LanguageProblems(problems.slice(0, 20));
  return items;
}

/** The node that a `node` statement is about. */
const nodeName = (words: Statement['words']): string =>
  (words.find(({ text }, index) => index > 0 && !text.endsWith(':') && !text.startsWith('$id='))?.text ?? '').replace(
    /:(?:member|remote)$/,
    '',
  );

function expandWord(statement: Statement): Statement {
  const [first, ...rest] = statement.words;
  if (first === undefined) return statement;
  const word = completeWord(first.text, definitionWords);
  if (word === undefined) throw unknownWord(statement, definitionWords);
  return { ...statement, words: [{ ...first, text: word }, ...rest] };
}

function itemsOfXml(text: string, name: string): readonly Item[] {
  const result = importCib(text);
  if (!result.ok) {
    const { message, line } = result.error;
    throw new LanguageProblem(`${name}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
  return fromConfiguration(result.value.cib.configuration);
}

/** The configuration as text. */
export const printConfiguration = (configuration: Configuration): string => {
  const comments = (configuration.comments ?? []).map((comment) => `# ${comment}\n`).join('');
  return comments + printItems(fromConfiguration(configuration));
};

/** An empty configuration. */
export const nothing: Configuration = emptyCib.configuration;
