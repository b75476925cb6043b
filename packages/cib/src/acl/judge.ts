/**
 * May this asker do that? A change is judged by the documents before and after it: every element that appears, goes or
 * differs must be writable, in both documents where it is in both, so that nobody gains a right by renaming something.
 *
 * Sections and the containers of values come and go by themselves, as in Pacemaker: who may write one meta attribute
 * of a resource may also write the first. Stricter than Pacemaker: what is removed must be writable down to the last
 * element inside, and a change of permissions needs write on all of them, whatever single ones point to.
 */
import type { Cib } from '../model/cib.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Resource } from '../model/resources.ts';
import { treeOf } from '../xml/export.ts';
import type { Output } from '../xml/writer.ts';
import { type Asker, permissionsOf, type Right, type Rights, rightsIn, rolesOf } from './rights.ts';

/** What somebody wants to do. */
export type Wish =
  /** Turn the CIB into this one. */
  | { readonly type: 'change'; readonly after: Cib }
  /** Set or remove attributes that last until the node leaves. */
  | { readonly type: 'attributes'; readonly node: string; readonly names: readonly string[] }
  /** Forget the history of a resource, or of all, on a node, or on all. */
  | { readonly type: 'cleanUp'; readonly resource?: string; readonly node?: string }
  /** Something that is about no single part: it needs the right to all of the CIB. `what` completes "you may not …". */
  | { readonly type: 'all'; readonly right: Right; readonly what: string };

export interface Refusal {
  /** What may not be done, in words, at most `refusedMax` of them. */
  readonly refused: readonly string[];
  /** Roles of the configuration that he does not have, each of which would allow all of it. */
  readonly roles: readonly string[];
}

const refusedMax = 10;

/** Whether the configuration wants its permissions enforced: one set of options that says so is enough. */
export const isAclEnabled = ({ options }: Configuration): boolean =>
  options.some((set) =>
    set.pairs.some(({ name, value }) => name === 'enable-acl' && /^(?:true|yes|on|y|1)$/i.test(value ?? '')),
  );

/** Undefined if it is allowed. */
export function judge(cib: Cib, asker: Asker, wish: Wish): Refusal | undefined {
  const { acls } = cib.configuration;
  const held = rolesOf(acls, asker);
  const trees = treesOf(cib, wish);
  const refused = refusedTo(held, cib, trees, wish);
  if (refused.length === 0) return undefined;
  const roles = acls.roles
    .map(({ id }) => id)
    .filter((id) => !held.has(id) && refusedTo(new Set([...held, id]), cib, trees, wish).length === 0);
  return { refused: refused.slice(0, refusedMax), roles };
}

/** The refusal as a sentence, with what would help. */
export function refusalText({ user }: Asker, { refused, roles }: Refusal): string {
  const [first] = roles;
  const help =
    first === undefined
      ? 'no role of the configuration allows it'
      : `the role ${roles.join(' or ')} would allow it: configure acl_target ${user} ${first}`;
  return `${user} may not ${refused.join(', nor ')}; ${help}`;
}

interface Trees {
  readonly before: Output;
  readonly after: Output;
}

function treesOf(cib: Cib, wish: Wish): Trees {
  const before = treeOf(cib);
  if (wish.type === 'change') return { before, after: treeOf(wish.after) };
  if (wish.type === 'attributes') return { before, after: withAttributes(before, wish.node, wish.names) };
  return { before, after: before };
}

function refusedTo(held: ReadonlySet<string>, cib: Cib, { before, after }: Trees, wish: Wish): readonly string[] {
  const permissions = permissionsOf(cib.configuration.acls, held);
  const rights = rightsIn(before, permissions);
  switch (wish.type) {
    case 'change':
    case 'attributes': {
      const refused: string[] = [];
      new Comparison(rights, after === before ? rights : rightsIn(after, permissions), refused).compare(
        before,
        after,
        [],
      );
      return refused;
    }
    case 'cleanUp':
      return refusedCleanUp(cib, before, rights, wish);
    case 'all':
      return [...rights.values()].every((own) => own[wish.right]) ? [] : [wish.what];
  }
}

/** Named after what operators call it: `target-role of meta_attributes of primitive web`. */
function describe(chain: readonly Output[]): string {
  const inside = chain.length > 1 ? chain.slice(1) : chain;
  const named = inside.filter(({ attributes }) => Object.values(attributes).some((value) => value !== undefined));
  const words = (named.length === 0 ? inside.slice(-1) : named).toReversed().map(({ name, attributes }) => {
    const label = attributes['name'] ?? attributes['uname'] ?? attributes['id'];
    return label === undefined || containers.has(name) ? name : name === 'nvpair' ? label : `${name} ${label}`;
  });
  return words.join(' of ');
}

/** Containers that are there only for what is in them; besides the sections, which have no attributes. */
const containers: ReadonlySet<string> = new Set([
  'cluster_property_set',
  'instance_attributes',
  'meta_attributes',
  'operations',
  'utilization',
  'transient_attributes',
]);
const sections: ReadonlySet<string> = new Set([
  'acls',
  'alerts',
  'fencing-topology',
  'op_defaults',
  'rsc_defaults',
  'tags',
  'tickets',
]);

const isScaffold = ({ name, attributes, comments = [] }: Output): boolean => {
  const set = Object.keys(attributes).filter((key) => attributes[key] !== undefined);
  if (comments.length > 0) return false;
  return sections.has(name) ? set.length === 0 : containers.has(name) && set.every((key) => key === 'id');
};

class Comparison {
  readonly #before: ReadonlyMap<Output, Rights>;
  readonly #after: ReadonlyMap<Output, Rights>;
  readonly #refused: string[];

  constructor(before: ReadonlyMap<Output, Rights>, after: ReadonlyMap<Output, Rights>, refused: string[]) {
    this.#before = before;
    this.#after = after;
    this.#refused = refused;
  }

  /** `around` are the elements that hold these two, from the root. */
  compare(before: Output, after: Output, around: readonly Output[]): void {
    const chain = [...around, before];
    const [old, present] = [keyed(before), keyed(after)];
    const kept = [...old.keys()].filter((key) => present.has(key));
    const isReordered = [...present.keys()].filter((key) => old.has(key)).some((key, index) => key !== kept[index]);
    // The root's attributes are versions and the like, which every change moves.
    const isOther = around.length > 0 && !isSame(before, after);
    const isTouched = isOther || isReordered || kept.length < old.size || kept.length < present.size;
    if (before.name === 'acls' && isDifferent(before, after) && !this.#mayWrite(before, after)) {
      this.#refused.push('write acls');
      return;
    }
    if ((isOther || isReordered) && !this.#mayWrite(before, after)) {
      this.#refused.push(`write ${describe([...around, after])}`);
      return;
    }
    for (const [key, child] of isTouched ? old : []) {
      if (!present.has(key)) this.#whole(child, chain, this.#before, 'remove');
    }
    for (const [key, child] of present) {
      const was = old.get(key);
      if (was === undefined) this.#whole(child, chain, this.#after, 'add');
      else this.compare(was, child, chain);
    }
  }

  #mayWrite(before: Output, after: Output): boolean {
    return this.#before.get(before)?.write === true && this.#after.get(after)?.write === true;
  }

  /** All of an element that comes or goes. */
  #whole(element: Output, around: readonly Output[], rights: ReadonlyMap<Output, Rights>, verb: string): void {
    const chain = [...around, element];
    const isAcls = element.name === 'acls';
    if (rights.get(element)?.write !== true && (isAcls || !isScaffold(element))) {
      this.#refused.push(`${verb} ${describe(chain)}`);
      return;
    }
    for (const child of element.children ?? []) this.#whole(child, chain, rights, verb);
  }
}

/** Children by what they are: name and id, or name and place among those without. */
function keyed({ children = [] }: Output): ReadonlyMap<string, Output> {
  const found = new Map<string, Output>();
  for (const child of children) {
    const base = `${child.name} ${child.attributes['id'] ?? child.attributes['uname'] ?? ''}`;
    let key = base;
    for (let place = 1; found.has(key); place += 1) key = `${base} ${place}`;
    found.set(key, child);
  }
  return found;
}

const isSame = (a: Output, b: Output): boolean =>
  [...new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)])].every(
    (name) => a.attributes[name] === b.attributes[name],
  ) && (a.comments ?? []).join('\n') === (b.comments ?? []).join('\n');

const isDifferent = (a: Output, b: Output): boolean => JSON.stringify(a) !== JSON.stringify(b);

/** The document with values of those names on a node, for the sake of the question who may write them. */
function withAttributes(root: Output, node: string, names: readonly string[]): Output {
  const set: Output = {
    name: 'transient_attributes',
    attributes: { id: `asked-${node}` },
    children: [
      {
        name: 'instance_attributes',
        attributes: { id: `asked-${node}-values` },
        children: names.map((name) => ({
          name: 'nvpair',
          attributes: { id: `asked-${node}-${name}`, name, value: '' },
        })),
      },
    ],
  };
  const added = (state: Output): Output => ({ ...state, children: [...(state.children ?? []), set] });
  return {
    ...root,
    children: (root.children ?? []).map((section) => {
      if (section.name !== 'status') return section;
      const states = section.children ?? [];
      const isThere = states.some(({ attributes }) => attributes['uname'] === node);
      const fresh: Output = { name: 'node_state', attributes: { uname: node } };
      return {
        ...section,
        children: (isThere ? states : [...states, fresh]).map((state) =>
          state.attributes['uname'] === node ? added(state) : state,
        ),
      };
    }),
  };
}

function refusedCleanUp(
  cib: Cib,
  root: Output,
  rights: ReadonlyMap<Output, Rights>,
  { resource, node }: Extract<Wish, { type: 'cleanUp' }>,
): readonly string[] {
  const ids = resource === undefined ? undefined : idsWithin(cib.configuration.resources, resource);
  const status = root.children?.find(({ name }) => name === 'status');
  const histories = (status?.children ?? [])
    .filter(({ name, attributes }) => name === 'node_state' && (node === undefined || attributes['uname'] === node))
    .flatMap((state) => (state.children ?? []).filter(({ name }) => name === 'lrm'))
    .flatMap((lrm) => (lrm.children ?? []).flatMap(({ children = [] }) => children))
    .filter(({ attributes }) => ids === undefined || ids.has((attributes['id'] ?? '').replace(/:\d+$/, '')));
  const refused = histories.filter((history) => rights.get(history)?.write !== true);
  if (histories.length === 0 && status !== undefined && rights.get(status)?.write !== true)
    return [`clean up ${resource ?? 'resources'}`];
  return [...new Set(refused.map(({ attributes }) => `clean up ${attributes['id'] ?? ''}`))];
}

/** The id itself, and those of what is inside the resource that has it. */
function idsWithin(resources: readonly Resource[], id: string): ReadonlySet<string> {
  const found = new Set([id]);
  const visit = (resource: Resource, isInside: boolean): void => {
    const isMeant = isInside || resource.id === id;
    if (isMeant) found.add(resource.id);
    const inner =
      resource.kind === 'group'
        ? resource.members
        : resource.kind === 'clone'
          ? [resource.member]
          : resource.kind === 'bundle' && resource.primitive !== undefined
            ? [resource.primitive]
            : [];
    for (const each of inner) visit(each, isMeant);
  };
  for (const resource of resources) visit(resource, false);
  return found;
}
