/** What the cluster keeps running: primitives, and what is made of them. */
import type { AttributeSet, Role } from './attributes.ts';

/** `ocf:heartbeat:IPaddr2`, `lsb:nginx`, `systemd:mariadb`, `stonith:fence_ipmilan`. Only OCF has a provider. */
export interface AgentName {
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

/** How an agent's action is to be run. Durations are as configured (`10s`, `PT1M`); absent means the default. */
export interface Operation {
  readonly id?: string;
  /** The id of an operation elsewhere that stands here. */
  readonly idRef?: string;
  readonly name: string;
  /** `0` or absent: once, when the cluster needs it; else a recurring operation. */
  readonly interval?: string;
  readonly timeout?: string;
  readonly startDelay?: string;
  readonly intervalOrigin?: string;
  readonly onFail?: string;
  readonly enabled?: boolean;
  readonly recordPending?: boolean;
  readonly role?: Role;
  readonly requires?: string;
  readonly description?: string;
  readonly parameters: readonly AttributeSet[];
  readonly meta: readonly AttributeSet[];
}

/** The operations of a primitive or template. A set of operations has an id of its own, which others may refer to. */
export interface Operations {
  readonly id?: string;
  /** The id of another's operations (or of the resource that has them) that stand here as well. */
  readonly idRef?: string;
  readonly list: readonly Operation[];
}

interface ResourceCommon {
  readonly id: string;
  readonly description?: string;
  /** Comments of the configuration text that stand before this object, without their `#`. */
  readonly comments?: readonly string[];
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
}

export interface Primitive extends ResourceCommon {
  readonly kind: 'primitive';
  /** Exactly one of `agent` and `template` is present. */
  readonly agent?: AgentName;
  /** The id of the template that this primitive is made from. */
  readonly template?: string;
  readonly operations: Operations;
  readonly utilization: readonly AttributeSet[];
}

/** Like a primitive, but only to be made from: it never runs. */
export interface Template extends ResourceCommon {
  readonly kind: 'template';
  readonly agent: AgentName;
  readonly operations: Operations;
  readonly utilization: readonly AttributeSet[];
}

/** Primitives that run on one node, started in order and stopped in the opposite order. */
export interface Group extends ResourceCommon {
  readonly kind: 'group';
  readonly members: readonly Primitive[];
}

/** Several copies of a primitive or group. Promotable if its meta attributes say `promotable=true`. */
export interface Clone extends ResourceCommon {
  readonly kind: 'clone';
  readonly member: Primitive | Group;
  /** Written `<master>` in older configurations: promotable whatever its meta attributes say. */
  readonly isLegacyMaster?: boolean;
}

/** Replicas of a container, each with an address of its own and at most one primitive inside. */
export interface Bundle extends ResourceCommon {
  readonly kind: 'bundle';
  /** `docker`, `podman` or `rkt`. */
  readonly containerType: string;
  /** Attributes of the container element as written: image, replicas, replicas-per-host, promoted-max, run-command, … */
  readonly container: Readonly<Record<string, string>>;
  /** Attributes of the network element: ip-range-start, control-port, host-interface, host-netmask, add-host. */
  readonly network?: Readonly<Record<string, string>>;
  /** Attributes of each port mapping: id, port, internal-port, range. */
  readonly ports: readonly Readonly<Record<string, string>>[];
  /** Attributes of each storage mapping: id, source-dir, source-dir-root, target-dir, options. */
  readonly storage: readonly Readonly<Record<string, string>>[];
  readonly primitive?: Primitive;
}

export type Resource = Primitive | Template | Group | Clone | Bundle;
