/**
 * The meta attributes of an action: those of its operation and resource, what is particular to this action, and of
 * actions inside guests the host. Agents get them as `OCF_RESKEY_CRM_meta_…`.
 */
import { mergeSets } from '@systole/cib';
import { defaultTimeoutMs, findOperation, metaOf } from '../config/operations.ts';
import { hasSameParametersEverywhere } from '../config/parameters.ts';
import { durationOf } from '../config/values.ts';
import type { CloneInstance } from '../expand/instance.ts';
import { plainOperation } from '../graph/collective.ts';
import type { Draft } from '../graph/draft.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { currentNode } from './primitive.ts';

/** Meta attributes that have fields of their own in the transition, and are not repeated. */
const specials = ['timeout', 'role', 'migrate_source', 'migrate_target'] as const;
type Special = (typeof specials)[number];
const specialNames: ReadonlySet<string> = new Set(specials);
const isSpecial = (name: string): name is Special => specialNames.has(name);

export interface Described {
  readonly meta: Readonly<Record<string, string>>;
  readonly special: Readonly<Partial<Record<Special, string>>>;
}

/** Adds a value under its name as agents see it, unless there is one. */
type Add = (name: string, value: string) => void;

const adder =
  (meta: Map<string, string>): Add =>
  (name, value) => {
    // Fail counts and the like carry these characters; they are no business of an agent.
    if (/[#:]/.test(name)) return;
    const key = name.replaceAll('-', '_');
    if (!meta.has(key)) meta.set(key, value);
  };

/** What every run of an operation of a resource has in common. */
interface Common extends Described {
  readonly all: ReadonlyMap<string, string>;
}

export function actionMeta(plan: Plan): (draft: Draft) => Described {
  const known = new Map<Subject, Map<string, Common>>();
  const common = (draft: Draft, subject: Subject): Common => {
    let ofSubject = known.get(subject);
    if (ofSubject === undefined) known.set(subject, (ofSubject = new Map<string, Common>()));
    const key = dependsOnNode(draft, subject) ? `${draft.key} ${draft.node?.name}` : draft.key;
    let found = ofSubject.get(key);
    if (found === undefined) {
      const all = new Map<string, string>();
      const add = adder(all);
      for (const [name, value] of operationMetaOf(plan, draft, subject)) add(name, value);
      for (let at: Subject | undefined = subject; at !== undefined; at = at.parent) addResourceMeta(at, subject, add);
      found = { all, ...split(all) };
      ofSubject.set(key, found);
    }
    return found;
  };
  return (draft) => {
    const { subject, extra } = draft;
    const isInGuest = draft.node?.kind === 'guest';
    if (subject !== undefined && extra.size === 0 && !isInGuest) return common(draft, subject);
    const meta = new Map<string, string>();
    const add = adder(meta);
    for (const [name, value] of extra) add(name, value);
    if (subject !== undefined) {
      for (const [name, value] of common(draft, subject).all) add(name, value);
      if (isInGuest) addGuestMeta(plan, draft, subject, add);
    }
    return split(meta);
  };
}

/** A fence device's timeout may be a parameter, and so depend on the node. */
const dependsOnNode = (draft: Draft, subject: Subject): boolean =>
  isPrimitive(subject) &&
  primitive(subject).isFenceDevice &&
  !hasSameParametersEverywhere(subject.of) &&
  (draft.madeAs === 'start' || (draft.madeAs === 'monitor' && draft.intervalMs === 0));

function split(all: ReadonlyMap<string, string>): Described {
  const meta: [string, string][] = [];
  const special: Partial<Record<Special, string>> = {};
  for (const [name, value] of all) {
    if (isSpecial(name)) special[name] = value;
    else if (name !== 'interval') meta.push([name, value]);
  }
  return { meta: Object.fromEntries(meta), special };
}

function operationMetaOf(plan: Plan, draft: Draft, subject: Subject): ReadonlyMap<string, string> {
  const { situation } = plan;
  if (isPrimitive(subject)) {
    const instance = primitive(subject);
    const configured = findOperation(instance.operations, draft.madeAs, draft.intervalMs);
    const config =
      configured ?? (draft.key.includes('_notify_') ? findOperation(instance.operations, 'notify', 0) : undefined);
    return metaOf(situation, instance, draft.node, draft.madeAs, draft.intervalMs, config);
  }
  const meta = new Map<string, string>();
  mergeSets(
    situation.cib.configuration.operationDefaults,
    { ...situation.ruleContext, operation: { name: draft.madeAs, intervalMs: draft.intervalMs } },
    meta,
  );
  const timeoutMs = durationOf(meta.get('timeout'));
  meta.set('timeout', String(timeoutMs > 0 ? timeoutMs : defaultTimeoutMs));
  return meta;
}

function addResourceMeta(at: Subject, of: Subject, add: Add): void {
  const { of: instance } = at;
  if (instance.kind === 'clone') addCloneMeta(instance, add);
  if (instance.kind !== 'primitive') return;
  const number = at.of.meta.get('clone') ?? (at.of.number === undefined ? undefined : String(at.of.number));
  if (number !== undefined) add('clone', number);
  const remoteNode = instance.meta.get('remote-node');
  if (remoteNode !== undefined) add('remote-node', remoteNode);
  if (at === of && at.launcher !== undefined) add('container', at.launcher.id);
}

function addCloneMeta(clone: CloneInstance, add: Add): void {
  add('globally-unique', String(clone.isUnique));
  add('notify', String(clone.hasNotify));
  add('clone-max', String(clone.max));
  add('clone-node-max', String(clone.nodeMax));
  if (!clone.isPromotable) return;
  // Agents of before 2020 know the older names.
  for (const name of ['promoted-max', 'master-max']) add(name, String(clone.promotedMax));
  for (const name of ['promoted-node-max', 'master-node-max']) add(name, String(clone.promotedNodeMax));
}

/** The host that a guest runs on: the present one for what goes down, the next one for what comes up. */
function addGuestMeta(plan: Plan, draft: Draft, subject: Subject, add: Add): void {
  const launcher = draft.node === undefined ? undefined : plan.launcherOf(draft.node);
  if (launcher === undefined) return;
  const about =
    draft.operation === 'notify' || draft.operation === 'notified'
      ? (draft.extra.get('notify_operation') ?? '')
      : plainOperation(draft);
  let host: Node | undefined;
  if (['stop', 'stopped', 'demote', 'demoted'].includes(about)) host = currentNode(plan, launcher);
  else if (['start', 'running', 'monitor', 'promote', 'promoted'].includes(about)) host = launcher.assigned;
  if (host === undefined) return;
  const target = subject.of.meta.get('container-attribute-target');
  if (target !== undefined) add('container-attribute-target', target);
  add('physical-host', host.name);
}
