/**
 * Who may read and write which element of the CIB. Permissions point into the document as Pacemaker writes it, so that
 * roles written for Pacemaker mean here what they meant there.
 *
 * The nearest permission decides: what selects an element itself counts before what selects the element around it. On
 * one element deny wins over write, and write over read; write includes read; read says nothing about a write that a
 * wider permission grants. What no permission reaches is denied.
 *
 * Whatever cannot be understood gives nothing: a read or write with such a path grants nothing, and a deny with such a
 * path denies everything, since nobody knows what it was to protect.
 */
import type { AclPermission, Acls } from '../model/configuration.ts';
import type { Output } from '../xml/writer.ts';
import { parseXPath, selectNodes, type XPath } from '../xml/xpath.ts';

/** Who asks, by the names that the system has for him. */
export interface Asker {
  readonly user: string;
  readonly groups: readonly string[];
}

export type Right = 'read' | 'write';

/** What one asker may do with one element. */
export type Rights = Readonly<Record<Right, boolean>>;

const none: Rights = { read: false, write: false };

/** Elements that only mention another one by its id: a permission on that id is not about them. */
export const mentions: ReadonlySet<string> = new Set(['obj_ref', 'resource_ref', 'role']);

/** The ids of the roles that somebody has, by his name and his groups. */
export function rolesOf({ targets, groups }: Acls, asker: Asker): ReadonlySet<string> {
  const own = targets.filter(({ id, name }) => (name ?? id) === asker.user);
  const shared = groups.filter(({ id, name }) => asker.groups.includes(name ?? id));
  return new Set([...own, ...shared].flatMap(({ roles }) => roles));
}

export const permissionsOf = ({ roles }: Acls, held: ReadonlySet<string>): readonly AclPermission[] =>
  roles.filter(({ id }) => held.has(id)).flatMap(({ permissions }) => permissions);

/** The rights on every element of a document. */
export function rightsIn(root: Output, permissions: readonly AclPermission[]): ReadonlyMap<Output, Rights> {
  const marks = new Map<Output, Set<AclPermission['kind']>>();
  let isLocked = false;
  for (const permission of permissions) {
    const selected = select(root, permission);
    if (selected === undefined) isLocked ||= permission.kind === 'deny';
    for (const element of selected ?? []) {
      const kinds = marks.get(element) ?? new Set();
      marks.set(element, kinds.add(permission.kind));
    }
  }
  const rights = new Map<Output, Rights>();
  const visit = (element: Output, around: Rights): void => {
    const own = isLocked ? none : rightsBy(marks.get(element), around);
    rights.set(element, own);
    for (const child of element.children ?? []) visit(child, own);
  };
  visit(root, none);
  return rights;
}

function rightsBy(kinds: ReadonlySet<AclPermission['kind']> | undefined, around: Rights): Rights {
  if (kinds === undefined) return around;
  if (kinds.has('deny')) return none;
  return { read: true, write: kinds.has('write') || around.write };
}

/** Undefined if what the permission is about cannot be understood. */
function select(root: Output, permission: AclPermission): ReadonlySet<Output> | undefined {
  const { xpath, reference, objectType, attribute } = permission;
  if (xpath !== undefined) {
    const parsed = parseXPath(xpath);
    return parsed.ok ? selectNodes(root, parsed.value) : undefined;
  }
  if (reference === undefined && objectType === undefined && attribute === undefined) return undefined;
  const path: XPath = [[{ isDeep: true, name: objectType ?? '*', predicates: [] }]];
  const found = [...selectNodes(root, path)].filter(
    (element) =>
      (reference === undefined || (element.attributes['id'] === reference && !mentions.has(element.name))) &&
      (attribute === undefined || element.attributes[attribute] !== undefined),
  );
  return new Set(found);
}
