/** Where resources may run, beside what, after what, and with which ticket. */
import type { Score } from '../score.ts';
import type { Role, Rule } from './attributes.ts';

/** Resources that take part in a constraint together. */
export interface ResourceSet {
  readonly id?: string;
  /** The id of a set elsewhere that stands here. */
  readonly idRef?: string;
  readonly members: readonly string[];
  /** Ordered (or colocated) among themselves; true unless said otherwise. */
  readonly sequential?: boolean;
  /** All members are needed; true unless said otherwise. */
  readonly requireAll?: boolean;
  readonly ordering?: string;
  readonly action?: Action;
  readonly role?: Role;
  readonly score?: Score;
  readonly kind?: OrderKind;
}

interface ConstraintCommon {
  readonly id: string;
  readonly comments?: readonly string[];
  /** When the constraint applies; older configurations only. */
  readonly lifetime?: readonly Rule[];
}

/** Prefers (or, negative, avoids) nodes for a resource. It names a node and a score, or has rules. */
export interface Location extends ConstraintCommon {
  readonly kind: 'location';
  /** Exactly one of `resource`, `pattern` (a POSIX extended regular expression) and `sets` is present. */
  readonly resource?: string;
  readonly pattern?: string;
  readonly sets?: readonly ResourceSet[];
  readonly node?: string;
  readonly score?: Score;
  readonly rules: readonly Rule[];
  readonly role?: Role;
  /** Whether the node is probed for the resource: `always` unless said otherwise. */
  readonly discovery?: 'always' | 'never' | 'exclusive';
}

/** Puts `dependent` where `primary` is (or, negative, is not). The primary is placed first. */
export interface Colocation extends ConstraintCommon {
  readonly kind: 'colocation';
  readonly score?: Score;
  readonly dependent?: string;
  readonly dependentRole?: Role;
  readonly dependentInstance?: string;
  readonly primary?: string;
  readonly primaryRole?: Role;
  readonly primaryInstance?: string;
  /** In place of dependent and primary. */
  readonly sets?: readonly ResourceSet[];
  /** Nodes with the same value of this attribute count as the same place; `#uname` unless said otherwise. */
  readonly nodeAttribute?: string;
  /** Whether the dependent's preferences move the primary: the `critical` meta attribute unless said otherwise. */
  readonly influence?: boolean;
}

export type OrderKind = 'Mandatory' | 'Optional' | 'Serialize';
export type Action = 'start' | 'stop' | 'promote' | 'demote';

/** Does `first` before `then`, and undoes them in the opposite order unless it is asymmetrical. */
export interface Order extends ConstraintCommon {
  readonly kind: 'order';
  readonly orderKind?: OrderKind;
  /** The older way to say the kind: 0 is Optional, anything else Mandatory. */
  readonly score?: Score;
  readonly first?: string;
  readonly firstAction?: Action;
  readonly firstInstance?: string;
  readonly then?: string;
  readonly thenAction?: Action;
  readonly thenInstance?: string;
  /** In place of first and then. */
  readonly sets?: readonly ResourceSet[];
  readonly symmetrical?: boolean;
  readonly requireAll?: boolean;
}

/** Lets a resource run only while the cluster (of several sites) holds a ticket. */
export interface TicketDependency extends ConstraintCommon {
  readonly kind: 'ticket';
  readonly ticket: string;
  readonly lossPolicy?: 'stop' | 'demote' | 'fence' | 'freeze';
  readonly resource?: string;
  readonly role?: Role;
  readonly sets?: readonly ResourceSet[];
}

export type Constraint = Location | Colocation | Order | TicketDependency;
