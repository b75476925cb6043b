/** The part of the CIB that operators write. Lists keep the order in which things were written. */
import type { Score } from '../score.ts';
import type { AttributeSet } from './attributes.ts';
import type { Constraint } from './constraints.ts';
import type { Resource } from './resources.ts';

export interface Configuration {
  /** Cluster options, one or several sets. */
  readonly options: readonly AttributeSet[];
  readonly resourceDefaults: readonly AttributeSet[];
  readonly operationDefaults: readonly AttributeSet[];
  readonly nodes: readonly ConfiguredNode[];
  readonly resources: readonly Resource[];
  readonly constraints: readonly Constraint[];
  readonly tags: readonly Tag[];
  readonly fencingLevels: readonly FencingLevel[];
  readonly acls: Acls;
  readonly alerts: readonly Alert[];
  /** Comments of the configuration text that belong to no object. */
  readonly comments?: readonly string[];
}

export interface ConfiguredNode {
  readonly id: string;
  readonly name: string;
  /** `member` if absent; a `ping` node is kept for old configurations and never used. */
  readonly type?: 'member' | 'remote' | 'ping';
  readonly description?: string;
  readonly score?: Score;
  readonly comments?: readonly string[];
  /** Permanent attributes: `standby`, `maintenance`, and the operator's own. */
  readonly attributes: readonly AttributeSet[];
  readonly utilization: readonly AttributeSet[];
}

/** A name for several objects, usable in constraints. */
export interface Tag {
  readonly id: string;
  readonly description?: string;
  readonly comments?: readonly string[];
  readonly members: readonly string[];
}

/** Devices that together fence a target; levels are tried in the order of their index until one succeeds. */
export interface FencingLevel {
  readonly id: string;
  /** 1 to 9. */
  readonly index: number;
  readonly devices: readonly string[];
  readonly target: FencingTarget;
  readonly comments?: readonly string[];
}

export type FencingTarget =
  | { readonly type: 'node'; readonly name: string }
  | { readonly type: 'pattern'; readonly pattern: string }
  | { readonly type: 'attribute'; readonly name: string; readonly value: string };

export interface Acls {
  readonly roles: readonly AclRole[];
  readonly targets: readonly AclSubject[];
  readonly groups: readonly AclSubject[];
}

export interface AclRole {
  readonly id: string;
  readonly description?: string;
  readonly comments?: readonly string[];
  readonly permissions: readonly AclPermission[];
}

/** Applies to what `xpath` selects, or to the object with the id `reference`, or to all of `objectType` (and `attribute`). */
export interface AclPermission {
  readonly id?: string;
  readonly kind: 'read' | 'write' | 'deny';
  readonly description?: string;
  readonly xpath?: string;
  readonly reference?: string;
  readonly objectType?: string;
  readonly attribute?: string;
}

/** A user or group and its roles. `name` is what the system calls it, if that is not the id. */
export interface AclSubject {
  readonly id: string;
  readonly name?: string;
  readonly roles: readonly string[];
  readonly comments?: readonly string[];
}

/** A program that is run when something happens. */
export interface Alert {
  readonly id: string;
  readonly description?: string;
  readonly path: string;
  readonly comments?: readonly string[];
  /** Which events; absent means all but attribute changes. */
  readonly select?: AlertSelection;
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
  readonly recipients: readonly AlertRecipient[];
}

export interface AlertSelection {
  readonly nodes: boolean;
  readonly fencing: boolean;
  readonly resources: boolean;
  /** Present if attribute changes are wanted; the names (an empty list means all). */
  readonly attributes?: readonly { readonly id?: string; readonly name: string }[];
}

export interface AlertRecipient {
  readonly id: string;
  readonly value: string;
  readonly description?: string;
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
}
