/**
 * Which colocations count for a resource, and in which order they are applied.
 *
 * Besides its own, a resource inside another has those of the outer one, as far as it stands for it: a group's first
 * member goes where the group must go, and its last member is what others go with, because the members follow each
 * other in a chain. Instances of a clone have the clone's. A bundle's are its containers', and, once its containers
 * are placed, those of the promotable clone inside, where they decide about roles.
 */
import { byCodeUnit } from '@systole/kernel';
import { INFINITY } from '@systole/cib';
import { isInBundle, topSlot, type Board, type Link, type Slot } from './board.ts';

type Side = 'primary' | 'dependent';

const variants: Readonly<Record<Slot['kind'], number>> = { primitive: 0, group: 1, clone: 2, bundle: 3 };

/**
 * The order by the resource on the other side: priority, then bundles before clones before groups before primitives,
 * then promotable clones before others, then the smaller id.
 */
export function compareLinks(a: Link, b: Link, by: Side): number {
  const [left, right] = [a[by].instance, b[by].instance];
  if (left === right) return 0;
  const promotable = left.kind === 'clone' ? Number(right.isPromotable) - Number(left.isPromotable) : 0;
  return (
    right.priority - left.priority ||
    variants[right.kind] - variants[left.kind] ||
    promotable ||
    byCodeUnit(left.id, right.id)
  );
}

/** Links in which `slot` (or what it stands for) is the dependent. */
export const linksAsDependent = (slot: Slot): readonly Link[] => gather(slot, 'primary');

/** Links in which `slot` (or what it stands for) is the primary. */
export function linksAsPrimary(board: Board, slot: Slot): readonly Link[] {
  const { knownLinks } = slot;
  if (knownLinks !== undefined && knownLinks.version === board.linksVersion) return knownLinks.links;
  const links = gather(slot, 'dependent');
  // In a bundle they come and go with what has been placed.
  if (!isInBundle(slot)) slot.knownLinks = { version: board.linksVersion, links };
  return links;
}

/** `by` is the other side: a dependent's links are sorted by their primaries. */
function gather(slot: Slot, by: Side): readonly Link[] {
  const { parent } = slot;
  // Most resources stand alone or are instances of a clone that does: there is one list only.
  if (slot.kind !== 'group' && slot.kind !== 'bundle') {
    if (parent === undefined) return own(slot, by);
    if (parent.kind === 'clone' && parent.parent === undefined && own(slot, by).length === 0) return own(parent, by);
  }
  const lists: (readonly Link[])[] = [];
  collect(slot, slot, by, lists);
  const filled = lists.filter((list) => list.length > 0);
  const merged: Link[] = [...(filled[0] ?? [])];
  for (const list of filled.slice(1)) for (const link of list) insertLink(merged, link, by);
  return merged;
}

/** Into its place; of links that tie, the newest is first. */
export function insertLink(list: Link[], link: Link, by: Side): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && compareLinks(link, other, by) > 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, link);
}

const own = (slot: Slot, by: Side): readonly Link[] => (by === 'primary' ? slot.thisWith : slot.withThis);

/** Adds what `holder`, which is `slot` or stands above or beside it, has to say for `slot`. */
function collect(holder: Slot, slot: Slot, by: Side, lists: (readonly Link[])[]): void {
  switch (holder.kind) {
    case 'primitive':
      if (holder === slot) {
        lists.push(own(holder, by));
        if (holder.parent !== undefined) collect(holder.parent, slot, by, lists);
      } else {
        lists.push(own(holder, by).filter((link) => link.isExplicit));
      }
      break;
    case 'group':
      collectGroup(holder, slot, by, lists);
      break;
    case 'clone':
      lists.push(own(holder, by));
      if (holder.parent !== undefined) collect(holder.parent, slot, by, lists);
      break;
    case 'bundle':
      if (countsForBundled(holder, slot)) lists.push(own(holder, by));
      break;
  }
}

function collectGroup(group: Slot, slot: Slot, by: Side, lists: (readonly Link[])[]): void {
  const speaker = by === 'primary' ? group.children[0] : group.children.at(-1);
  if (speaker === undefined) return;
  if (slot !== group && slot !== speaker) {
    if (by === 'primary') collectBehindUnmanaged(group, slot, lists);
    return;
  }
  lists.push(own(group, by));
  if (group.parent !== undefined) collect(group.parent, slot, by, lists);
  if (group.instance.kind === 'group' && !group.instance.isColocated) return;
  for (const member of group.children) if (member !== slot) collect(member, slot, by, lists);
}

/** Behind an unmanaged member the chain is broken: what the group must go with is said again to the next ones. */
function collectBehindUnmanaged(group: Slot, slot: Slot, lists: (readonly Link[])[]): void {
  for (const member of group.children) {
    if (member === slot) return;
    if (!member.isManaged) {
      lists.push(group.thisWith.filter((link) => link.score === INFINITY));
      return;
    }
  }
}

/** The bundle itself and its containers always; the clone inside only while roles are chosen. */
function countsForBundled(bundle: Slot, slot: Slot): boolean {
  if (slot === bundle) return true;
  const { instance } = slot;
  if (instance.kind === 'primitive' && instance.isReplicaContainer) return true;
  const inner = bundle.children.find((child) => child.kind === 'clone');
  if (inner === undefined || !inner.instance.isPromotable || topSlot(slot, false) !== inner) return false;
  return slot === inner ? inner.isPromotionSorted : !slot.isProvisional;
}

/** Whether the dependent's preferences count for the primary (or, of a clone, for this instance of it). */
export function hasInfluence(link: Link, primary: Slot = link.primary): boolean {
  const { instance } = link.dependent;
  // A container is not moved for the sake of its connection, which is cheap to move.
  if (
    instance.kind === 'primitive' &&
    instance.allowsNestedRemote &&
    !primary.instance.isFailed &&
    primary.instance.activeNodes.length === 1
  ) {
    return false;
  }
  return link.hasInfluence || primary.instance.activeNodes.length === 0;
}
