/**
 * What the configuration says about a resource: meta attributes with inheritance and defaults applied, and what follows
 * from them. Computed once for all instances of a clone.
 *
 * Semantics: Pacemaker's lib/pengine/complex.c.
 */
import {
  type AgentName,
  type AttributeSet,
  type Group,
  INFINITY,
  mergeSets,
  type Operation,
  type Operations,
  type Primitive,
  type RuleContext,
  type Template,
} from '@systole/cib';
import { operationConfig, type OperationConfig } from '../config/operations.ts';
import { booleanOf, durationOf, integerOf, isTrue, scoreOf } from '../config/values.ts';
import type { Options } from '../options.ts';
import type { DraftInstance, Reader } from './draft.ts';
import type { InstanceRole, MultipleActivePolicy } from './instance.ts';

export interface Settings {
  readonly meta: Map<string, string>;
  readonly parameterSets: readonly AttributeSet[];
  readonly priority: number;
  readonly stickiness: number;
  readonly migrationThreshold: number;
  readonly failureTimeoutMs: number;
  readonly multipleActive: MultipleActivePolicy;
  readonly isCritical: boolean;
  readonly allowsMigration: boolean;
  readonly needsQuorum: boolean;
  readonly needsFencing: boolean;
  readonly needsUnfencing: boolean;
  readonly isUnique: boolean;
  readonly isPromotable: boolean;
  readonly hasNotify: boolean;
  readonly isManaged: boolean;
  readonly isMaintenance: boolean;
  readonly wantedRole: InstanceRole;
  readonly isDisabled: boolean;
}

export interface PrimitiveSettings extends Settings {
  readonly agent: AgentName;
  readonly operations: readonly OperationConfig[];
  readonly utilization: ReadonlyMap<string, number>;
  readonly isFenceDevice: boolean;
  readonly isConnection: boolean;
  readonly reconnectMs: number;
}

/** What of a resource's kind its settings depend on. */
interface Subject {
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
  readonly agent?: AgentName;
  /** The outermost resource below a bundle is a clone: this one is it, or in it. */
  readonly isInClone: boolean;
}

export const isRemoteAgent = (agent: Partial<AgentName>): boolean =>
  agent.type?.toLowerCase() === 'remote' &&
  agent.class?.toLowerCase() === 'ocf' &&
  agent.provider?.toLowerCase() === 'pacemaker';

/** Of the agent classes only these can tell instances apart, and only OCF knows promotion. */
export const allowsUnique = (agent: AgentName): boolean => ['ocf', 'stonith'].includes(agent.class.toLowerCase());
export const allowsPromotion = (agent: AgentName): boolean => agent.class.toLowerCase() === 'ocf';

const addMissing = (from: ReadonlyMap<string, string>, into: Map<string, string>): void => {
  for (const [name, value] of from) {
    if (!into.has(name) && value.toLowerCase() !== '#default') into.set(name, value);
  }
};

/** Own sets, then those written on parents (the nearest first), then the defaults, then what else the parent has. */
function effectiveMeta(reader: Reader, subject: Subject, parent: DraftInstance | undefined): Map<string, string> {
  const context: RuleContext = {
    ...reader.ruleContext,
    ...(subject.agent === undefined ? {} : { agent: subject.agent }),
  };
  const meta = new Map<string, string>();
  mergeSets(subject.meta, context, meta);
  if (parent !== undefined) {
    const inherited = new Map<string, string>();
    for (let at: DraftInstance | undefined = parent; at !== undefined; at = at.parent) {
      mergeSets(metaSetsOf(reader, at), context, inherited);
    }
    addMissing(inherited, meta);
  }
  mergeSets(reader.cib.configuration.resourceDefaults, context, meta);
  if (parent !== undefined) addMissing(parent.meta, meta);
  return meta;
}

/** The sets written on a resource that is being read; remembered by `rememberMetaSets`. */
const metaSetsOf = (reader: Reader, instance: DraftInstance): readonly AttributeSet[] =>
  (reader.settings.get(instance) as readonly AttributeSet[] | undefined) ?? [];

export function rememberMetaSets(reader: Reader, instance: DraftInstance, sets: readonly AttributeSet[]): void {
  reader.settings.set(instance, sets);
}

export function readSettings(reader: Reader, subject: Subject, parent: DraftInstance | undefined): Settings {
  const { options } = reader;
  const meta = effectiveMeta(reader, subject, parent);
  const isFenceDevice = subject.agent?.class.toLowerCase() === 'stonith';
  const isConnection = subject.agent !== undefined && isRemoteAgent(subject.agent);
  const allowMigrate = meta.get('allow-migrate');
  const isMaintenance = isTrue(meta.get('maintenance')) || options.isMaintenance;
  const isPromotable = subject.isInClone && isTrue(meta.get('promotable'));
  const threshold = scoreOf(meta.get('migration-threshold'), INFINITY);
  return {
    meta,
    parameterSets: subject.parameters,
    priority: scoreOf(meta.get('priority'), 0),
    stickiness: scoreOf(meta.get('resource-stickiness'), 0),
    migrationThreshold: threshold < 0 ? INFINITY : threshold,
    failureTimeoutMs: durationOf(meta.get('failure-timeout')),
    multipleActive: multipleActiveOf(meta.get('multiple-active')),
    isCritical: !meta.has('critical') || isTrue(meta.get('critical')),
    allowsMigration: isTrue(allowMigrate) || (allowMigrate === undefined && isConnection && !meta.has('container')),
    ...needs(meta.get('requires')?.toLowerCase(), isFenceDevice, isConnection, options),
    isUnique: !subject.isInClone || isGloballyUnique(meta),
    isPromotable,
    hasNotify: isTrue(meta.get('notify')),
    isManaged: !isMaintenance && (booleanOf(meta.get('is-managed')) ?? !meta.has('is-managed')),
    isMaintenance,
    wantedRole: targetRole(meta, isPromotable) ?? 'Unknown',
    isDisabled: isDisabled(meta, isPromotable),
  };
}

const isGloballyUnique = (meta: ReadonlyMap<string, string>): boolean => {
  const value = meta.get('globally-unique');
  return value === undefined ? integerOf(meta.get('clone-node-max') ?? '1', 0) > 1 : isTrue(value);
};

function multipleActiveOf(value: string | undefined): MultipleActivePolicy {
  switch (value?.toLowerCase()) {
    case 'stop_only':
      return 'stop_only';
    case 'block':
      return 'block';
    case 'stop_unexpected':
      return 'stop_unexpected';
    default:
      return 'stop_start';
  }
}

type Needs = Pick<Settings, 'needsQuorum' | 'needsFencing' | 'needsUnfencing'>;
const nothing: Needs = { needsQuorum: false, needsFencing: false, needsUnfencing: false };
const quorum: Needs = { ...nothing, needsQuorum: true };
const fencing: Needs = { ...nothing, needsFencing: true };
const unfencing: Needs = { ...fencing, needsUnfencing: true };

/** What must be true before it starts. Fence devices and connections would wait for themselves: they need a quorum only. */
function needs(value: string | undefined, isFenceDevice: boolean, isConnection: boolean, options: Options): Needs {
  switch (value) {
    case 'nothing':
      return nothing;
    case 'quorum':
      return quorum;
    case 'fencing':
      return fencing;
    case 'unfencing':
      return isFenceDevice || !options.isFencingEnabled ? quorum : unfencing;
    default:
      if (isFenceDevice || isConnection) return quorum;
      if (options.hasUnfencing) return options.isFencingEnabled ? unfencing : quorum;
      if (options.isFencingEnabled) return fencing;
      return options.noQuorumPolicy === 'ignore' ? nothing : quorum;
  }
}

const roleNames: Readonly<Record<string, InstanceRole>> = {
  stopped: 'Stopped',
  started: 'Started',
  unpromoted: 'Unpromoted',
  slave: 'Unpromoted',
  promoted: 'Promoted',
  master: 'Promoted',
};

/** The role that `target-role` holds it to; undefined where it asks for what the cluster does anyway, or is wrong. */
export function targetRole(meta: ReadonlyMap<string, string>, isPromotable: boolean): InstanceRole | undefined {
  const role = roleNames[meta.get('target-role')?.toLowerCase() ?? ''];
  if (role === 'Stopped') return role;
  return role === 'Unpromoted' && isPromotable ? role : undefined;
}

const isDisabled = (meta: ReadonlyMap<string, string>, isPromotable: boolean): boolean => {
  const role = roleNames[meta.get('target-role')?.toLowerCase() ?? ''];
  return role === 'Stopped' || (role === 'Unpromoted' && isPromotable);
};

/** The settings of a primitive with its template's; undefined, with a message, if it cannot be. */
export function readPrimitiveSettings(
  reader: Reader,
  primitive: Primitive,
  parent: DraftInstance | undefined,
  isInClone: boolean,
): PrimitiveSettings | undefined {
  const template = templateOf(reader, primitive);
  const agent = primitive.agent ?? template?.agent;
  if (agent === undefined) {
    const text = `${primitive.id} is ignored: there is no template "${primitive.template ?? ''}"`;
    reader.messages.push({ level: 'error', text });
    return undefined;
  }
  const meta = [...(template?.meta ?? []), ...primitive.meta];
  const parameters = [...(template?.parameters ?? []), ...primitive.parameters];
  const settings = readSettings(reader, { meta, parameters, agent, isInClone }, parent);
  const isConnection = isRemoteAgent(agent);
  const reconnectMs =
    isConnection && !settings.meta.has('container') ? reconnectInterval(reader, parameters) : undefined;
  return {
    ...settings,
    ...(reconnectMs === undefined ? {} : { failureTimeoutMs: reconnectMs }),
    agent,
    operations: operationsOf(reader, primitive, template).map(operationConfig),
    utilization: readUtilization(reader, [...(template?.utilization ?? []), ...primitive.utilization], settings.meta),
    isFenceDevice: agent.class.toLowerCase() === 'stonith',
    isConnection,
    reconnectMs: reconnectMs ?? 0,
  };
}

function templateOf(reader: Reader, primitive: Primitive): Template | undefined {
  if (primitive.template === undefined) return undefined;
  let byId = reader.settings.get(reader.cib.configuration) as Map<string, Template> | undefined;
  if (byId === undefined) {
    byId = new Map();
    for (const one of reader.cib.configuration.resources) if (one.kind === 'template') byId.set(one.id, one);
    reader.settings.set(reader.cib.configuration, byId);
  }
  return byId.get(primitive.template);
}

function reconnectInterval(reader: Reader, parameters: readonly AttributeSet[]): number | undefined {
  const values = new Map<string, string>();
  mergeSets(parameters, reader.ruleContext, values);
  const text = values.get('reconnect_interval');
  return text === undefined ? undefined : durationOf(text);
}

function readUtilization(
  reader: Reader,
  sets: readonly AttributeSet[],
  _meta: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const texts = new Map<string, string>();
  mergeSets(sets, reader.ruleContext, texts);
  return numbers(texts);
}

/** Amounts as whole numbers, what is none as 0. */
export const numbers = (texts: ReadonlyMap<string, string>): Map<string, number> =>
  new Map(
    [...texts].map(([name, text]) => [
      name,
      integerOf(text, -(2 ** 31)) === -(2 ** 31) ? 0 : integerOf(text, -(2 ** 31)),
    ]),
  );

/** An own operation replaces the template's of the same name and role. */
function operationsOf(reader: Reader, primitive: Primitive, template: Template | undefined): readonly Operation[] {
  const own = resolveOperations(reader, primitive.operations);
  if (template === undefined) return own;
  const given = resolveOperations(reader, template.operations);
  const keyOf = (one: Operation): string =>
    `${one.name} ${one.role === undefined || one.role === 'Started' || one.role === 'Unpromoted' ? '' : one.role}`;
  const replaced = new Set(own.map(keyOf));
  return [...own, ...given.filter((one) => !replaced.has(keyOf(one)))];
}

function resolveOperations(reader: Reader, operations: Operations): readonly Operation[] {
  const { references } = reader.ruleContext;
  const list = operations.idRef === undefined ? operations.list : (references.operations(operations.idRef)?.list ?? []);
  if (list.every((one) => one.idRef === undefined)) return list;
  return list.flatMap((one) => (one.idRef === undefined ? [one] : (references.operation(one.idRef) ?? [])));
}

/** All agents in a clone's member. */
export const agentsIn = (reader: Reader, member: Primitive | Group): readonly AgentName[] =>
  (member.kind === 'group' ? member.members : [member]).flatMap(
    (one) => one.agent ?? templateOf(reader, one)?.agent ?? [],
  );
