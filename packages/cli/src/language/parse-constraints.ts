/** Reads location, colocation, order and rsc_ticket. */
import {
  type Action,
  type OrderKind,
  parseBoolean,
  parseRole,
  parseScore,
  type ResourceSet,
  type Role,
  type Rule,
  type Score,
} from '@systole/cib';
import type { Cursor } from './cursor.ts';
import type { ItemOf } from './items.ts';
import { badRole, parseRoleSetting, parseRule } from './parse-attributes.ts';
import { parseId } from './parse-resources.ts';
import { didYouMean } from './suggest.ts';
import type { Word } from './words.ts';

type ConstraintItem = ItemOf<'constraint'>;

// --- location --------------------------------------------------------------------------------------------------

/** `location ID RESOURCE|/PATTERN/|{ SET } [role=R] [resource-discovery=D] SCORE: NODE | rule … [rule …]` */
export function parseLocation(cursor: Cursor): ConstraintItem {
  const id = parseId(cursor, 'constraint');
  const subject = parseSubject(cursor);
  let settings = parseLocationSettings(cursor);
  const { word } = cursor;
  const given = cursor.match(/^([^:]+):$/);
  if (given !== undefined) {
    const score = isWholeScore(given[1] ?? '') ? parseScore(given[1] ?? '') : undefined;
    if (score === undefined) throw notAScore(cursor, given[1] ?? '', word);
    const node = cursor.next('a node').text;
    settings = { ...settings, ...parseRoleSetting(cursor) };
    return { kind: 'constraint', id, value: { kind: 'location', id, ...subject, ...settings, node, score, rules: [] } };
  }
  const rules: Rule[] = [];
  while (cursor.accept('rule')) rules.push(parseRule(cursor));
  if (rules.length === 0) throw cursor.expected('a score and a node, as in 100: alpha, or rule', ['rule']);
  return { kind: 'constraint', id, value: { kind: 'location', id, ...subject, ...settings, rules } };
}

function parseSubject(cursor: Cursor): { resource?: string; pattern?: string; sets?: readonly ResourceSet[] } {
  const pattern = cursor.match(/^\/(.+)\/$/);
  if (pattern !== undefined) return { pattern: pattern[1] ?? '' };
  const { word } = cursor;
  if (word?.text.startsWith('{') === true) return { sets: parseBraces(cursor, word) };
  const resource = cursor.match(/^[\p{L}_#$][^=]*$/u);
  if (resource === undefined) throw cursor.expected('a resource, a /pattern/ or { resources }');
  return { resource: resource[0] };
}

function parseBraces(cursor: Cursor, open: Word): readonly ResourceSet[] {
  const inside: Word[] = [];
  for (;;) {
    if (cursor.isAtEnd) throw cursor.problem('this brace is never closed; expected }', open);
    const word = cursor.next('}');
    let { text } = word;
    if (word === open) text = text.slice(1);
    const isLast = text.endsWith('}');
    if (isLast) text = text.slice(0, -1);
    if (text !== '') inside.push({ ...word, text });
    if (isLast) break;
  }
  if (inside.length === 0) throw cursor.problem('expected resources between { and }', open);
  return readSets(cursor, inside, 'role');
}

const locationSettings = ['role', 'resource-discovery'];

function parseLocationSettings(cursor: Cursor): { role?: Role; discovery?: 'always' | 'never' | 'exclusive' } {
  const settings: { role?: Role; discovery?: 'always' | 'never' | 'exclusive' } = {};
  for (;;) {
    const { word } = cursor;
    const match = cursor.match(/^\$?([^=]+)=(.*)$/);
    if (match === undefined) return settings;
    const [, name = '', value = ''] = match;
    if (name.toLowerCase() === 'role') {
      const role = parseRole(value);
      if (role === undefined) throw badRole(cursor, value, word);
      settings.role = role;
    } else if (name === 'resource-discovery') {
      if (value !== 'always' && value !== 'never' && value !== 'exclusive') {
        throw cursor.problem(`resource-discovery is always, never or exclusive, not "${value}"`, word);
      }
      settings.discovery = value;
    } else {
      throw cursor.problem(`a location has no "${name}"${didYouMean(name, locationSettings)}`, word);
    }
  }
}

/** Fractions are read in CIBs that have them; whoever types one means something else. */
const isWholeScore = (text: string): boolean => !text.includes('.');

const notAScore = (cursor: Cursor, text: string, word: Word | undefined): Error =>
  cursor.problem(`"${text}" is not a score; write a whole number, inf or -inf`, word);

// --- colocation ------------------------------------------------------------------------------------------------

/** `colocation ID SCORE: A[:ROLE] B[:ROLE] … [node-attribute=NAME]` */
export function parseColocation(cursor: Cursor): ConstraintItem {
  const id = parseId(cursor, 'constraint');
  const { word } = cursor;
  const given = cursor.match(/^([^:]+):$/);
  if (given === undefined) throw cursor.expected('a score, as in inf: or -100:');
  const score = readColocationScore(given[1] ?? '');
  if (score === undefined) throw notAScore(cursor, given[1] ?? '', word);
  const nodeAttribute = cursor.matchLast(/^node-attribute=(.+)$/i)?.[1];
  const extra = nodeAttribute === undefined ? {} : { nodeAttribute };
  const words = splitBrackets(cursor.takeRest());
  if (isSimple(words, 2)) {
    const [dependent, primary] = words.map((each) => readReference(cursor, each, readRoleOrInstance));
    return {
      kind: 'constraint',
      id,
      value: {
        kind: 'colocation',
        id,
        score,
        dependent: dependent?.resource ?? '',
        ...(dependent?.role === undefined ? {} : { dependentRole: dependent.role }),
        ...(dependent?.instance === undefined ? {} : { dependentInstance: dependent.instance }),
        primary: primary?.resource ?? '',
        ...(primary?.role === undefined ? {} : { primaryRole: primary.role }),
        ...(primary?.instance === undefined ? {} : { primaryInstance: primary.instance }),
        ...extra,
      },
    };
  }
  needMembers(cursor, words, 2, 'resources, as in: web db');
  return {
    kind: 'constraint',
    id,
    value: { kind: 'colocation', id, score, sets: readSets(cursor, words, 'role'), ...extra },
  };
}

const readColocationScore = (text: string): Score | undefined =>
  text.toLowerCase() === 'mandatory'
    ? parseScore('INFINITY')
    : text.toLowerCase() === 'advisory'
      ? 0
      : parseScore(text);

// --- order -----------------------------------------------------------------------------------------------------

const orderKinds: readonly OrderKind[] = ['Mandatory', 'Optional', 'Serialize'];

/** `order ID [KIND:] A[:ACTION] B[:ACTION] … [symmetrical=BOOL]` */
export function parseOrder(cursor: Cursor): ConstraintItem {
  const id = parseId(cursor, 'constraint');
  const { word } = cursor;
  const given = cursor.match(/^([^:]+):$/)?.[1];
  const orderKind = given === undefined ? undefined : readOrderKind(given);
  if (given !== undefined && orderKind === undefined) {
    const near = didYouMean(given, orderKinds);
    throw cursor.problem(`"${given}" is not a kind of order; kinds are ${orderKinds.join(', ')}${near}`, word);
  }
  const symmetrical = cursor.matchLast(/^symmetrical=(true|false|yes|no|on|off)$/i)?.[1];
  const extra = {
    ...(orderKind === undefined ? {} : { orderKind }),
    ...(symmetrical === undefined ? {} : { symmetrical: parseBoolean(symmetrical) ?? true }),
  };
  const words = splitBrackets(cursor.takeRest());
  if (isSimple(words, 2)) {
    const [first, then] = words.map((each) => readReference(cursor, each, readActionOrInstance));
    return {
      kind: 'constraint',
      id,
      value: {
        kind: 'order',
        id,
        ...extra,
        first: first?.resource ?? '',
        ...(first?.action === undefined ? {} : { firstAction: first.action }),
        ...(first?.instance === undefined ? {} : { firstInstance: first.instance }),
        then: then?.resource ?? '',
        ...(then?.action === undefined ? {} : { thenAction: then.action }),
        ...(then?.instance === undefined ? {} : { thenInstance: then.instance }),
      },
    };
  }
  needMembers(cursor, words, 2, 'resources in order, as in: fs db');
  return { kind: 'constraint', id, value: { kind: 'order', id, ...extra, sets: readSets(cursor, words, 'action') } };
}

/** A score says the same as a kind: 0 is Optional, any other Mandatory. */
function readOrderKind(text: string): OrderKind | undefined {
  const kind = orderKinds.find((each) => each.toLowerCase() === text.toLowerCase());
  if (kind !== undefined) return kind;
  const score = /^[+-]?(?:\d+|inf(?:inity)?)$/i.test(text) ? parseScore(text) : undefined;
  return score === undefined ? undefined : score === 0 ? 'Optional' : 'Mandatory';
}

// --- tickets ---------------------------------------------------------------------------------------------------

const lossPolicies = ['stop', 'demote', 'fence', 'freeze'] as const;

/** `rsc_ticket ID TICKET: A[:ROLE] … [loss-policy=POLICY]` */
export function parseTicket(cursor: Cursor): ConstraintItem {
  const id = parseId(cursor, 'constraint');
  const ticket = cursor.match(/^([^:]+):$/)?.[1];
  if (ticket === undefined) throw cursor.expected('the ticket and a colon, as in ticketA:');
  const last = cursor.rest.at(-1);
  const policy = cursor.matchLast(/^loss-policy=(.*)$/i)?.[1];
  const lossPolicy = lossPolicies.find((each) => each === policy);
  if (policy !== undefined && lossPolicy === undefined) {
    throw cursor.problem(
      `loss-policy is one of ${lossPolicies.join(', ')}, not "${policy}"${didYouMean(policy, lossPolicies)}`,
      last,
    );
  }
  const extra = { ticket, ...(lossPolicy === undefined ? {} : { lossPolicy }) };
  const words = splitBrackets(cursor.takeRest());
  if (isSimple(words, 1)) {
    const [only] = words.map((each) => readReference(cursor, each, readRoleOrInstance));
    const role = only?.role === undefined ? {} : { role: only.role };
    return { kind: 'constraint', id, value: { kind: 'ticket', id, ...extra, resource: only?.resource ?? '', ...role } };
  }
  needMembers(cursor, words, 1, 'a resource');
  return { kind: 'constraint', id, value: { kind: 'ticket', id, ...extra, sets: readSets(cursor, words, 'role') } };
}

// --- references and sets ---------------------------------------------------------------------------------------

interface Reference {
  readonly resource: string;
  readonly role?: Role;
  readonly action?: Action;
  readonly instance?: string;
}

const actions: readonly Action[] = ['start', 'stop', 'promote', 'demote'];

type ReadQualifier = (text: string) => Omit<Reference, 'resource'> | undefined;

const readInstance: ReadQualifier = (text) => (/^\d+$/.test(text) ? { instance: text } : undefined);

const readRoleOrInstance: ReadQualifier = (text) => {
  const role = parseRole(text);
  return role === undefined ? readInstance(text) : { role };
};

const readActionOrInstance: ReadQualifier = (text) => {
  const action = actions.find((each) => each === text.toLowerCase());
  return action === undefined ? readInstance(text) : { action };
};

/** `RESOURCE` or `RESOURCE:QUALIFIER`. */
function readReference(cursor: Cursor, word: Word, read: ReadQualifier): Reference {
  const parts = word.text.split(':');
  const [resource = '', text] = parts;
  if (parts.length > 2 || parts.includes(''))
    throw cursor.problem(`"${word.text}" is not RESOURCE or RESOURCE:QUALIFIER`, word);
  if (text === undefined) return { resource };
  const qualifier = read(text);
  if (qualifier === undefined) {
    const [what, words] =
      read === readActionOrInstance ? ['action', actions] : ['role', ['Started', 'Stopped', 'Promoted', 'Unpromoted']];
    throw cursor.problem(
      `"${text}" is not a known ${what} for ${resource}; expected ${words.join(', ')}${didYouMean(text, words)}`,
      word,
    );
  }
  return { resource, ...qualifier };
}

/** The mark that makes a set out of so few resources that it would not be one. */
const SET_MARK = '_rsc_set_';

/** Brackets may touch names; they become words of their own. */
function splitBrackets(words: readonly Word[]): readonly Word[] {
  return words.flatMap((word) =>
    /[()[\]]/.test(word.text)
      ? word.text
          .split(/([()[\]])/)
          .filter((part) => part !== '')
          .map((text) => ({ ...word, text }))
      : [word],
  );
}

const isSimple = (words: readonly Word[], count: number): boolean =>
  words.length === count && words.every(({ text }) => text !== SET_MARK && !/[()[\]=]/.test(text));

function needMembers(cursor: Cursor, words: readonly Word[], count: number, expected: string): void {
  const hasSet = words.some(({ text }) => text === SET_MARK || text === '(' || text === '[');
  const members = words.filter(({ text }) => text !== SET_MARK && !/^[()[\]]$|=/.test(text));
  if (members.length >= (hasSet ? 1 : count)) return;
  if (words.length === 0) throw cursor.expected(expected);
  throw cursor.problem(`expected ${count === 1 ? 'at least one of' : 'at least two'} ${expected}`, words.at(-1));
}

/** The sets that a list such as `a ( b c ) d:Promoted` means; a change of role or action begins a new one. */
function readSets(cursor: Cursor, words: readonly Word[], qualifier: 'role' | 'action'): readonly ResourceSet[] {
  const sets: ResourceSet[] = [];
  let open: Word | undefined;
  let isSequential = true;
  let needsAll = true;
  let members: string[] = [];
  let mark: Role | Action | undefined;

  const save = (): void => {
    if (members.length === 0) return;
    sets.push({
      members,
      ...(isSequential ? {} : { sequential: false }),
      ...(needsAll ? {} : { requireAll: false }),
      ...(mark === undefined ? {} : qualifier === 'role' ? { role: mark as Role } : { action: mark as Action }),
    });
    members = [];
    mark = undefined;
  };

  for (const word of words) {
    const { text } = word;
    if (text === SET_MARK) continue;
    if (text === '(' || text === '[') {
      save();
      if (open !== undefined) throw cursor.problem('sets do not nest', word);
      open = word;
      isSequential = false;
      needsAll = text === '(';
    } else if (text === ')' || text === ']') {
      if (open === undefined) throw cursor.problem(`"${text}" closes nothing`, word);
      const wanted = open.text === '(' ? ')' : ']';
      if (text !== wanted) throw cursor.problem(`expected "${wanted}" to close "${open.text}", found "${text}"`, word);
      if (members.length === 0) throw cursor.problem('this set is empty', word);
      save();
      open = undefined;
      isSequential = true;
      needsAll = true;
    } else if (text.includes('=')) {
      const [name = '', value = ''] = text.split('=');
      const flag = parseBoolean(value);
      if (name !== 'sequential' && name !== 'require-all') {
        throw cursor.problem(`a set has no "${name}"${didYouMean(name, ['sequential', 'require-all'])}`, word);
      }
      if (flag === undefined) throw cursor.problem(`"${value}" is neither true nor false`, word);
      if (name === 'sequential') isSequential = flag;
      else needsAll = flag;
    } else {
      const read = qualifier === 'role' ? readRoleOrInstance : readActionOrInstance;
      const reference = readReference(cursor, word, read);
      if (reference.instance !== undefined) throw cursor.problem('instances cannot be named in sets', word);
      const next = reference.role ?? reference.action;
      if (next !== mark) save();
      mark = next;
      members.push(reference.resource);
    }
  }
  if (open !== undefined) throw cursor.problem(`"${open.text}" is never closed`, open);
  save();
  return sets;
}
