/** Completion of statements of the configuration language: what may stand next, by what stands before. */
import { cloneShapes, metaShapes, optionShapes, type Shape } from '../lint/known-names.ts';
import type { Item } from '../language/items.ts';
import { filesBeginning } from './complete-files.ts';
import type { Names } from './names.ts';

const sections = ['params', 'meta', 'utilization', 'operations', 'op'];

const metaNames = Object.keys(metaShapes);
const cloneNames = Object.keys(cloneShapes);

/** `NAME=` is followed by what it may be, where that is one of a few words. */
function values(last: string, word: string, args: readonly string[]): readonly string[] | undefined {
  const at = last.indexOf('=');
  if (at < 1) return undefined;
  const name = last.slice(0, at);
  const shapes: Readonly<Record<string, Shape>> =
    word === 'property'
      ? optionShapes
      : { ...metaShapes, ...cloneShapes, ...(args.includes('op') ? operationShapes : {}) };
  const shape = shapes[name];
  const words = shape === 'boolean' ? ['true', 'false'] : typeof shape === 'string' ? [] : (shape ?? []);
  return words.map((value) => `${name}=${value}`);
}

const operationShapes: Readonly<Record<string, Shape>> = {
  'on-fail': ['ignore', 'block', 'stop', 'demote', 'restart', 'standby', 'fence', 'restart-container'],
  role: ['Started', 'Stopped', 'Promoted', 'Unpromoted'],
  enabled: 'boolean',
  'record-pending': 'boolean',
};

export async function languageCandidates(
  word: string,
  args: readonly string[],
  last: string,
  names: Names,
): Promise<readonly string[]> {
  const known = values(last, word, args);
  if (known !== undefined && known.length > 0) return known;
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
      return pairs(Object.keys(optionShapes));
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
      return count === 1 && args[0] === 'xml' ? ['replace', 'update', 'push'] : filesBeginning(last);
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
