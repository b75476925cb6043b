/**
 * A change of the CIB as data: it can be sent, reviewed, applied, taken back, and tried on a newer CIB.
 *
 * Each edit carries what it found and what it leaves. Applying checks the first, so two operators who change the same
 * thing meet a conflict with both values named, while changes of different things merge. Elements of lists are found
 * by their id, never by their place: somebody else may have added one above.
 *
 * Rejected: JSON Patch (RFC 6902). It addresses list elements by index and cannot be taken back without a copy.
 */
import { fail, ok, type Result } from '@systole/kernel';
import type { Cib } from './model/cib.ts';
import { afterConfigurationChange, afterStatusChange, type CibVersion } from './version.ts';

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** From the CIB's root: a field's name, or an element of a list by its id. */
export type Path = readonly (string | { readonly id: string })[];

export type Edit =
  /** A field gets, changes or (without `after`) loses its value. */
  | { readonly type: 'set'; readonly path: Path; readonly before?: Json; readonly after?: Json }
  /** An element joins the list at `path`, behind the element with the id `behind`, or at the front. */
  | { readonly type: 'insert'; readonly path: Path; readonly behind?: string; readonly value: Json }
  /** An element leaves the list at `path`; `behind` tells where it stood. */
  | { readonly type: 'remove'; readonly path: Path; readonly behind?: string; readonly value: Json };

export interface Change {
  /** The version it was made from. */
  readonly base: CibVersion;
  /** In the order in which they apply. */
  readonly edits: readonly Edit[];
}

/** Why an edit does not fit: somewhere it expected another value than it found. */
export interface Conflict {
  readonly path: string;
  readonly expected: Json | undefined;
  readonly found: Json | undefined;
}

/** What leads from `before` to `after`, versions and header aside. Equal parts that are shared are not looked into. */
export function diff(before: Cib, after: Cib): Change {
  const edits: Edit[] = [];
  for (const section of ['configuration', 'status'] as const) {
    compare([section], toJson(before[section]), toJson(after[section]), edits);
  }
  return { base: before.version, edits };
}

/** The change that takes `change` back. `base` is the version that applying `change` led to. */
export function invertChange(change: Change, base: CibVersion): Change {
  return { base, edits: change.edits.toReversed().map(invertEdit) };
}

/**
 * Applies all edits or none. The version is not compared: an edit fits if what it expects is still there. The new
 * version has a higher epoch if the configuration changed, else a higher update count.
 */
export function applyChange(cib: Cib, change: Change): Result<Cib, readonly Conflict[]> {
  if (change.edits.length === 0) return ok(cib);
  const conflicts: Conflict[] = [];
  let document: Json = toJson(cib);
  for (const edit of change.edits) {
    const applied = applyEdit(document, edit, 0);
    if (applied.ok) document = applied.value;
    else conflicts.push(applied.error);
  }
  if (conflicts.length > 0) return fail(conflicts);
  const version = touchesConfiguration(change) ? afterConfigurationChange(cib.version) : afterStatusChange(cib.version);
  return ok({ ...(document as unknown as Cib), version });
}

export const touchesConfiguration = (change: Change): boolean =>
  change.edits.some((edit) => edit.path[0] === 'configuration');

/** `configuration.resources[web].meta`, as shown to people. */
export const formatPath = (path: Path): string =>
  path
    .map((part) => (typeof part === 'string' ? part : `[${part.id}]`))
    .join('.')
    .replaceAll('.[', '[');

// The model is plain JSON by construction; its interfaces only lack the index signature that would say so.
const toJson = (value: unknown): Json => value as Json;

function invertEdit(edit: Edit): Edit {
  switch (edit.type) {
    case 'set':
      return {
        type: 'set',
        path: edit.path,
        ...(edit.after === undefined ? {} : { before: edit.after }),
        ...(edit.before === undefined ? {} : { after: edit.before }),
      };
    case 'insert':
      return { ...edit, type: 'remove' };
    case 'remove':
      return { ...edit, type: 'insert' };
  }
}

function compare(path: Path, before: Json | undefined, after: Json | undefined, edits: Edit[]): void {
  if (before === after) return;
  const ids = bothIds(before, after);
  if (ids !== undefined) {
    compareLists(path, ids, edits);
  } else if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    for (const name of names) compare([...path, name], before[name], after[name], edits);
  } else if (!isEqual(before, after)) {
    edits.push({
      type: 'set',
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  }
}

interface ListsById {
  readonly before: ReadonlyMap<string, Json>;
  readonly after: ReadonlyMap<string, Json>;
}

/** The elements of both lists by id, if all have one of their own and those in both stand in the same order. */
function bothIds(before: Json | undefined, after: Json | undefined): ListsById | undefined {
  if (!Array.isArray(before) || !Array.isArray(after)) return undefined;
  const [left, right] = [byId(before as readonly Json[]), byId(after as readonly Json[])];
  if (left === undefined || right === undefined) return undefined;
  const kept = [...left.keys()].filter((id) => right.has(id));
  const keptAfter = [...right.keys()].filter((id) => left.has(id));
  return kept.every((id, index) => id === keptAfter[index]) ? { before: left, after: right } : undefined;
}

function byId(list: readonly Json[]): ReadonlyMap<string, Json> | undefined {
  const elements = new Map<string, Json>();
  for (const element of list) {
    const id = idOf(element);
    if (id === undefined || elements.has(id)) return undefined;
    elements.set(id, element);
  }
  return elements;
}

/** Removes from the end and inserts from the front, so that `behind` always names an element that is there. */
function compareLists(path: Path, lists: ListsById, edits: Edit[]): void {
  const idsBefore = [...lists.before.keys()];
  for (const [index, id] of [...idsBefore.entries()].toReversed()) {
    if (!lists.after.has(id)) {
      edits.push({ type: 'remove', path, ...behind(idsBefore[index - 1]), value: lists.before.get(id) as Json });
    }
  }
  let previous: string | undefined;
  for (const [id, value] of lists.after) {
    const old = lists.before.get(id);
    if (old === undefined) edits.push({ type: 'insert', path, ...behind(previous), value });
    else compare([...path, { id }], old, value, edits);
    previous = id;
  }
}

const behind = (id: string | undefined): { readonly behind?: string } => (id === undefined ? {} : { behind: id });

/** `depth` counts the steps of the path already taken; what is not on the path is shared with the old document. */
function applyEdit(node: Json | undefined, edit: Edit, depth: number): Result<Json, Conflict> {
  const part = edit.path[depth];
  if (part === undefined) return edit.type === 'set' ? set(node, edit) : applyToList(node, edit);

  if (typeof part === 'string') {
    const record = node ?? {};
    if (!isRecord(record)) return fail(conflict(edit, undefined, node));
    if (edit.type === 'set' && depth === edit.path.length - 1 && edit.after === undefined) {
      if (!isEqual(record[part], edit.before)) return fail(conflict(edit, edit.before, record[part]));
      const { [part]: _removed, ...rest } = record;
      return ok(rest);
    }
    const inner = applyEdit(record[part], edit, depth + 1);
    return inner.ok ? ok({ ...record, [part]: inner.value }) : inner;
  }

  if (!Array.isArray(node)) return fail(conflict(edit, undefined, node));
  const list = node as readonly Json[];
  const index = list.findIndex((element) => idOf(element) === part.id);
  if (index < 0) return fail(conflict(edit, edit.type === 'set' ? edit.before : edit.value, undefined));
  const inner = applyEdit(list[index], edit, depth + 1);
  return inner.ok ? ok(list.with(index, inner.value)) : inner;
}

function set(node: Json | undefined, edit: Extract<Edit, { type: 'set' }>): Result<Json, Conflict> {
  if (!isEqual(node, edit.before) || edit.after === undefined) return fail(conflict(edit, edit.before, node));
  return ok(edit.after);
}

function applyToList(node: Json | undefined, edit: Exclude<Edit, { type: 'set' }>): Result<Json, Conflict> {
  const list = node ?? [];
  const id = idOf(edit.value);
  if (!Array.isArray(list)) return fail(conflict(edit, undefined, node));
  const elements = list as readonly Json[];
  const index = elements.findIndex((element) => idOf(element) === id);
  if (edit.type === 'remove') {
    if (index < 0 || !isEqual(elements[index], edit.value)) return fail(conflict(edit, edit.value, elements[index]));
    return ok(elements.toSpliced(index, 1));
  }
  if (index >= 0) return fail(conflict(edit, undefined, elements[index]));
  // The element it stood behind may be gone by now; then the end is as good a place as any.
  const before = edit.behind === undefined ? -1 : elements.findIndex((element) => idOf(element) === edit.behind);
  const place = edit.behind !== undefined && before < 0 ? elements.length : before + 1;
  return ok(elements.toSpliced(place, 0, edit.value));
}

const conflict = (edit: Edit, expected: Json | undefined, found: Json | undefined): Conflict => {
  const id = edit.type === 'set' ? undefined : idOf(edit.value);
  return { path: formatPath(id === undefined ? edit.path : [...edit.path, { id }]), expected, found };
};

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && !Array.isArray(value);

function idOf(value: Json | undefined): string | undefined {
  const id = isRecord(value) ? value['id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** Deep equality; the order of an object's fields does not count, that of a list's elements does. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [a as readonly Json[], b as readonly Json[]];
    return left.length === right.length && left.every((element, index) => isEqual(element, right[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return names.length === others.length && names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]));
}
