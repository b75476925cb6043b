/**
 * A configuration being edited. Edits are collected here, checked as a whole and then committed as one change; an edit
 * that cannot be done throws, and its caller goes back to the draft before it (`snapshot`, `restore`).
 *
 * What an edit changes besides what was asked for (a constraint that goes with a resource, a reference that follows a
 * rename) is told in `remarks`, never done silently.
 */
import type { AttributeSet, Configuration, Constraint, Operation, Pair } from '@systole/cib/document';
import { checkItems } from './checks.ts';
import { completeIds, forEachId, inheritIds, Namer } from './ids.ts';
import {
  defaultSetIds,
  FENCING,
  fromConfiguration,
  isOptions,
  type Item,
  type ItemKind,
  type ItemOf,
  keyOf,
  membersOf,
  type OptionsKind,
  toConfiguration,
} from './items.ts';
import { withDefault } from './parse-resources.ts';
import { LanguageProblem, type Place } from './problem.ts';
import { namedResources } from '@systole/cib/document';
import { removeFrom, renameIn, sensible, simplify } from './references.ts';
import { resolveReferences } from './resolve.ts';
import { didYouMean } from './suggest.ts';
import { addUnit } from './units.ts';
import { mapSets } from './walk.ts';

/** Words for messages. */
export const kindWords: Readonly<Record<ItemKind, string>> = {
  node: 'node',
  primitive: 'primitive',
  template: 'template',
  group: 'group',
  clone: 'clone',
  bundle: 'bundle',
  constraint: 'constraint',
  tag: 'tag',
  alert: 'alert',
  aclRole: 'role',
  aclTarget: 'user',
  aclGroup: 'group of users',
  options: 'set of properties',
  resourceDefaults: 'set of resource defaults',
  operationDefaults: 'set of operation defaults',
  fencing: 'fencing topology',
};

/** So that contents are defined before what contains them, and both before what names them. */
const loadOrder: readonly ItemKind[] = ['node', 'template', 'primitive', 'group', 'bundle', 'clone'];

export class Draft {
  readonly #base: Configuration;
  #items: Map<string, Item>;
  /** Keys of items that may lack ids. */
  #fresh = new Set<string>();
  /** What containers hold, to find an item's container. Made when needed. */
  #containers: Map<string, string> | undefined;
  readonly remarks: string[] = [];
  #snapshot: Snapshot | undefined;

  constructor(base: Configuration) {
    this.#base = base;
    this.#items = new Map(fromConfiguration(base).map((item) => [keyOf(item.kind, item.id), item]));
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  get nodeNames(): readonly string[] {
    return this.items.flatMap((item) => (item.kind === 'node' ? [item.id] : []));
  }

  /** By id; a node only if nothing else has that id. */
  find(id: string): Item | undefined {
    return this.#items.get(id) ?? this.#items.get(keyOf('node', id));
  }

  /** @throws LanguageProblem naming the nearest id. */
  need(id: string, place?: Place): Item {
    const item = this.find(id);
    if (item !== undefined) return item;
    const near = didYouMean(id, this.#names());
    throw new LanguageProblem(`there is no "${id}"${near}`, { place, code: 'notFound' });
  }

  containerOf(id: string): Item | undefined {
    this.#containers ??= new Map(
      this.items.flatMap((item) => membersOf(item).map((member) => [member, item.id] as const)),
    );
    const container = this.#containers.get(id);
    return container === undefined ? undefined : this.#items.get(container);
  }

  /** Remembers the present state, until the next call. Cheap: only what changes afterwards is kept. */
  snapshot(): Snapshot {
    this.#snapshot = { journal: [], added: [], remarks: this.remarks.length };
    return this.#snapshot;
  }

  /** Back to the state of the last snapshot. */
  restore(snapshot: Snapshot): void {
    if (snapshot.copy !== undefined) {
      this.#items = snapshot.copy.items;
      this.#fresh = snapshot.copy.fresh;
    } else {
      undo(this.#items, snapshot.journal);
      for (const key of snapshot.added) this.#fresh.delete(key);
    }
    this.#containers = undefined;
    this.remarks.length = snapshot.remarks;
    this.#snapshot = undefined;
  }

  /** Before something that a journal cannot take back, because it changes the order of items. */
  #keepCopy(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || snapshot.copy !== undefined) return;
    const items = new Map(this.#items);
    undo(items, snapshot.journal);
    const fresh = new Set(this.#fresh);
    for (const key of snapshot.added) fresh.delete(key);
    snapshot.copy = { items, fresh };
  }

  // --- defining ------------------------------------------------------------------------------------------------

  /** Adds what a typed statement defines. */
  add(item: Item): void {
    const before = this.#items.get(keyOf(item.kind, item.id));
    if (isOptions(item)) this.#mergeOptions(item);
    else if (item.kind === 'node') this.#put(this.#asNode(item, before), before);
    else if (before !== undefined) {
      const what = kindWords[before.kind];
      throw new LanguageProblem(`there is a ${what} "${item.id}" already`, {
        place: item.place,
        hint: `To change it: set, edit, load update; to replace it: delete ${item.id} first.`,
        code: 'refused',
      });
    } else this.#addNew(withTypedDefaults(item, this), true);
  }

  /** Puts a changed item in the place of what it was. */
  update(item: Item): void {
    this.#put(item, undefined);
  }

  /** Adds or replaces what a file defines. Its statements may name each other in any order. */
  load(items: readonly Item[], method: 'update' | 'replace' | 'push'): void {
    if (method === 'replace') this.erase();
    this.#refuseTwice(items);
    const rank = (item: Item): number => {
      const index = loadOrder.indexOf(item.kind);
      return index === -1 ? loadOrder.length : index;
    };
    const setsSeen = new Set<string>();
    for (const item of items.toSorted((a, b) => rank(a) - rank(b))) {
      const key = keyOf(item.kind, item.id);
      const before = this.#items.get(key);
      if (isOptions(item)) {
        if (method === 'push' && !setsSeen.has(key)) this.#drop(key);
        setsSeen.add(key);
        this.#mergeOptions(item);
      } else if (item.kind === 'node') this.#put(this.#asNode(item, before), before);
      else if (before === undefined) this.#addNew(item, false);
      else this.#replace(before, item);
    }
    if (method === 'push') this.#removeOthers(new Set(items.map((item) => keyOf(item.kind, item.id))));
  }

  #refuseTwice(items: readonly Item[]): void {
    const seen = new Map<string, Item>();
    for (const item of items) {
      if (isOptions(item)) continue;
      const key = keyOf(item.kind, item.id);
      const other = seen.get(key);
      if (other !== undefined) {
        const where = other.place === undefined ? '' : ` in line ${other.place.line}`;
        throw new LanguageProblem(`"${item.id}" is defined twice; first${where}`, { place: item.place });
      }
      seen.set(key, item);
    }
  }

  #replace(before: Item, item: Item): void {
    if (before.kind !== item.kind) {
      throw new LanguageProblem(`"${item.id}" is a ${kindWords[before.kind]} already`, {
        place: item.place,
        code: 'refused',
      });
    }
    this.#put(item, before);
  }

  /** A container takes over the constraints of what it now contains. */
  #addNew(item: Item, isTyped: boolean): void {
    for (const id of membersOf(item)) {
      const member = this.#items.get(id);
      if (member === undefined && isTyped) {
        throw new LanguageProblem(
          `${kindWords[item.kind]} ${item.id} names "${id}", which does not exist${didYouMean(id, this.#names())}`,
          {
            place: item.locate?.(id) ?? item.place,
            code: 'notFound',
          },
        );
      }
      const container = this.containerOf(id);
      if (container !== undefined && isTyped) {
        throw new LanguageProblem(`"${id}" is in the ${kindWords[container.kind]} ${container.id} already`, {
          place: item.place,
          code: 'refused',
        });
      }
    }
    this.#put(item, undefined);
    if (item.kind === 'bundle') return;
    for (const id of membersOf(item)) this.#redirect(id, item.id);
  }

  /** A node that is defined again is replaced; it stays the same node, of the same type. */
  #asNode(item: ItemOf<'node'>, before: Item | undefined): Item {
    if (before?.kind !== 'node') return item;
    const type = item.value.type ?? before.value.type;
    return {
      ...item,
      value: {
        ...item.value,
        id: item.hasId ? item.value.id : before.value.id,
        ...(type === undefined ? {} : { type }),
      },
    };
  }

  #put(item: Item, before: Item | undefined): void {
    const key = keyOf(item.kind, item.id);
    const snapshot = this.#snapshot;
    if (snapshot !== undefined && snapshot.copy === undefined) {
      snapshot.journal.push([key, this.#items.get(key)]);
      if (!this.#fresh.has(key)) snapshot.added.push(key);
    }
    this.#items.set(key, before === undefined ? item : inheritIds(before, item));
    this.#fresh.add(key);
    this.#containers = undefined;
  }

  #mergeOptions(item: ItemOf<OptionsKind>): void {
    const found = this.#optionsTarget(item);
    if (found === undefined) {
      this.#put(item, undefined);
      return;
    }
    const { value } = found;
    if (item.value.rule !== undefined && (value.rule !== undefined || value.pairs.length > 0)) {
      throw new LanguageProblem(`${found.id} exists; a rule would now decide on all of it`, {
        place: item.place,
        hint: 'Give the new set a name of its own, as in: property night: rule … NAME=VALUE',
        code: 'refused',
      });
    }
    const pairs = mergePairs(value.pairs, item.value.pairs);
    const comments = item.value.comments ?? value.comments;
    const merged: AttributeSet = {
      ...value,
      ...(item.value.rule === undefined ? {} : { rule: item.value.rule }),
      pairs,
      ...(comments === undefined ? {} : { comments }),
    };
    this.#put({ ...found, value: merged, place: item.place }, undefined);
  }

  /** The named set, or any that applies always, when none was named. */
  #optionsTarget(item: ItemOf<OptionsKind>): ItemOf<OptionsKind> | undefined {
    const named = this.#items.get(item.id);
    if (named !== undefined) {
      if (named.kind === item.kind) return named;
      throw new LanguageProblem(`"${item.id}" is a ${kindWords[named.kind]} already`, {
        place: item.place,
        code: 'refused',
      });
    }
    if (item.id !== defaultSetIds[item.kind] || item.value.rule !== undefined) return undefined;
    return this.items.findLast(
      (each): each is ItemOf<OptionsKind> =>
        each.kind === item.kind && isOptions(each) && each.value.rule === undefined,
    );
  }

  // --- deleting ------------------------------------------------------------------------------------------------

  /** Removes items and what hangs on them. Contents of a group or clone stay; its constraints move to the first. */
  remove(ids: readonly string[], place?: Place): void {
    const targets = ids.map((id) => this.need(id, place));
    const leaving = new Set(ids);
    for (const item of targets) {
      if (item.kind !== 'template') continue;
      const user = this.items.find(
        (each) => each.kind === 'primitive' && each.value.template === item.id && !leaving.has(each.id),
      );
      if (user !== undefined) {
        throw new LanguageProblem(
          `the template ${item.id} is in use by ${user.id}; delete ${user.id} as well, or first`,
          {
            place,
            code: 'refused',
          },
        );
      }
    }
    const rank: readonly ItemKind[] = ['constraint', 'tag', 'clone', 'bundle', 'group'];
    const rankOf = (item: Item): number => (rank.includes(item.kind) ? rank.indexOf(item.kind) : rank.length);
    for (const item of targets.toSorted((a, b) => rankOf(a) - rankOf(b))) {
      if (this.#items.has(keyOf(item.kind, item.id))) this.#removeWithContainer(item);
    }
  }

  /** A node of that name, whatever else has it. */
  removeNode(name: string): void {
    this.#drop(keyOf('node', name));
  }

  /** All but the nodes. */
  erase(): void {
    this.#keepCopy();
    this.#items = new Map([...this.#items].filter(([, item]) => item.kind === 'node'));
    this.#containers = undefined;
  }

  /** A container that would become empty goes first. */
  #removeWithContainer(item: Item): void {
    const container = item.kind === 'node' ? undefined : this.containerOf(item.id);
    if (container !== undefined) {
      if (membersOf(container).length === 1 && container.kind !== 'bundle') {
        this.remarks.push(`${kindWords[container.kind]} ${container.id} goes with ${item.id}, its only content`);
        this.#removeWithContainer(container);
      } else this.#takeOut(container, item.id);
    }
    this.#removeOne(item);
  }

  #takeOut(container: Item, id: string): void {
    if (container.kind === 'group') {
      const members = container.value.members.filter((member) => member !== id);
      this.#put({ ...container, value: { ...container.value, members } }, undefined);
    } else if (container.kind === 'bundle') {
      const { primitive: _, ...value } = container.value;
      this.#put({ ...container, value }, undefined);
    }
  }

  #removeOne(item: Item): void {
    const { id } = item;
    this.#drop(keyOf(item.kind, id));
    if (item.kind === 'node') return;
    const heir = membersOf(item)[0];
    for (const other of this.items) {
      if (other.kind === 'constraint') this.#withoutName(other, id, heir);
      else if (other.kind === 'tag' && other.value.members.includes(id)) this.#untag(other, id);
      else if (other.kind === 'fencing') this.#withoutDevice(other, id);
      else if (other.kind === 'aclRole') this.#withoutPermissions(other, id);
    }
  }

  #drop(key: string): void {
    this.#keepCopy();
    this.#items.delete(key);
    this.#fresh.delete(key);
    this.#containers = undefined;
  }

  #withoutName(item: ItemOf<'constraint'>, id: string, heir: string | undefined): void {
    if (!namedResources(item.value).includes(id)) return;
    if (heir !== undefined && item.value.sets === undefined) {
      this.#setConstraint(item, sensible(renameIn(item.value, id, heir)), `now names ${heir} in place of ${id}`);
    } else this.#setConstraint(item, removeFrom(item.value, id), `no longer names ${id}`);
  }

  #setConstraint(item: ItemOf<'constraint'>, value: Constraint | undefined, what: string): void {
    if (value === undefined) {
      this.remarks.push(`${item.value.kind} ${item.id} is deleted: it has nothing left to constrain`);
      this.#removeOne(item);
      return;
    }
    this.remarks.push(`${item.value.kind} ${item.id} ${what}`);
    this.#put({ ...item, value }, undefined);
  }

  #untag(item: ItemOf<'tag'>, id: string): void {
    const members = item.value.members.filter((member) => member !== id);
    if (members.length === 0) {
      this.remarks.push(`tag ${item.id} is deleted: it was empty`);
      this.#removeOne(item);
    } else {
      this.remarks.push(`tag ${item.id} no longer names ${id}`);
      this.#put({ ...item, value: { ...item.value, members } }, undefined);
    }
  }

  #withoutDevice(item: ItemOf<'fencing'>, id: string): void {
    if (!item.value.some((level) => level.devices.includes(id))) return;
    const levels = item.value
      .map((level) => ({ ...level, devices: level.devices.filter((device) => device !== id) }))
      .filter((level) => level.devices.length > 0);
    this.remarks.push(`fencing_topology no longer uses ${id}`);
    if (levels.length === 0) this.#drop(FENCING);
    else this.#put({ ...item, value: levels }, undefined);
  }

  #withoutPermissions(item: ItemOf<'aclRole'>, id: string): void {
    const permissions = item.value.permissions.filter((permission) => permission.reference !== id);
    if (permissions.length === item.value.permissions.length) return;
    this.remarks.push(`role ${item.id} loses what it said of ${id}`);
    this.#put({ ...item, value: { ...item.value, permissions } }, undefined);
  }

  /** What is not in `kept` goes; constraints first, so that they are not changed only to be deleted. */
  #removeOthers(kept: ReadonlySet<string>): void {
    const others = this.items.filter((item) => item.kind !== 'node' && !kept.has(keyOf(item.kind, item.id)));
    for (const item of others)
      if (item.kind === 'constraint' || item.kind === 'tag') this.#drop(keyOf(item.kind, item.id));
    for (const item of others) {
      if (this.#items.has(item.id) && item.kind !== 'constraint' && item.kind !== 'tag')
        this.#removeWithContainer(item);
    }
  }

  // --- changing ------------------------------------------------------------------------------------------------

  /** Gives an item another id; everything that names it follows. */
  rename(from: string, to: string, place?: Place): void {
    const item = this.need(from, place);
    if (item.kind === 'node' || item.kind === 'fencing') {
      throw new LanguageProblem(`a ${kindWords[item.kind]} cannot be renamed`, { place, code: 'refused' });
    }
    const taken = new Set<string>();
    for (const each of this.items) forEachId(each, (id) => taken.add(id));
    if (taken.has(to)) throw new LanguageProblem(`the id "${to}" is in use`, { place, code: 'refused' });
    if (!/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(to)) throw new LanguageProblem(`"${to}" cannot be an id`, { place });
    const value = { ...item.value, id: to };
    const renamed = { ...item, id: to, value, place } as Item;
    this.#keepCopy();
    // In the same place of the list, so that the order of resources stays.
    this.#items = new Map([...this.#items].map(([key, each]) => (each === item ? [to, renamed] : [key, each])));
    this.#fresh.add(to);
    this.#containers = undefined;
    for (const other of this.items) this.#follow(other, from, to);
  }

  /** Names in one item follow a rename. */
  #follow(item: Item, from: string, to: string): void {
    const swap = (name: string): string => (name === from ? to : name);
    const put = (changed: Item): void => {
      this.remarks.push(`${kindWords[item.kind]} ${item.id} now names ${to}`);
      this.#put(changed, undefined);
    };
    switch (item.kind) {
      case 'primitive':
        if (item.value.template === from) put({ ...item, value: { ...item.value, template: to } });
        return;
      case 'group':
        if (item.value.members.includes(from))
          put({ ...item, value: { ...item.value, members: item.value.members.map(swap) } });
        return;
      case 'clone':
        if (item.value.member === from) put({ ...item, value: { ...item.value, member: to } });
        return;
      case 'bundle':
        if (item.value.primitive === from) put({ ...item, value: { ...item.value, primitive: to } });
        return;
      case 'constraint':
        if (namedResources(item.value).includes(from)) put({ ...item, value: renameIn(item.value, from, to) });
        return;
      case 'tag':
        if (item.value.members.includes(from))
          put({ ...item, value: { ...item.value, members: item.value.members.map(swap) } });
        return;
      case 'fencing':
        if (item.value.some((level) => level.devices.includes(from))) {
          put({ ...item, value: item.value.map((level) => ({ ...level, devices: level.devices.map(swap) })) });
        }
        return;
      case 'aclRole':
        if (item.value.permissions.some((permission) => permission.reference === from)) {
          const permissions = item.value.permissions.map((permission) =>
            permission.reference === from ? { ...permission, reference: to } : permission,
          );
          put({ ...item, value: { ...item.value, permissions } });
        }
        return;
      case 'aclTarget':
      case 'aclGroup':
        if (item.value.roles.includes(from))
          put({ ...item, value: { ...item.value, roles: item.value.roles.map(swap) } });
        return;
      default:
    }
  }

  /** What constrained `member` constrains `container` from now on. */
  #redirect(member: string, container: string): void {
    for (const item of this.items) {
      if (item.kind !== 'constraint' || !namedResources(item.value).includes(member)) continue;
      this.#setConstraint(
        item,
        sensible(simplify(renameIn(item.value, member, container))),
        `now names ${container} in place of ${member}`,
      );
    }
  }

  /** Puts a primitive into a group (before or behind another), or takes it out. */
  changeGroup(groupId: string, change: GroupChange, place?: Place): void {
    const group = this.find(groupId);
    if (group === undefined) {
      const groups = this.items.flatMap((item) => (item.kind === 'group' ? [item.id] : []));
      throw new LanguageProblem(`there is no group "${groupId}"${didYouMean(groupId, groups)}`, {
        place,
        code: 'notFound',
      });
    }
    if (group.kind !== 'group')
      throw new LanguageProblem(`${groupId} is a ${kindWords[group.kind]}, not a group`, { place });
    const { members } = group.value;
    const { member } = change;
    const needMember = (id: string): void => {
      if (members.includes(id)) return;
      throw new LanguageProblem(`${id} is not in the group ${groupId}${didYouMean(id, members)}`, {
        place,
        code: 'notFound',
      });
    };
    if (change.type === 'remove') {
      needMember(member);
      if (members.length === 1) {
        throw new LanguageProblem(`${member} is the only member of ${groupId}; delete the group instead`, {
          place,
          code: 'refused',
        });
      }
      this.#takeOut(group, member);
      return;
    }
    const item = this.need(member, place);
    if (item.kind !== 'primitive')
      throw new LanguageProblem(`a group holds primitives; ${member} is a ${kindWords[item.kind]}`, { place });
    const container = this.containerOf(member);
    if (container !== undefined) {
      throw new LanguageProblem(`${member} is in the ${kindWords[container.kind]} ${container.id} already`, {
        place,
        code: 'refused',
      });
    }
    if (change.beside !== undefined) needMember(change.beside);
    const at =
      change.beside === undefined ? members.length : members.indexOf(change.beside) + (change.type === 'after' ? 1 : 0);
    this.#put({ ...group, value: { ...group.value, members: members.toSpliced(at, 0, member) } }, undefined);
  }

  /** Adds an operation to a primitive or template. */
  addOperation(id: string, operation: Operation, place?: Place): void {
    const item = this.need(id, place);
    if (item.kind !== 'primitive' && item.kind !== 'template') {
      throw new LanguageProblem(`${id} is a ${kindWords[item.kind]}; only a primitive has operations`, { place });
    }
    const { operations } = item.value;
    const twin = operations.list.find(
      (each) => each.name === operation.name && each.interval === operation.interval && each.role === operation.role,
    );
    if (twin !== undefined) {
      throw new LanguageProblem(`${id} has a ${operation.name} every ${operation.interval ?? '0'} already`, {
        place,
        code: 'refused',
      });
    }
    const value = { ...item.value, operations: { ...operations, list: [...operations.list, operation] } };
    this.#put({ ...item, value } as Item, undefined);
  }

  /** Sets one value by its path: `ID.NAME`, `ID.OPERATION.NAME` or `ID.OPERATION.INTERVAL.NAME`. */
  set(path: string, value: string, place?: Place): void {
    const { item, rest } = this.#splitPath(path, place);
    const [first = '', second = '', third = ''] = rest;
    if (rest.length === 1) this.#setPair(item, first, value, place);
    else if (rest.length === 2) this.#setOperation(item, first, undefined, second, value, place);
    else if (rest.length === 3) this.#setOperation(item, first, second, third, value, place);
    else throw new LanguageProblem(`"${path}" is not a path; write ID.NAME or ID.OPERATION.[INTERVAL.]NAME`, { place });
  }

  /** Ids may contain dots: the longest that exists counts. */
  #splitPath(path: string, place?: Place): { readonly item: Item; readonly rest: readonly string[] } {
    const parts = path.split('.');
    for (let count = parts.length - 1; count >= 1; count -= 1) {
      const item = this.find(parts.slice(0, count).join('.'));
      if (item !== undefined) return { item, rest: parts.slice(count) };
    }
    if (parts.length < 2) throw new LanguageProblem(`"${path}" is not a path; write ID.NAME`, { place });
    const id = parts[0] ?? '';
    throw new LanguageProblem(`there is no "${id}"${didYouMean(id, this.#names())}`, { place, code: 'notFound' });
  }

  #setPair(item: Item, name: string, value: string, place?: Place): void {
    const names = new Set<string>();
    let count = 0;
    const changed = mapSets(item, (set) => {
      if (!set.pairs.some((pair) => pair.name === name)) {
        for (const pair of set.pairs) names.add(pair.name ?? '');
        return set;
      }
      return {
        ...set,
        pairs: set.pairs.map((pair) => {
          if (pair.name !== name) return pair;
          count += 1;
          return { ...pair, value };
        }),
      };
    });
    if (count === 0) {
      throw new LanguageProblem(`${item.id} has no "${name}"${didYouMean(name, names)}`, { place, code: 'notFound' });
    }
    if (count > 1) {
      throw new LanguageProblem(`${item.id} has ${count} values named "${name}"; use edit`, { place, code: 'refused' });
    }
    this.#put({ ...changed, place }, undefined);
  }

  #setOperation(
    item: Item,
    operation: string,
    interval: string | undefined,
    name: string,
    value: string,
    place?: Place,
  ): void {
    if (item.kind !== 'primitive' && item.kind !== 'template') {
      throw new LanguageProblem(`${item.id} is a ${kindWords[item.kind]}; only a primitive has operations`, { place });
    }
    const { operations } = item.value;
    const found = operations.list.filter(
      (each) =>
        each.name === operation && (interval === undefined || addUnit(each.interval ?? '0') === addUnit(interval)),
    );
    const [only] = found;
    if (only === undefined) {
      const near = didYouMean(
        operation,
        operations.list.map((each) => each.name),
      );
      const every = interval === undefined ? '' : ` every ${addUnit(interval)}`;
      throw new LanguageProblem(`${item.id} has no operation ${operation}${every}${near}`, { place, code: 'notFound' });
    }
    if (found.length > 1) {
      const intervals = found.map((each) => `${item.id}.${operation}.${each.interval ?? '0'}.${name}`);
      throw new LanguageProblem(
        `${item.id} has ${found.length} operations ${operation}; write ${intervals.join(' or ')}`,
        { place },
      );
    }
    const field = operationFields[name];
    if (field === undefined) {
      const near = didYouMean(name, Object.keys(operationFields));
      throw new LanguageProblem(`an operation has no "${name}"${near}`, { place, code: 'notFound' });
    }
    const text = field === 'interval' || field === 'timeout' ? addUnit(value) : value;
    const changed: Operation = { ...only, [field]: text };
    const list = operations.list.map((each) => (each === only ? changed : each));
    this.#put({ ...item, value: { ...item.value, operations: { ...operations, list } }, place } as Item, undefined);
  }

  // --- finishing -----------------------------------------------------------------------------------------------

  /**
   * The whole as a configuration, with all ids given and all references resolved.
   *
   * @throws LanguageProblems with everything that is wrong with what was changed.
   */
  finish(): Configuration {
    const used = new Set<string>();
    for (const item of this.items) forEachId(item, (id) => used.add(id));
    const namer = new Namer(used);
    const complete = [...this.#items].map(([key, item]) => (this.#fresh.has(key) ? completeIds(item, namer) : item));
    checkItems(complete, fromConfiguration(this.#base));
    return toConfiguration(resolveReferences(complete), this.#base);
  }

  #names(): readonly string[] {
    return this.items.map((item) => item.id);
  }
}

/** What is needed to go back: what was under each key that was written since, or, if that is not enough, everything. */
interface Snapshot {
  readonly journal: (readonly [key: string, before: Item | undefined])[];
  /** Keys that became fresh. */
  readonly added: string[];
  readonly remarks: number;
  copy?: { readonly items: Map<string, Item>; readonly fresh: Set<string> };
}

function undo(items: Map<string, Item>, journal: Snapshot['journal']): void {
  for (const [key, before] of journal.toReversed()) {
    if (before === undefined) items.delete(key);
    else items.set(key, before);
  }
}

export type GroupChange =
  | { readonly type: 'remove'; readonly member: string }
  | { readonly type: 'before' | 'after'; readonly member: string; readonly beside?: string };

const operationFields: Readonly<Record<string, keyof Operation>> = {
  interval: 'interval',
  timeout: 'timeout',
  'start-delay': 'startDelay',
  'interval-origin': 'intervalOrigin',
  'on-fail': 'onFail',
  description: 'description',
};

/** Later pairs replace earlier ones of the same name, in their place. */
function mergePairs(before: readonly Pair[], added: readonly Pair[]): readonly Pair[] {
  const result = [...before];
  for (const pair of added) {
    const index = result.findIndex((each) => each.name === pair.name && pair.name !== undefined);
    const former = result[index];
    if (former === undefined) result.push(pair);
    else result[index] = { ...(former.id === undefined ? {} : { id: former.id }), ...pair };
  }
  return result;
}

/** A typed clone of a primitive is interleaved unless it says otherwise: what nearly everybody wants. */
function withTypedDefaults(item: Item, draft: Draft): Item {
  if (item.kind !== 'clone' || draft.find(item.value.member)?.kind !== 'primitive') return item;
  return { ...item, value: { ...item.value, meta: withDefault(item.value.meta, 'interleave', 'true') } };
}
