/**
 * Completion, for the interactive shell and for bash, zsh and fish: what may stand next, from the tree of commands and
 * from what is configured. `systole complete WORD …` prints it; the scripts below call that.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Cib } from '@systole/cib';
import { fromConfiguration, type Item } from '../language/items.ts';
import { definitionWords } from '../language/parse.ts';
import { editingWords } from '../language/session.ts';
import { wordOf } from '../language/select.ts';
import { cloneShapes, metaShapes } from '../lint/known-names.ts';
import { root } from '../tree.ts';
import { type Argument, findEntry, isLevel, type Kind, type Level } from '../tree/entry.ts';
import type { Context } from './context.ts';

/** What names are completed from; asked for only when needed. */
export interface Names {
  readonly items: () => Promise<readonly Item[]>;
  readonly shadows: () => readonly string[];
  readonly agents: () => Promise<readonly string[]>;
  /** Names of an agent's parameters. */
  readonly parameters: (agent: string) => Promise<readonly string[]>;
}

/** Candidates for the last of `words`, which may be empty. Sorted; each begins with that word. */
export async function complete(words: readonly string[], names: Names, from: Level = root): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const candidates = await candidatesFor(words.slice(0, -1), last, names, from);
  return [...new Set(candidates.filter((candidate) => candidate.startsWith(last)))].toSorted();
}

async function candidatesFor(
  before: readonly string[],
  last: string,
  names: Names,
  from: Level,
): Promise<readonly string[]> {
  let level = from;
  for (const [index, word] of before.entries()) {
    if (word.startsWith('-')) continue;
    const entry = findEntry(level, word) ?? (index === 0 ? findEntry(root, word) : undefined);
    if (entry === undefined || entry === 'ambiguous') return [];
    if (isLevel(entry)) {
      level = entry;
      continue;
    }
    const args = before.slice(index + 1);
    const isLanguage =
      level.word === 'configure' && ([...definitionWords, ...editingWords] as readonly string[]).includes(entry.word);
    if (isLanguage) return await languageCandidates(entry.word, args, last, names);
    const argument = entry.arguments[args.length] ?? entry.arguments.findLast((each) => each.isRepeated === true);
    return argument === undefined ? [] : await candidatesOf(argument, last, names);
  }
  const own = level.children.map((entry) => entry.word);
  return level === root ? own : [...own, ...(from === root ? [] : ['up', 'quit', 'help'])];
}

const candidatesOf = (argument: Argument, last: string, names: Names): Promise<readonly string[]> =>
  ofKind(argument.kind, last, names);

const resourceKinds = new Set<Item['kind']>(['primitive', 'group', 'clone', 'bundle']);

async function ofKind(kind: Kind, last: string, names: Names): Promise<readonly string[]> {
  if (typeof kind !== 'string') return kind;
  if (kind === 'file') return files(last);
  if (kind === 'shadow') return names.shadows();
  if (kind === 'agent') return await names.agents();
  if (kind === 'text' || kind === 'parameter' || kind === 'meta' || kind === 'ticket') return [];
  const items = await names.items();
  const ids = (wanted: (item: Item) => boolean): readonly string[] => items.filter(wanted).map((item) => item.id);
  switch (kind) {
    case 'node':
      return ids((item) => item.kind === 'node');
    case 'resource':
      return ids((item) => resourceKinds.has(item.kind));
    case 'primitive':
    case 'group':
    case 'template':
      return ids((item) => item.kind === kind);
    case 'id':
      return ids(() => true);
    case 'selection':
      return ['xml', 'json', 'changed', ...new Set(items.map((item) => `type:${wordOf(item)}`)), ...ids(() => true)];
    case 'option': {
      const { knownOptions } = await import('../commands/options.ts');
      return knownOptions.map(({ name }) => name);
    }
  }
}

function files(last: string): readonly string[] {
  const folder = last.endsWith('/') ? last : dirname(last);
  const prefix = last.includes('/') ? (last.endsWith('/') ? last : `${dirname(last)}/`) : '';
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(last.endsWith('/') ? '' : basename(last)))
      .map((name) => `${prefix}${name}${statSync(join(folder, name)).isDirectory() ? '/' : ''}`);
  } catch {
    // A folder that cannot be read has nothing to offer.
    return [];
  }
}

// --- the language ----------------------------------------------------------------------------------------------

const sections = ['params', 'meta', 'utilization', 'operations', 'op'];

const metaNames = Object.keys(metaShapes);
const cloneNames = Object.keys(cloneShapes);

async function languageCandidates(
  word: string,
  args: readonly string[],
  last: string,
  names: Names,
): Promise<readonly string[]> {
  const items = await names.items();
  const ids = (...kinds: readonly Item['kind'][]): readonly string[] =>
    items.filter((item) => kinds.includes(item.kind)).map((item) => item.id);
  const resources = ids('primitive', 'group', 'clone', 'bundle');
  const pairs = (list: readonly string[]): readonly string[] => list.map((name) => `${name}=`);
  const count = args.length;
  switch (word) {
    case 'primitive':
    case 'rsc_template':
      if (count === 0) return [];
      if (count === 1) return [...(await names.agents()), ...ids('template').map((id) => `@${id}`)];
      return [...sections, ...pairs(await inSection(args, names))];
    case 'group':
      return count === 0
        ? []
        : [...ids('primitive'), 'params', 'meta', ...(args.includes('meta') ? pairs(metaNames) : [])];
    case 'clone':
    case 'ms':
      if (count === 0) return [];
      return count === 1 ? ids('primitive', 'group') : ['params', 'meta', ...pairs([...cloneNames, ...metaNames])];
    case 'node':
      return count === 0 ? ids('node') : ['attributes', 'utilization'];
    case 'location':
      if (count === 0) return [];
      if (count === 1) return resources;
      return args.at(-1)?.endsWith(':') === true
        ? ids('node')
        : ['inf:', '-inf:', '100:', 'rule', 'role=', 'resource-discovery='];
    case 'colocation':
      return count === 0
        ? []
        : count === 1
          ? ['inf:', '-inf:', '100:']
          : [...resources, ...resources.map((id) => `${id}:Promoted`), 'node-attribute='];
    case 'order':
      return count === 0
        ? []
        : count === 1
          ? ['Mandatory:', 'Optional:', 'Serialize:', ...resources]
          : [...resources, ...resources.flatMap((id) => [`${id}:start`, `${id}:promote`]), 'symmetrical=false'];
    case 'rsc_ticket':
      return count < 2 ? [] : [...resources, 'loss-policy='];
    case 'property': {
      const { knownOptions } = await import('../commands/options.ts');
      return pairs(knownOptions.map(({ name }) => name));
    }
    case 'rsc_defaults':
      return pairs(metaNames);
    case 'op_defaults':
      return pairs(['timeout', 'on-fail', 'record-pending']);
    case 'fencing_topology':
      return [...ids('node').map((id) => `${id}:`), ...ids('primitive')];
    case 'tag':
      return count === 0 ? [] : items.map((item) => item.id);
    case 'acl_target':
    case 'acl_group':
      return count === 0 ? [] : ids('aclRole');
    case 'role':
      return ['read', 'write', 'deny', 'cib', 'status', 'property', ...resources.map((id) => `meta:${id}`)];
    case 'monitor':
      return count === 0 ? ids('primitive') : ['10s', '10s:20s', '30s'];
    case 'modgroup':
      if (count === 0) return ids('group');
      return count === 1 ? ['add', 'remove'] : count === 3 ? ['before', 'after'] : ids('primitive');
    case 'load':
      if (count === 0) return ['xml', 'replace', 'update', 'push'];
      return count === 1 && args[0] === 'xml' ? ['replace', 'update', 'push'] : files(last);
    case 'delete':
    case 'rename':
      return items.map((item) => item.id);
    case 'set':
      return items.flatMap((item) => (item.id.startsWith(last.split('.')[0] ?? '') ? [`${item.id}.`] : []));
    default:
      return [];
  }
}

/** Names that fit where a primitive's statement stands. */
async function inSection(args: readonly string[], names: Names): Promise<readonly string[]> {
  const section =
    args.findLast((word) => sections.includes(word) || word === 'op_params' || word === 'op_meta') ?? 'params';
  if (section === 'meta') return metaNames;
  if (section === 'op') {
    const at = args.lastIndexOf('op');
    return at === args.length - 1
      ? []
      : ['interval', 'timeout', 'on-fail', 'role', 'start-delay', 'enabled', 'record-pending'];
  }
  return section === 'params' ? await names.parameters(args[1] ?? '') : [];
}

// --- for other shells ------------------------------------------------------------------------------------------

const bash = `# bash completion for systole and crm
_systole() {
  local cur prev words cword
  if declare -F _init_completion >/dev/null; then _init_completion -n := || return
  else words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; fi
  local IFS=$'\\n'
  COMPREPLY=($("\${words[0]}" complete "\${words[@]:1:cword}" 2>/dev/null))
  [[ \${COMPREPLY[0]-} == *[=:./] ]] && compopt -o nospace
}
complete -F _systole systole crm
`;

const zsh = `#compdef systole crm
_systole() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -Q -- $found
}
compdef _systole systole crm
`;

const fish = `# fish completion for systole and crm
function __systole_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete $words[2..-1] 2>/dev/null
end
complete -c systole -f -a '(__systole_complete)'
complete -c crm -f -a '(__systole_complete)'
`;

export function script(context: Context, args: readonly string[]): void {
  context.out(args[0] === 'zsh' ? zsh : args[0] === 'fish' ? fish : bash);
}

/** Names from the live cluster; without a daemon there are none, and that is no failure here. */
export function namesOf(context: Context): Names {
  let cib: Promise<Cib | undefined> | undefined;
  return {
    items: async () => {
      if (context.session !== undefined) return context.session.session.draft.items;
      cib ??= context.client.cib().catch(() => undefined);
      const found = await cib;
      return found === undefined ? [] : fromConfiguration(found.configuration);
    },
    shadows: () => [],
    agents: async () => {
      const [{ installedAgents }, { formatAgentName }] = await Promise.all([
        import('../commands/ra.ts'),
        import('@systole/ra'),
      ]);
      return installedAgents().map(formatAgentName);
    },
    parameters: async (agent) => {
      const { agentNamed, describeAgent } = await import('../commands/ra.ts');
      try {
        return describeAgent(agentNamed(agent)).parameters.map(({ name }) => name);
      } catch {
        // An agent that is not here, or does not describe itself, has no names to offer.
        return [];
      }
    },
  };
}

/** The hidden command that the scripts call: one candidate a line. */
export async function answer(context: Context, words: readonly string[]): Promise<void> {
  const found = await complete(words, namesOf(context));
  if (found.length > 0) context.out(found.join('\n'));
}
