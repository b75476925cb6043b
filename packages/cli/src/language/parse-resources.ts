/** Reads primitives, templates, groups, clones, bundles, and the short way to add a monitor. */
import {
  type AgentName,
  type AttributeSet,
  type Operation,
  type Operations,
  type Pair,
  parseBoolean,
  parseRole,
  type Role,
} from '@systole/cib';
import type { Cursor } from './cursor.ts';
import type { LanguageProblem } from './problem.ts';
import type { Word } from './words.ts';
import type { BundleItem, Item } from './items.ts';
import { badRole, parseIdSpec, parsePairs, parseSet, resourceKeywords } from './parse-attributes.ts';
import { addUnit } from './units.ts';

/** How a text is read: what is typed gets defaults and units, what is loaded stays as it is. */
export type Mode = 'typed' | 'loaded';

/** An id: a letter or underscore, then letters, digits, `.`, `_`, `-`. `id=ID` is the same as `ID`. */
export function parseId(cursor: Cursor, what: string): string {
  const { word } = cursor;
  const id = cursor.next(`the id of the ${what}`).text.replace(/^id=/i, '');
  if (!/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(id)) {
    throw cursor.problem(
      `"${id}" cannot be an id; ids have letters, digits, ".", "_" and "-", and begin with a letter`,
      word,
    );
  }
  return id;
}

export function parseDescription(cursor: Cursor): { readonly description?: string } {
  const match = cursor.match(/^description=(.+)$/is);
  return match === undefined ? {} : { description: match[1] ?? '' };
}

/** `class:provider:type`, `class:type`, or a type alone: of ocf:heartbeat, or stonith if it begins with `fence_`. */
export function parseAgent(cursor: Cursor): AgentName {
  const word = cursor.next('a resource agent, such as ocf:heartbeat:IPaddr2');
  const parts = word.text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length > 3 || parts.includes('') || !/^[\w:.@\\-]+(?:\/[\w.@\\-]+)*$/.test(word.text)) {
    throw cursor.problem(
      `"${word.text}" does not name an agent; write class:provider:type, for example ocf:heartbeat:IPaddr2`,
      word,
    );
  }
  if (parts.length === 3) return { class: first, provider: second, type: third };
  if (parts.length === 2)
    return first === 'ocf' ? { class: first, provider: 'heartbeat', type: second } : { class: first, type: second };
  return first.startsWith('fence_')
    ? { class: 'stonith', type: first }
    : { class: 'ocf', provider: 'heartbeat', type: first };
}

interface Sections {
  readonly parameters: AttributeSet[];
  readonly meta: AttributeSet[];
  readonly utilization: AttributeSet[];
  operations: Operations;
}

const sectionNames = ['params', 'meta', 'utilization', 'operations', 'op'] as const;
type SectionName = (typeof sectionNames)[number];

/** Sections in any order; pairs before the first are parameters. */
function parseSections(cursor: Cursor, mode: Mode, allowed: readonly SectionName[]): Sections {
  const sections: Sections = { parameters: [], meta: [], utilization: [], operations: { list: [] } };
  const options = { stop: resourceKeywords, mayLackValue: true };
  const isSection = (keyword: string | undefined): keyword is SectionName => allowed.some((name) => name === keyword);
  if (!cursor.isAtEnd && !isSection(cursor.keyword)) {
    const { set, isEmpty } = parseSet(cursor, options);
    if (!isEmpty) sections.parameters.push(set);
  }
  while (isSection(cursor.keyword)) {
    switch (cursor.keyword) {
      case 'params':
        cursor.skip();
        sections.parameters.push(parseSet(cursor, options).set);
        break;
      case 'meta':
        cursor.skip();
        sections.meta.push(parseSet(cursor, options).set);
        break;
      case 'utilization':
        cursor.skip();
        sections.utilization.push(parseSet(cursor, options).set);
        break;
      case 'operations':
        cursor.skip();
        sections.operations = { ...sections.operations, ...parseOperationsId(cursor) };
        break;
      case 'op':
        cursor.skip();
        sections.operations = {
          ...sections.operations,
          list: [...sections.operations.list, parseOperation(cursor, mode)],
        };
        break;
    }
  }
  if (!cursor.isAtEnd) {
    throw cursor.problem(`"${cursor.text}" does not belong here; expected NAME=VALUE, ${allowed.join(', ')}`);
  }
  return sections;
}

function parseOperationsId(cursor: Cursor): { readonly id?: string; readonly idRef?: string } {
  const ids = parseIdSpec(cursor);
  if (ids.id === undefined && ids.idRef === undefined) throw cursor.expected('$id=ID or $id-ref=ID');
  return ids;
}

/** Settings of an operation, by their name in the text; what is none of these is a parameter of the agent's action. */
const settings = new Set([
  'id',
  'interval',
  'timeout',
  'start-delay',
  'interval-origin',
  'on-fail',
  'enabled',
  'record-pending',
  'role',
  'description',
]);

const onFailWords = ['ignore', 'block', 'stop', 'demote', 'restart', 'standby', 'fence', 'restart-container'];

/** `NAME [SETTING=VALUE …] [op_params SET] [op_meta SET]` */
function parseOperation(cursor: Cursor, mode: Mode): Operation {
  const name = cursor.match(/^[\w-]+$/)?.[0];
  if (name === undefined) throw cursor.expected('the name of an operation, such as monitor');
  const ids = parseIdSpec(cursor);
  const given = new Map<string, { value: string; word: Cursor['word'] }>();
  const own: Pair[] = [];
  for (;;) {
    const { word } = cursor;
    const [pair] = parseOnePair(cursor);
    if (pair === undefined) break;
    if (pair.name === undefined || pair.id !== undefined || !settings.has(pair.name)) own.push(pair);
    else given.set(pair.name, { value: pair.value ?? '', word });
  }
  const parameters: AttributeSet[] = own.length === 0 ? [] : [{ pairs: own }];
  const meta: AttributeSet[] = [];
  for (;;) {
    const target = cursor.keyword === 'op_params' ? parameters : cursor.keyword === 'op_meta' ? meta : undefined;
    if (target === undefined) break;
    cursor.skip();
    target.push(parseSet(cursor, { stop: resourceKeywords, mayLackValue: true }).set);
  }
  const text = (key: string): string | undefined => given.get(key)?.value;
  const optional = <Key extends string>(key: Key, value: string | undefined): { readonly [K in Key]?: string } =>
    value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: string });
  for (const key of ['interval', 'timeout']) {
    const value = given.get(key);
    if (mode === 'typed' && value !== undefined && !isTime(value.value))
      throw notATime(cursor, value.value, value.word);
  }
  const time = (value: string | undefined): string | undefined =>
    value === undefined || mode === 'loaded' ? value : addUnit(value);
  const interval = time(text('interval')) ?? (name === 'monitor' || ids.idRef !== undefined ? undefined : '0s');
  const id = ids.id ?? text('id');
  return {
    ...optional('id', id),
    ...optional('idRef', ids.idRef),
    name,
    ...optional('interval', interval),
    ...optional('timeout', time(text('timeout'))),
    ...optional('startDelay', text('start-delay')),
    ...optional('intervalOrigin', text('interval-origin')),
    ...optional('onFail', readOneOf(cursor, 'on-fail', given.get('on-fail'), onFailWords)),
    ...readFlag(cursor, 'enabled', given.get('enabled')),
    ...readFlag(cursor, 'recordPending', given.get('record-pending')),
    ...readRole(cursor, given.get('role')),
    ...optional('description', text('description')),
    parameters,
    meta,
  };
}

/** One pair, so that the word it came from is known. */
function parseOnePair(cursor: Cursor): readonly Pair[] {
  const { word, keyword } = cursor;
  if (word === undefined || keyword === undefined || resourceKeywords.has(keyword)) return [];
  const pairs = parsePairs(cursor.single(), { stop: resourceKeywords, mayLackValue: true });
  if (pairs.length > 0) cursor.skip();
  return pairs;
}

type Given = { readonly value: string; readonly word: Cursor['word'] } | undefined;

function readOneOf(cursor: Cursor, name: string, given: Given, words: readonly string[]): string | undefined {
  if (given === undefined || words.includes(given.value)) return given?.value;
  throw cursor.problem(`${name} is one of ${words.join(', ')}, not "${given.value}"`, given.word);
}

function readFlag<Key extends string>(cursor: Cursor, key: Key, given: Given): { readonly [K in Key]?: boolean } {
  if (given === undefined) return {};
  const value = parseBoolean(given.value);
  if (value === undefined) throw cursor.problem(`"${given.value}" is neither true nor false`, given.word);
  return { [key]: value } as { readonly [K in Key]?: boolean };
}

function readRole(cursor: Cursor, given: Given): { readonly role?: Role } {
  if (given === undefined) return {};
  const role = parseRole(given.value);
  if (role === undefined) throw badRole(cursor, given.value, given.word);
  return { role };
}

export function parsePrimitive(cursor: Cursor, mode: Mode): Item {
  const id = parseId(cursor, 'primitive');
  const template = cursor.match(/^@(.+)$/)?.[1];
  const agent = template === undefined ? parseAgent(cursor) : undefined;
  const description = parseDescription(cursor);
  const sections = parseSections(cursor, mode, sectionNames);
  return {
    kind: 'primitive',
    id,
    value: {
      kind: 'primitive',
      id,
      ...description,
      ...(agent === undefined ? {} : { agent }),
      ...(template === undefined ? {} : { template }),
      ...sections,
    },
  };
}

export function parseTemplate(cursor: Cursor, mode: Mode): Item {
  const id = parseId(cursor, 'template');
  const agent = parseAgent(cursor);
  const description = parseDescription(cursor);
  return {
    kind: 'template',
    id,
    value: { kind: 'template', id, ...description, agent, ...parseSections(cursor, mode, sectionNames) },
  };
}

export function parseGroup(cursor: Cursor, mode: Mode): Item {
  const id = parseId(cursor, 'group');
  const members: string[] = [];
  for (;;) {
    const { word } = cursor;
    if (word === undefined || word.text.includes('=') || cursor.keyword === 'params' || cursor.keyword === 'meta')
      break;
    if (members.includes(word.text)) throw cursor.problem(`${word.text} is in the group ${id} already`);
    members.push(word.text);
    cursor.skip();
  }
  if (members.length === 0) throw cursor.expected('the primitives of the group, in the order in which they start');
  const description = parseDescription(cursor);
  const { meta, parameters } = parseSections(cursor, mode, ['params', 'meta']);
  return { kind: 'group', id, value: { kind: 'group', id, ...description, meta, parameters, members } };
}

/** `ms` and `master` are the old words for a promotable clone. */
export function parseClone(cursor: Cursor, mode: Mode, word: string): Item {
  const id = parseId(cursor, 'clone');
  const member = cursor.match(/^[\p{L}_#$][^=]*$/u)?.[0];
  if (member === undefined) throw cursor.expected('the primitive or group to clone');
  const description = parseDescription(cursor);
  const { keyword } = cursor;
  if (keyword !== undefined && !/[=:]/.test(keyword) && !['params', 'meta', 'rule'].includes(keyword)) {
    throw cursor.problem(`a clone has one primitive or group; "${cursor.text}" is one too many`);
  }
  const { meta, parameters } = parseSections(cursor, mode, ['params', 'meta']);
  const isPromotable = word !== 'clone';
  return {
    kind: 'clone',
    id,
    value: {
      kind: 'clone',
      id,
      ...description,
      meta: isPromotable ? withDefault(meta, 'promotable', 'true') : meta,
      parameters,
      member,
    },
  };
}

/** Adds a pair to the first plain set, unless some set has that name. */
export function withDefault(sets: readonly AttributeSet[], name: string, value: string): readonly AttributeSet[] {
  if (sets.some((set) => set.pairs.some((pair) => pair.name === name))) return sets;
  const target = sets.findIndex((set) => set.rule === undefined && set.idRef === undefined);
  const set = sets[target];
  if (set === undefined) return [...sets, { pairs: [{ name, value }] }];
  return sets.with(target, { ...set, pairs: [...set.pairs, { name, value }] });
}

const containerTypes = new Set(['docker', 'podman', 'rkt']);
const bundleKeywords = new Set([
  ...containerTypes,
  'network',
  'port-mapping',
  'storage',
  'storage-mapping',
  'primitive',
  'meta',
  'params',
]);

export function parseBundle(cursor: Cursor): Item {
  const id = parseId(cursor, 'bundle');
  const description = parseDescription(cursor);
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  const ports: Readonly<Record<string, string>>[] = [];
  const storage: Readonly<Record<string, string>>[] = [];
  let containerType: string | undefined;
  let container: Readonly<Record<string, string>> = {};
  let network: Readonly<Record<string, string>> | undefined;
  let primitive: string | undefined;
  const values = (): Readonly<Record<string, string>> =>
    Object.fromEntries(parsePairs(cursor, { stop: bundleKeywords }).map((pair) => [pair.name ?? '', pair.value ?? '']));

  while (!cursor.isAtEnd) {
    const { word } = cursor;
    const keyword = cursor.next('a section').text.toLowerCase();
    if (containerTypes.has(keyword)) {
      if (containerType !== undefined && containerType !== keyword) {
        throw cursor.problem(`the bundle ${id} is ${containerType} already`, word);
      }
      containerType = keyword;
      container = { ...container, ...values() };
    } else if (keyword === 'network') network = { ...network, ...values() };
    else if (keyword === 'port-mapping') ports.push(values());
    else if (keyword === 'storage') cursor.accept('storage');
    else if (keyword === 'storage-mapping') storage.push(values());
    else if (keyword === 'meta') meta.push(parseSet(cursor, { stop: bundleKeywords }).set);
    else if (keyword === 'params') parameters.push(parseSet(cursor, { stop: bundleKeywords }).set);
    else if (keyword === 'primitive') primitive = parseId(cursor, 'primitive inside');
    else throw cursor.problem(`"${word?.text}" does not belong here; expected ${[...bundleKeywords].join(', ')}`, word);
  }
  if (containerType === undefined) throw cursor.expected('docker or podman with image=NAME', bundleKeywords);
  if (container['image'] === undefined)
    throw cursor.problem(`the bundle ${id} needs image=NAME, behind ${containerType}`);
  const value: BundleItem = {
    kind: 'bundle',
    id,
    ...description,
    meta,
    parameters,
    containerType,
    container,
    ...(network === undefined && ports.length === 0 ? {} : { network: network ?? {} }),
    ports,
    storage,
    ...(primitive === undefined ? {} : { primitive }),
  };
  return { kind: 'bundle', id, value };
}

/** `monitor RESOURCE[:ROLE] INTERVAL[:TIMEOUT]`: which primitive, and the operation it gets. */
export function parseMonitor(cursor: Cursor): {
  readonly resource: string;
  readonly operation: Operation;
  readonly word: Word;
} {
  const word = cursor.word;
  const [resource = '', roleText] = parseTwo(cursor, 'a primitive, as in vip or drbd:Promoted');
  const role = roleText === undefined ? undefined : parseRole(roleText);
  if (roleText !== undefined && role === undefined) throw badRole(cursor, roleText, word);
  const times = cursor.word;
  const [interval = '', timeout] = parseTwo(cursor, 'an interval, as in 30s or 30s:20s');
  for (const time of [interval, timeout ?? '0']) if (!isTime(time)) throw notATime(cursor, time, times);
  const operation: Operation = {
    name: 'monitor',
    interval: addUnit(interval),
    ...(timeout === undefined ? {} : { timeout: addUnit(timeout) }),
    ...(role === undefined ? {} : { role }),
    parameters: [],
    meta: [],
  };
  return { resource, operation, word: word ?? cursor.end };
}

/** A number with or without a unit, or an ISO 8601 duration; which units there are is for the cluster to say. */
const isTime = (text: string): boolean => /^\d|^P/i.test(text);

const notATime = (cursor: Cursor, text: string, word: Cursor['word']): LanguageProblem =>
  cursor.problem(`"${text}" is not a time; write for example 30s, 5min or 1h`, word);

/** `A` or `A:B`. */
function parseTwo(cursor: Cursor, expected: string): readonly string[] {
  const word = cursor.next(expected);
  const parts = word.text.split(':');
  if (parts.length > 2 || parts.includes('')) throw cursor.problem(`expected ${expected}, found "${word.text}"`, word);
  return parts;
}
