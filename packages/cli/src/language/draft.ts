/**
 * A configuration being edited. Edits are collected here, checked as a whole and then committed as one change; an edit
 * that cannot be done throws, and its caller goes back to the draft before it (`snapshot`, `restore`).
 *
 * What an edit changes besides what was asked for (a constraint that goes with a resource, a reference that follows a
 * rename) is told in `remarks`, never done silently.
 */
import type { AttributeSet, Configuration, Operation, Pair } from '@systole/cib';
import { checkItems } from './checks.ts';
import { completeIds, forEachId, Namer } from './ids.ts';
import {
  defaultSetIds,
  fromConfiguration,
  isOptions,
  type Item,
  type ItemKind,
  type ItemOf,
  keyOf,
  kindWords,
  membersOf,
  type OptionsKind,
  toConfiguration,
} from './items.ts';
import { withDefault } from './parse-resources.ts';
import { LanguageProblem, type Place } from './problem.ts';
import { followRename } from './rename.ts';
import { resolveReferences } from './resolve.ts';
import { didYouMean } from './suggest.ts';
import { setOperation, setPair } from './set-value.ts';
import type { Snapshot } from './snapshot.ts';
import { ItemStore } from './item-store.ts';
import { changeGroup, type ChangePlaces, type GroupChange } from './group-members.ts';
import { redirect, removeOthers, removeWithContainer } from './removal.ts';

/** So that contents are defined before what contains them, and both before what names them. */
const loadOrder: readonly ItemKind[] = ['node', 'template', 'primitive', 'group', 'bundle', 'clone'];

export class Draft {
  readonly #base: Configuration;
  readonly #store: ItemStore;

  constructor(base: Configuration, store = new ItemStore(fromConfiguration(base))) {
    this.#base = base;
    this.#store = store;
  }

  /** To be edited apart from this one. */
  copy(): Draft {
    return new Draft(this.#base, this.#store.copy());
  }

  get items(): readonly Item[] {
    return this.#store.items;
  }

  get nodeNames(): readonly string[] {
    return this.items.flatMap((item) => (item.kind === 'node' ? [item.id] : []));
  }

  get remarks(): readonly string[] {
    return this.#store.remarks;
  }

  /** Tells what an edit did besides what was asked for. */
  remark(text: string): void {
    this.#store.remarks.push(text);
  }

  find(id: string): Item | undefined {
    return this.#store.find(id);
  }

  need(id: string, place?: Place): Item {
    return this.#store.need(id, place);
  }

  containerOf(id: string): Item | undefined {
    return this.#store.containerOf(id);
  }

  snapshot(): Snapshot {
    return this.#store.snapshot();
  }

  restore(snapshot: Snapshot): void {
    this.#store.restore(snapshot);
  }

  // --- defining ------------------------------------------------------------------------------------------------

  /** Adds what a typed statement defines. */
  add(item: Item): void {
    const before = this.#store.get(keyOf(item.kind, item.id));
    if (isOptions(item)) this.#mergeOptions(item);
    else if (item.kind === 'node') this.#store.put(this.#asNode(item, before), before);
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
    this.#store.put(item);
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
      const before = this.#store.get(key);
      if (isOptions(item)) {
        if (method === 'push' && !setsSeen.has(key)) this.#store.drop(key);
        setsSeen.add(key);
        this.#mergeOptions(item);
      } else if (item.kind === 'node') this.#store.put(this.#asNode(item, before), before);
      else if (before === undefined) this.#addNew(item, false);
      else this.#replace(before, item);
    }
    if (method === 'push') removeOthers(this.#store, new Set(items.map((item) => keyOf(item.kind, item.id))));
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
    this.#store.put(item, before);
  }

  /** A container takes over the constraints of what it now contains. */
  #addNew(item: Item, isTyped: boolean): void {
    for (const id of membersOf(item)) {
      const member = this.#store.get(id);
      if (member === undefined && isTyped) {
        throw new LanguageProblem(
          `${kindWords[item.kind]} ${item.id} names "${id}", which does not exist${didYouMean(id, this.#store.names)}`,
          {
            place: item.locate?.(id) ?? item.place,
            code: 'notFound',
          },
        );
      }
      const container = this.containerOf(id);
      if (container !== undefined && isTyped) {
        throw new LanguageProblem(`"${id}" is in the ${kindWords[container.kind]} ${container.id} already`, {
          place: item.locate?.(id) ?? item.place,
          code: 'refused',
        });
      }
    }
    this.#store.put(item);
    if (item.kind === 'bundle') return;
    for (const id of membersOf(item)) redirect(this.#store, id, item.id);
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

  #mergeOptions(item: ItemOf<OptionsKind>): void {
    const found = this.#optionsTarget(item);
    if (found === undefined) {
      this.#store.put(item);
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
    this.#store.put({ ...found, value: merged, place: item.place });
  }

  /** The named set, or any that applies always, when none was named. */
  #optionsTarget(item: ItemOf<OptionsKind>): ItemOf<OptionsKind> | undefined {
    const named = this.#store.get(item.id);
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
      if (this.#store.get(keyOf(item.kind, item.id)) !== undefined) removeWithContainer(this.#store, item);
    }
  }

  /** A node of that name, whatever else has it. */
  removeNode(name: string): void {
    this.#store.drop(keyOf('node', name));
  }

  /** All but the nodes. */
  erase(): void {
    this.#store.keep((item) => item.kind === 'node');
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
    this.#store.substitute(item, renamed);
    for (const other of this.items) {
      const changed = followRename(other, from, to);
      if (changed === undefined) continue;
      this.#store.remarks.push(`${kindWords[other.kind]} ${other.id} now names ${to}`);
      this.#store.put(changed);
    }
  }

  /** Puts a primitive into a group (before or behind another), or takes it out. */
  changeGroup(group: string, change: GroupChange, places?: ChangePlaces): void {
    changeGroup(this.#store, group, change, places);
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
    this.#store.put({ ...item, value } as Item);
  }

  /** Sets one value by its path: `ID.NAME`, `ID.OPERATION.NAME` or `ID.OPERATION.INTERVAL.NAME`. */
  set(path: string, value: string, place?: Place): void {
    const { item, rest } = this.#splitPath(path, place);
    const [first = '', second = '', third = ''] = rest;
    if (rest.length === 1) this.update(setPair(item, first, value, place));
    else if (rest.length === 2) this.update(setOperation(item, first, undefined, second, value, place));
    else if (rest.length === 3) this.update(setOperation(item, first, second, third, value, place));
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
    throw new LanguageProblem(`there is no "${id}"${didYouMean(id, this.#store.names)}`, { place, code: 'notFound' });
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
    const complete = this.items.map((item) => (this.#store.isFresh(item) ? completeIds(item, namer) : item));
    checkItems(complete, fromConfiguration(this.#base));
    return toConfiguration(resolveReferences(complete), this.#base);
  }
}

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
