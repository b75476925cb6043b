/** Reads nodes, options and defaults, fencing levels, tags and alerts. */
import type {
  Alert,
  AlertRecipient,
  AlertSelection,
  AttributeSet,
  ConfiguredNode,
  FencingLevel,
  FencingTarget,
} from '@systole/cib';
import type { Cursor } from './cursor.ts';
import { defaultSetIds, FENCING, type Item, type OptionsKind } from './items.ts';
import { parseIdSpec, parseOptionalRule, parsePairs, parseSet } from './parse-attributes.ts';
import { type Mode, parseDescription, parseId } from './parse-resources.ts';

const nodeSections = new Set(['attributes', 'utilization']);
const nodeTypes = ['member', 'remote'];

/** `node [ID:] NAME[:TYPE] [description=D] [attributes SET] [utilization SET]` */
export function parseNode(cursor: Cursor): Item {
  const id = cursor.match(/^(?:\$id=(.+)|([\w-]+):)$/i);
  const { word } = cursor;
  const given = cursor.next("the node's name").text;
  const match = /^([^:=\s]+)(?::(.+))?$/.exec(given);
  if (match === null) throw cursor.problem(`"${given}" is not the name of a node`, word);
  const [, name = '', type] = match;
  if (type !== undefined && !nodeTypes.includes(type.toLowerCase())) {
    throw cursor.problem(`a node is of type member or remote, not "${type}"`, word);
  }
  const description = parseDescription(cursor);
  const attributes: AttributeSet[] = [];
  const utilization: AttributeSet[] = [];
  const options = { stop: new Set([...nodeSections, 'rule']), mayLackValue: true };
  if (cursor.keyword !== undefined && !nodeSections.has(cursor.keyword)) {
    const { set, isEmpty } = parseSet(cursor, options);
    if (!isEmpty) attributes.push(set);
  }
  while (cursor.keyword !== undefined && nodeSections.has(cursor.keyword)) {
    const target = cursor.keyword === 'attributes' ? attributes : utilization;
    cursor.skip();
    target.push(parseSet(cursor, options).set);
  }
  const value: ConfiguredNode = {
    id: id?.[1] ?? id?.[2] ?? name,
    name,
    ...(type?.toLowerCase() === 'remote' ? { type: 'remote' as const } : {}),
    ...description,
    attributes,
    utilization,
  };
  return { kind: 'node', id: name, value, hasId: id !== undefined };
}

/** `property [SET-ID:] [rule …] NAME=VALUE …`, and the same for rsc_defaults and op_defaults. */
export function parseOptions(cursor: Cursor, kind: OptionsKind, mode: Mode): Item {
  if (cursor.isAtEnd) throw cursor.expected('NAME=VALUE');
  const short = cursor.match(/^([\w.-]+):$/)?.[1];
  const ids = short === undefined ? parseIdSpec(cursor) : { id: short };
  if (ids.idRef !== undefined) {
    return { kind, id: ids.idRef, value: { idRef: ids.idRef, pairs: [] } };
  }
  const rule = parseOptionalRule(cursor);
  const isTyped = mode === 'typed';
  const pairs = parsePairs(cursor, { stop: new Set(), needsText: isTyped, mayLackValue: !isTyped });
  if (!cursor.isAtEnd) {
    throw cursor.problem(`expected NAME=VALUE, found "${cursor.text}"`);
  }
  const id = ids.id ?? defaultSetIds[kind];
  return { kind, id, value: { id, ...(rule === undefined ? {} : { rule }), pairs } };
}

/** `fencing_topology [TARGET:] DEVICES …`; without a target, for all of `nodes`. */
export function parseFencing(cursor: Cursor, nodes: readonly string[]): Item {
  const levels: FencingLevel[] = [];
  const counts = new Map<string, number>();
  const add = (target: FencingTarget, devices: readonly string[]): void => {
    const key = JSON.stringify(target);
    const index = (counts.get(key) ?? 0) + 1;
    counts.set(key, index);
    levels.push({ id: '', index, devices, target });
  };
  let target: FencingTarget | undefined;
  let isTargetFresh = false;
  while (!cursor.isAtEnd) {
    const next = parseTarget(cursor);
    if (next !== undefined) {
      if (isTargetFresh) break;
      target = next;
      isTargetFresh = true;
      continue;
    }
    const word = cursor.next('devices');
    const devices = word.text.split(',').filter((device) => device !== '');
    if (devices.length === 0) throw cursor.problem(`expected devices, found "${word.text}"`, word);
    isTargetFresh = false;
    if (target === undefined) nodes.forEach((name) => add({ type: 'node', name }, devices));
    else add(target, devices);
  }
  if (isTargetFresh || levels.length === 0) throw cursor.expected('fencing devices');
  const tooMany = levels.find((level) => level.index > 9);
  if (tooMany !== undefined) throw cursor.problem('a target has at most 9 levels');
  return { kind: 'fencing', id: FENCING, value: levels };
}

function parseTarget(cursor: Cursor): FencingTarget | undefined {
  const attribute = cursor.match(/^attr:([^=:]+)=(.+?):?$/i);
  if (attribute !== undefined) return { type: 'attribute', name: attribute[1] ?? '', value: attribute[2] ?? '' };
  const pattern = cursor.match(/^pattern:(.+)$/i);
  if (pattern !== undefined) return { type: 'pattern', pattern: pattern[1] ?? '' };
  const node = cursor.match(/^([^:]+):$/);
  return node === undefined ? undefined : { type: 'node', name: node[1] ?? '' };
}

/** `tag NAME[:] ID …` */
export function parseTag(cursor: Cursor): Item {
  const { word } = cursor;
  const id = cursor.match(/^([\p{L}_][^\s:=]*):?$/u)?.[1];
  if (id === undefined)
    throw word === undefined
      ? cursor.expected('the name of the tag')
      : cursor.problem(`"${word.text}" cannot name a tag`);
  const members: string[] = [];
  while (!cursor.isAtEnd) {
    const member = cursor.next('an id');
    if (!/^[\p{L}_][^=]*$/u.test(member.text)) throw cursor.problem(`"${member.text}" is not an id`, member);
    members.push(member.text);
  }
  if (members.length === 0) throw cursor.expected('the ids of what the tag stands for');
  return { kind: 'tag', id, value: { id, members } };
}

// --- alerts ----------------------------------------------------------------------------------------------------

const alertKeywords = new Set(['attributes', 'meta', 'to', 'select']);
const recipientKeywords = new Set(['attributes', 'meta', 'to', 'select', '}']);
const selectors = ['nodes', 'fencing', 'resources', 'attributes'];

/** `alert ID PATH [attributes SET] [meta SET] [select WHAT …] [to RECIPIENT | to { RECIPIENT … }] …` */
export function parseAlert(cursor: Cursor): Item {
  const id = parseId(cursor, 'alert');
  const path = cursor.next('the path of the program to run').text;
  const description = parseDescription(cursor);
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  const recipients: AlertRecipient[] = [];
  let select: AlertSelection | undefined;
  while (!cursor.isAtEnd) {
    if (cursor.accept('attributes')) parameters.push(parseSet(cursor, { stop: alertKeywords, mayLackValue: true }).set);
    else if (cursor.accept('meta')) meta.push(parseSet(cursor, { stop: alertKeywords, mayLackValue: true }).set);
    else if (cursor.accept('select')) select = parseSelection(cursor);
    else if (cursor.accept('to')) recipients.push(parseRecipient(cursor, `${id}-recipient-${recipients.length + 1}`));
    else throw cursor.expected('attributes, meta, select or to', alertKeywords);
  }
  const value: Alert = {
    id,
    path,
    ...description,
    ...(select === undefined ? {} : { select }),
    meta,
    parameters,
    recipients,
  };
  return { kind: 'alert', id, value };
}

function parseSelection(cursor: Cursor): AlertSelection {
  let selection: AlertSelection = { nodes: false, fencing: false, resources: false };
  let count = 0;
  for (;;) {
    if (cursor.accept('nodes')) selection = { ...selection, nodes: true };
    else if (cursor.accept('fencing')) selection = { ...selection, fencing: true };
    else if (cursor.accept('resources')) selection = { ...selection, resources: true };
    else if (cursor.keyword === 'attributes' && cursor.rest[1]?.text === '{') {
      cursor.skip();
      selection = { ...selection, attributes: parseAttributeNames(cursor) };
    } else break;
    count += 1;
  }
  if (count === 0) throw cursor.expected('nodes, fencing, resources or attributes { NAME … }', selectors);
  return selection;
}

function parseAttributeNames(cursor: Cursor): { readonly name: string }[] {
  const open = cursor.next('{');
  const names: { readonly name: string }[] = [];
  for (;;) {
    if (cursor.isAtEnd) throw cursor.problem('this brace is never closed; expected }', open);
    const { text } = cursor.next('}');
    if (text === '}') return names;
    names.push({ name: text });
  }
}

function parseRecipient(cursor: Cursor, id: string): AlertRecipient {
  const open = cursor.text === '{' ? cursor.next('{') : undefined;
  const word = cursor.next('a recipient');
  if (word.text === '}') throw cursor.problem('expected a recipient between { and }', word);
  const description = parseDescription(cursor);
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  const options = { stop: recipientKeywords, mayLackValue: true };
  for (;;) {
    if (cursor.accept('attributes')) parameters.push(parseSet(cursor, options).set);
    else if (cursor.accept('meta')) meta.push(parseSet(cursor, options).set);
    else break;
  }
  if (open !== undefined && !cursor.accept('}')) throw cursor.expected(`} to close { at column ${open.column}`);
  return { id, value: word.text, ...description, meta, parameters };
}
