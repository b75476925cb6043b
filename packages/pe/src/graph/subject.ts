/**
 * A resource or instance while its actions are being drafted: what was read and placed, and what the stage itself
 * finds out (a role that quorum forbids, a guest that must be recovered). One for each `Instance`, by its index.
 */
import type { Instance, PrimitiveInstance, Replica } from '../expand/instance.ts';
import type { Node } from '../status/node.ts';
import type { Draft } from './draft.ts';

/** A role as a number that can be compared: a higher one includes the lower. */
export const Role = { unknown: 0, stopped: 1, started: 2, unpromoted: 3, promoted: 4 } as const;

export interface ReplicaSubject {
  readonly of: Replica;
  readonly ip?: Subject;
  readonly container: Subject;
  readonly remote?: Subject;
  readonly child?: Subject;
  readonly node?: Node;
}

/** Made with every field there from the start, as drafts are. */
export interface Subject {
  readonly of: Instance;
  readonly id: string;
  readonly kind: Instance['kind'];
  readonly parent: Subject | undefined;
  /** Members, instances, or what a bundle implies. */
  readonly children: readonly Subject[];
  readonly replicas: readonly ReplicaSubject[];
  /** What this runs inside, and what runs inside this. */
  readonly launcher: Subject | undefined;
  readonly launched: readonly Subject[];
  /** The outermost resource below a bundle: a member's clone, not its bundle. */
  readonly top: Subject;
  /** The bundle that this is part of. */
  readonly bundle: Subject | undefined;

  readonly isManaged: boolean;
  readonly isBlocked: boolean;
  readonly role: number;
  /** A live migration that is half done, and goes on. */
  migration: { readonly source: Node; readonly target: Node } | undefined;

  nextRole: number;
  assigned: Node | undefined;
  isFailed: boolean;
  mustStopIfFailed: boolean;
  /** Its start is pending, or must be followed by a restart anyway. */
  hasPendingStart: boolean;
  isReloading: boolean;
  isRestarting: boolean;
  /** Active on several nodes, and to be stopped on all but the one where it belongs. */
  stopsUnexpected: boolean;

  /** Counts the times when a part of it lost its place: an index of its parts by place is made anew only then. */
  placesVersion: number;
  /** Counts changes of its parts' actions: what follows from them is worked out anew only then. */
  version: number;
  /** Its actions by key (`start_0`), in the order of their creation. */
  readonly drafts: Map<string, Draft[]>;
  /** Why its next role is what it is, if not by placement. */
  roleReason: string | undefined;
}

export const isPrimitive = (subject: Subject): boolean => subject.kind === 'primitive';
/** A clone or a bundle: a collection of instances. */
export const isCollective = (subject: Subject): boolean => subject.kind === 'clone' || subject.kind === 'bundle';
export const isGroupOrMore = (subject: Subject): boolean => subject.kind !== 'primitive';

/** The primitive, where it is known to be one. */
export const primitive = (subject: Subject): PrimitiveInstance => subject.of as PrimitiveInstance;

export const isWithin = (subject: Subject, ancestor: Subject): boolean => {
  for (let parent = subject.parent; parent !== undefined; parent = parent.parent) if (parent === ancestor) return true;
  return false;
};

/** The one node where it (all of it) is placed; undefined if it is on none or several. */
export function assignedNode(subject: Subject): Node | undefined {
  const node = commonNode(subject, 'next', undefined);
  return node === 'several' ? undefined : node;
}

/** The one node where it (all of it) is active now; undefined if it is on none or several. */
export function presentNode(subject: Subject): Node | undefined {
  const node = commonNode(subject, 'now', undefined);
  return node === 'several' ? undefined : node;
}

/** `found`, if nothing in `subject` is elsewhere. */
function commonNode(subject: Subject, when: 'now' | 'next', found: Node | undefined): Node | 'several' | undefined {
  let node = found;
  if (subject.children.length > 0) {
    for (const child of subject.children) {
      const common = commonNode(child, when, node);
      if (common === 'several') return common;
      node = common;
    }
    return node;
  }
  if (when === 'next') return joined(node, subject.assigned);
  for (const active of subject.of.activeNodes) {
    const common = joined(node, active);
    if (common === 'several') return common;
    node = common;
  }
  return node;
}

const joined = (node: Node | undefined, other: Node | undefined): Node | 'several' | undefined =>
  node === undefined || node === other ? (other ?? node) : other === undefined ? node : 'several';

/** Its role now, or after the transition; of a group or clone the highest of its parts. */
export function roleOf(subject: Subject, when: 'now' | 'next'): number {
  if (subject.kind === 'primitive') return when === 'now' ? subject.role : subject.nextRole;
  if (subject.kind === 'bundle') return Role.unknown;
  return subject.children.reduce((highest, child) => Math.max(highest, roleOf(child, when)), 0);
}
