/** Reads roles, users and groups of access control. */
import type { AclPermission, AclSubject } from '@systole/cib';
import { expandShortcut, shortcutWords } from './acl-shortcuts.ts';
import type { Cursor } from './cursor.ts';
import type { Item } from './items.ts';
import { parseDescription, parseId } from './parse-resources.ts';

const kinds = ['read', 'write', 'deny'];

/** Words that say what a permission is about, by their spelling. */
const subjects: Readonly<Record<string, 'xpath' | 'reference' | 'objectType' | 'attribute'>> = {
  xpath: 'xpath',
  ref: 'reference',
  reference: 'reference',
  tag: 'objectType',
  type: 'objectType',
  attr: 'attribute',
  attribute: 'attribute',
};

/** `role ID [description=D] read|write|deny SPEC … …` */
export function parseRoleStatement(cursor: Cursor): Item {
  const id = parseId(cursor, 'role');
  const description = parseDescription(cursor);
  const permissions: AclPermission[] = [];
  while (!cursor.isAtEnd) permissions.push(...parsePermission(cursor));
  if (permissions.length === 0) throw cursor.expected('read, write or deny', kinds);
  return { kind: 'aclRole', id, value: { id, ...description, permissions } };
}

function parsePermission(cursor: Cursor): readonly AclPermission[] {
  const kind = cursor.match(/^(?:read|write|deny)$/i)?.[0].toLowerCase() as AclPermission['kind'] | undefined;
  if (kind === undefined) throw cursor.expected('read, write or deny', kinds);
  const given = cursor.match(/^(?:\$id=(.+)|([\w-]+):)$/i);
  const id = given?.[1] ?? given?.[2];
  const common = { ...(id === undefined ? {} : { id }), kind, ...parseDescription(cursor) };
  const found: { xpath?: string; reference?: string; objectType?: string; attribute?: string } = {};
  while (!cursor.isAtEnd && isSpec(cursor.text ?? '')) Object.assign(found, parseSpec(cursor));

  const { xpath, reference, objectType, attribute } = found;
  const permissions: AclPermission[] = [];
  if (xpath !== undefined) permissions.push({ ...common, xpath });
  if (reference !== undefined) permissions.push({ ...common, reference });
  if (objectType !== undefined) {
    permissions.push({ ...common, objectType, ...(attribute === undefined ? {} : { attribute }) });
  } else if (attribute !== undefined) {
    throw cursor.problem('"attribute" needs "type" beside it');
  }
  if (permissions.length === 0) {
    throw cursor.expected('what the permission is about, as in cib, ref:ID, xpath:PATH, type:NAME', [
      ...shortcutWords,
      ...Object.keys(subjects),
    ]);
  }
  return permissions;
}

const specWord = (text: string): string => text.split(':', 1)[0] ?? '';

const isSpec = (text: string): boolean =>
  Object.hasOwn(subjects, specWord(text)) || shortcutWords.includes(specWord(text));

function parseSpec(cursor: Cursor): { xpath?: string; reference?: string; objectType?: string; attribute?: string } {
  const word = cursor.next('what the permission is about');
  const name = specWord(word.text);
  const value = word.text.slice(name.length + 1);
  const key = Object.hasOwn(subjects, name) ? subjects[name] : undefined;
  if (key !== undefined) {
    if (value === '') throw cursor.problem(`expected ${name}:SOMETHING, found "${word.text}"`, word);
    return { [key]: value };
  }
  const expansion = expandShortcut(name, value === '' ? [] : value.split(':'));
  if (expansion === undefined || expansion.type === 'lacking') {
    throw cursor.problem(`"${name}" lacks its argument; write ${name}:ID`, word);
  }
  if (expansion.type === 'surplus')
    throw cursor.problem(`"${word.text}" has more arguments than "${name}" takes`, word);
  return { xpath: expansion.xpath };
}

/** `acl_target USER ROLE …` and `acl_group GROUP ROLE …` */
export function parseSubjectStatement(cursor: Cursor, kind: 'aclTarget' | 'aclGroup'): Item {
  const id = parseId(cursor, kind === 'aclTarget' ? 'user' : 'group of users');
  const roles: string[] = [];
  while (!cursor.isAtEnd) roles.push(parseId(cursor, 'role'));
  if (roles.length === 0) throw cursor.expected('one or more roles');
  const value: AclSubject = { id, roles };
  return { kind, id, value };
}
