/**
 * Nodes and instances while they are being read. The reader fills them in passes (the configuration, then one node's
 * history after another, because what runs on a remote node is known only when its connection is) and hands them out
 * as the immutable types of `node.ts` and `instance.ts`, which they satisfy.
 */
import type { Cib, OperationRecord, ResourceHistory, RuleContext } from '@systole/cib';
import type { Options } from '../options.ts';
import type { Message, Recheck, Ticket } from '../situation.ts';
import type { ActiveRecurring, Demand, FailedOperation, PostponedCheck, ReadScore } from '../status/demand.ts';
import type { HistoryEntry, ResourceHistoryOnNode } from '../status/history.ts';
import type { FailureRecord, Node } from '../status/node.ts';
import type {
  AllowedNode,
  BundleInstance,
  CloneInstance,
  GroupInstance,
  PrimitiveInstance,
  Replica,
} from './instance.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Nodes and links as drafts; the rest of an instance may be changed while it is read. */
type Changing<T, K extends string> = Mutable<Omit<T, K>>;

export interface DraftNode extends Changing<
  Node,
  'connection' | 'running' | 'attributes' | 'utilization' | 'failures'
> {
  connection?: DraftPrimitive;
  running: DraftPrimitive[];
  attributes: Map<string, string>;
  utilization: Map<string, number>;
  failures: ReadonlyMap<string, readonly FailureRecord[]>;
  /** Its history has been read. */
  isRead: boolean;
}

type Links = 'parent' | 'children' | 'meta' | 'activeNodes' | 'probedNodes' | 'allowed';

interface DraftLinks {
  parent?: DraftInstance | undefined;
  meta: Map<string, string>;
  activeNodes: DraftNode[];
  probedNodes: Set<DraftNode>;
  /** Shared with other instances until `ownAllowed` copies it. */
  allowed: Map<DraftNode, AllowedNode>;
}

export interface DraftPrimitive
  extends
    Changing<
      PrimitiveInstance,
      | Links
      | 'launcher'
      | 'launched'
      | 'pending'
      | 'lock'
      | 'partialMigration'
      | 'danglingSources'
      | 'history'
      | 'lastFailures'
    >,
    DraftLinks {
  children: DraftInstance[];
  launcher?: DraftPrimitive | undefined;
  launched: DraftPrimitive[];
  pending?: { readonly operation: string; readonly node: DraftNode } | undefined;
  lock?: { readonly node: DraftNode; readonly since: number } | undefined;
  partialMigration?: { readonly source: DraftNode; readonly target: DraftNode } | undefined;
  danglingSources: DraftNode[];
  history: Map<DraftNode, ResourceHistoryOnNode>;
  lastFailures: Map<DraftNode, HistoryEntry>;
}

export interface DraftGroup extends Changing<GroupInstance, Links>, DraftLinks {
  children: DraftPrimitive[];
}

export interface DraftClone extends Changing<CloneInstance, Links>, DraftLinks {
  children: (DraftPrimitive | DraftGroup)[];
  /** Instances made so far. */
  made: number;
}

export interface DraftReplica extends Changing<Replica, 'ip' | 'container' | 'remote' | 'child' | 'node'> {
  ip?: DraftPrimitive;
  container: DraftPrimitive;
  remote?: DraftPrimitive;
  child?: DraftPrimitive;
  node?: DraftNode;
}

export interface DraftBundle extends Changing<BundleInstance, Links | 'replicas' | 'child'>, DraftLinks {
  children: DraftInstance[];
  replicas: DraftReplica[];
  child?: DraftClone;
}

export type DraftInstance = DraftPrimitive | DraftGroup | DraftClone | DraftBundle;

/** Everything that reading gathers. */
export interface Reader {
  readonly cib: Cib;
  /** Seconds since 1970. */
  readonly now: number;
  readonly ruleContext: RuleContext;
  /** As configured, but that a removed fence device is still one: what it fenced last may have to be finished. */
  options: Options;
  readonly hasQuorum: boolean;
  readonly nodes: DraftNode[];
  /** By name and id in lower case. */
  readonly nodeByName: Map<string, DraftNode>;
  readonly nodeById: Map<string, DraftNode>;
  readonly roots: DraftInstance[];
  readonly instanceById: Map<string, DraftInstance>;
  readonly recorded: ReadonlyMap<string, ReadonlyMap<string, ResourceHistory>>;
  readonly tickets: Map<string, Ticket>;
  readonly templateUsers: Map<string, string[]>;
  readonly demands: Demand[];
  /** Where the demand of a stop is in `demands`. */
  readonly stops: Map<DraftPrimitive, Map<DraftNode, number>>;
  readonly activeRecurring: ActiveRecurring[];
  readonly failedOperations: FailedOperation[];
  /** Keys of the failed operations noted for each node. */
  readonly failedKeys: Map<DraftNode, Set<string>>;
  readonly postponedChecks: PostponedCheck[];
  readonly rescheduled: Set<OperationRecord>;
  readonly readScores: ReadScore[];
  /** Containers of bundles whose connection failed: to be stopped where they turn out to be. */
  readonly containersToStop: DraftPrimitive[];
  readonly messages: Message[];
  /** The table of nodes that every new instance may run on, and the instances that have their own copy. */
  commonAllowed?: Map<DraftNode, AllowedNode>;
  readonly withOwnAllowed: Set<DraftInstance>;
  readonly settings: Map<object, unknown>;
  recheck?: Recheck;
}

export const findNode = (reader: Reader, name: string | undefined): DraftNode | undefined =>
  name === undefined ? undefined : reader.nodeByName.get(name.toLowerCase());

export function noteRecheck(reader: Reader, at: number, reason: string): void {
  if (at > reader.now && (reader.recheck === undefined || at < reader.recheck.at)) reader.recheck = { at, reason };
}

/** The outermost resource; with `includeBundle` false it stops below a bundle. */
export function topDraft(instance: DraftInstance, includeBundle: boolean): DraftInstance {
  let top = instance;
  while (top.parent !== undefined && (includeBundle || top.parent.kind !== 'bundle')) top = top.parent;
  return top;
}

export const isBundledDraft = (instance: DraftInstance): boolean => topDraft(instance, true).kind === 'bundle';
export const isGuest = (node: DraftNode): boolean => node.kind !== 'member' && node.connection?.launcher !== undefined;
/** A remote node: not a member, not a guest. */
export const isRemote = (node: DraftNode): boolean => node.kind !== 'member' && node.connection?.launcher === undefined;

/** Every instance below and including this one, parents first. */
export function* withDescendants(instance: DraftInstance): Generator<DraftInstance> {
  yield instance;
  for (const child of instance.children) yield* withDescendants(child);
}
