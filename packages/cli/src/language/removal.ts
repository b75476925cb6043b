/** What goes, or changes, when an item goes: its container, the constraints, tags and permissions that name it. */
import { type Constraint, namedResources } from '@systole/cib';
import type { ItemStore } from './item-store.ts';
import { FENCING, type Item, type ItemOf, keyOf, kindWords, membersOf } from './items.ts';
import { removeFrom, renameIn, sensible, simplify } from './references.ts';

/** A container that would become empty goes first. */
export function removeWithContainer(store: ItemStore, item: Item): void {
  const container = item.kind === 'node' ? undefined : store.containerOf(item.id);
  if (container !== undefined) {
    if (membersOf(container).length === 1 && container.kind !== 'bundle') {
      store.remarks.push(`${kindWords[container.kind]} ${container.id} goes with ${item.id}, its only content`);
      removeWithContainer(store, container);
    } else takeOut(store, container, item.id);
  }
  removeOne(store, item);
}

export function takeOut(store: ItemStore, container: Item, id: string): void {
  if (container.kind === 'group') {
    const members = container.value.members.filter((member) => member !== id);
    store.put({ ...container, value: { ...container.value, members } });
  } else if (container.kind === 'bundle') {
    const { primitive: _, ...value } = container.value;
    store.put({ ...container, value });
  }
}

function removeOne(store: ItemStore, item: Item): void {
  const { id } = item;
  store.drop(keyOf(item.kind, id));
  if (item.kind === 'node') return;
  const heir = membersOf(item)[0];
  for (const other of store.items) {
    if (other.kind === 'constraint') withoutName(store, other, id, heir);
    else if (other.kind === 'tag' && other.value.members.includes(id)) untag(store, other, id);
    else if (other.kind === 'fencing') withoutDevice(store, other, id);
    else if (other.kind === 'aclRole') withoutPermissions(store, other, id);
  }
}

function withoutName(store: ItemStore, item: ItemOf<'constraint'>, id: string, heir: string | undefined): void {
  if (!namedResources(item.value).includes(id)) return;
  if (heir !== undefined && item.value.sets === undefined) {
    setConstraint(store, item, sensible(renameIn(item.value, id, heir)), `now names ${heir} in place of ${id}`);
  } else setConstraint(store, item, removeFrom(item.value, id), `no longer names ${id}`);
}

function setConstraint(
  store: ItemStore,
  item: ItemOf<'constraint'>,
  value: Constraint | undefined,
  what: string,
): void {
  if (value === undefined) {
    store.remarks.push(`${item.value.kind} ${item.id} is deleted: it has nothing left to constrain`);
    removeOne(store, item);
    return;
  }
  store.remarks.push(`${item.value.kind} ${item.id} ${what}`);
  store.put({ ...item, value });
}

function untag(store: ItemStore, item: ItemOf<'tag'>, id: string): void {
  const members = item.value.members.filter((member) => member !== id);
  if (members.length === 0) {
    store.remarks.push(`tag ${item.id} is deleted: it was empty`);
    removeOne(store, item);
  } else {
    store.remarks.push(`tag ${item.id} no longer names ${id}`);
    store.put({ ...item, value: { ...item.value, members } });
  }
}

function withoutDevice(store: ItemStore, item: ItemOf<'fencing'>, id: string): void {
  if (!item.value.some((level) => level.devices.includes(id))) return;
  const levels = item.value
    .map((level) => ({ ...level, devices: level.devices.filter((device) => device !== id) }))
    .filter((level) => level.devices.length > 0);
  store.remarks.push(`fencing_topology no longer uses ${id}`);
  if (levels.length === 0) store.drop(FENCING);
  else store.put({ ...item, value: levels });
}

function withoutPermissions(store: ItemStore, item: ItemOf<'aclRole'>, id: string): void {
  const permissions = item.value.permissions.filter((permission) => permission.reference !== id);
  if (permissions.length === item.value.permissions.length) return;
  store.remarks.push(`role ${item.id} loses what it said of ${id}`);
  store.put({ ...item, value: { ...item.value, permissions } });
}

/** What is not in `kept` goes; constraints first, so that they are not changed only to be deleted. */
export function removeOthers(store: ItemStore, kept: ReadonlySet<string>): void {
  const others = store.items.filter((item) => item.kind !== 'node' && !kept.has(keyOf(item.kind, item.id)));
  for (const item of others)
    if (item.kind === 'constraint' || item.kind === 'tag') store.drop(keyOf(item.kind, item.id));
  for (const item of others) {
    if (store.get(item.id) !== undefined && item.kind !== 'constraint' && item.kind !== 'tag')
      removeWithContainer(store, item);
  }
}

/** What constrained `member` constrains `container` from now on. */
export function redirect(store: ItemStore, member: string, container: string): void {
  for (const item of store.items) {
    if (item.kind !== 'constraint' || !namedResources(item.value).includes(member)) continue;
    setConstraint(
      store,
      item,
      sensible(simplify(renameIn(item.value, member, container))),
      `now names ${container} in place of ${member}`,
    );
  }
}
