/**
 * A configuration as its language sees it: a flat list of named things, where a group names its members instead of
 * holding them. Statements define items; a draft collects them; `fromConfiguration` and `toConfiguration` translate.
 */
import type {
  AclRole,
  AclSubject,
  Alert,
  AttributeSet,
  Bundle,
  Clone,
  Configuration,
  ConfiguredNode,
  Constraint,
  FencingLevel,
  Group,
  Primitive,
  Resource,
  Tag,
  Template,
} from '@systole/cib';
import { invariant } from '@systole/kernel';
import type { Place } from './problem.ts';

export type GroupItem = Omit<Group, 'members'> & { readonly members: readonly string[] };
export type CloneItem = Omit<Clone, 'member'> & { readonly member: string };
export type BundleItem = Omit<Bundle, 'primitive'> & { readonly primitive?: string };

export type OptionsKind = 'options' | 'resourceDefaults' | 'operationDefaults';

interface Common {
  readonly id: string;
  /** Where it was defined, if that was in this session. */
  readonly place?: Place | undefined;
  /** Where in its definition a name stands, alone or as the beginning of a word such as `web:Promoted`. */
  readonly locate?: ((name: string) => Place | undefined) | undefined;
}

export type Item = Common &
  (
    | {
        readonly kind: 'node';
        readonly value: ConfiguredNode;
        /** Its id was given, not derived. */ readonly hasId: boolean;
      }
    | { readonly kind: 'primitive'; readonly value: Primitive }
    | { readonly kind: 'template'; readonly value: Template }
    | { readonly kind: 'group'; readonly value: GroupItem }
    | { readonly kind: 'clone'; readonly value: CloneItem }
    | { readonly kind: 'bundle'; readonly value: BundleItem }
    | { readonly kind: 'constraint'; readonly value: Constraint }
    | { readonly kind: 'tag'; readonly value: Tag }
    | { readonly kind: 'alert'; readonly value: Alert }
    | { readonly kind: 'aclRole'; readonly value: AclRole }
    | { readonly kind: 'aclTarget' | 'aclGroup'; readonly value: AclSubject }
    | { readonly kind: OptionsKind; readonly value: AttributeSet }
    | { readonly kind: 'fencing'; readonly value: readonly FencingLevel[] }
  );

export type ItemKind = Item['kind'];
export type ItemOf<Kind extends ItemKind> = Extract<Item, { readonly kind: Kind }>;

/** The one item that has no name of its own. */
export const FENCING = 'fencing_topology';

export const defaultSetIds: Readonly<Record<OptionsKind, string>> = {
  options: 'cib-bootstrap-options',
  resourceDefaults: 'rsc-options',
  operationDefaults: 'op-options',
};

/** Words for messages. */
export const kindWords: Readonly<Record<ItemKind, string>> = {
  node: 'node',
  primitive: 'primitive',
  template: 'template',
  group: 'group',
  clone: 'clone',
  bundle: 'bundle',
  constraint: 'constraint',
  tag: 'tag',
  alert: 'alert',
  aclRole: 'role',
  aclTarget: 'user',
  aclGroup: 'group of users',
  options: 'set of properties',
  resourceDefaults: 'set of resource defaults',
  operationDefaults: 'set of operation defaults',
  fencing: 'fencing topology',
};

/** Nodes have names of their own; all else shares one space of ids. */
export const keyOf = (kind: ItemKind, id: string): string => (kind === 'node' ? `node ${id}` : id);

export const isResource = (item: Item): item is ItemOf<'primitive' | 'group' | 'clone' | 'bundle'> =>
  item.kind === 'primitive' || item.kind === 'group' || item.kind === 'clone' || item.kind === 'bundle';

export const isOptions = (item: Item): item is ItemOf<OptionsKind> =>
  item.kind === 'options' || item.kind === 'resourceDefaults' || item.kind === 'operationDefaults';

/** What an item contains by name. */
export function membersOf(item: Item): readonly string[] {
  switch (item.kind) {
    case 'group':
      return item.value.members;
    case 'clone':
      return [item.value.member];
    case 'bundle':
      return item.value.primitive === undefined ? [] : [item.value.primitive];
    default:
      return [];
  }
}

export function fromConfiguration(configuration: Configuration): Item[] {
  const items: Item[] = configuration.nodes.map((value) => ({ kind: 'node', id: value.name, value, hasId: true }));
  for (const resource of configuration.resources) flatten(resource, items);
  for (const value of configuration.tags) items.push({ kind: 'tag', id: value.id, value });
  for (const value of configuration.constraints) items.push({ kind: 'constraint', id: value.id, value });
  for (const kind of ['options', 'resourceDefaults', 'operationDefaults'] as const) {
    configuration[kind].forEach((value, index) => {
      const fallback = index === 0 ? defaultSetIds[kind] : `${defaultSetIds[kind]}-${index}`;
      items.push({ kind, id: value.id ?? value.idRef ?? fallback, value });
    });
  }
  const { roles, targets, groups } = configuration.acls;
  for (const value of roles) items.push({ kind: 'aclRole', id: value.id, value });
  for (const value of targets) items.push({ kind: 'aclTarget', id: value.id, value });
  for (const value of groups) items.push({ kind: 'aclGroup', id: value.id, value });
  if (configuration.fencingLevels.length > 0) {
    items.push({ kind: 'fencing', id: FENCING, value: configuration.fencingLevels });
  }
  for (const value of configuration.alerts) items.push({ kind: 'alert', id: value.id, value });
  return items;
}

/** Contents come before what contains them. */
function flatten(resource: Resource, items: Item[]): void {
  const { id } = resource;
  switch (resource.kind) {
    case 'primitive':
      items.push({ kind: 'primitive', id, value: resource });
      return;
    case 'template':
      items.push({ kind: 'template', id, value: resource });
      return;
    case 'group':
      for (const member of resource.members) flatten(member, items);
      items.push({ kind: 'group', id, value: { ...resource, members: resource.members.map((member) => member.id) } });
      return;
    case 'clone':
      flatten(resource.member, items);
      items.push({ kind: 'clone', id, value: { ...resource, member: resource.member.id } });
      return;
    case 'bundle': {
      const { primitive, ...rest } = resource;
      if (primitive !== undefined) flatten(primitive, items);
      items.push({ kind: 'bundle', id, value: primitive === undefined ? rest : { ...rest, primitive: primitive.id } });
    }
  }
}

/** Puts items together again. What contains what has been checked before. */
export function toConfiguration(items: Iterable<Item>, base: Configuration): Configuration {
  const list = [...items];
  const byId = new Map(list.filter((item) => item.kind !== 'node').map((item) => [item.id, item]));
  const contained = new Set(list.flatMap((item) => membersOf(item)));
  const values = <Kind extends ItemKind>(kind: Kind): ItemOf<Kind>['value'][] =>
    list.flatMap((item) => (item.kind === kind ? [(item as ItemOf<Kind>).value as ItemOf<Kind>['value']] : []));
  const resources = list.flatMap((item) => (contained.has(item.id) ? [] : resourceOf(item, byId)));
  return {
    ...base,
    options: values('options'),
    resourceDefaults: values('resourceDefaults'),
    operationDefaults: values('operationDefaults'),
    nodes: values('node'),
    resources,
    constraints: values('constraint'),
    tags: values('tag'),
    fencingLevels: values('fencing').flat(),
    acls: { roles: values('aclRole'), targets: values('aclTarget'), groups: values('aclGroup') },
    alerts: values('alert'),
  };
}

function resourceOf(item: Item, byId: ReadonlyMap<string, Item>): Resource[] {
  switch (item.kind) {
    case 'primitive':
    case 'template':
      return [item.value];
    case 'group':
      return [{ ...item.value, members: item.value.members.map((id) => primitiveOf(id, byId)) }];
    case 'clone': {
      const inner = byId.get(item.value.member);
      const member = inner === undefined ? undefined : resourceOf(inner, byId)[0];
      invariant(member?.kind === 'primitive' || member?.kind === 'group', `${item.id} contains a primitive or group`);
      return [{ ...item.value, member }];
    }
    case 'bundle': {
      const { primitive, ...rest } = item.value;
      return [primitive === undefined ? rest : { ...rest, primitive: primitiveOf(primitive, byId) }];
    }
    default:
      return [];
  }
}

function primitiveOf(id: string, byId: ReadonlyMap<string, Item>): Primitive {
  const item = byId.get(id);
  invariant(item?.kind === 'primitive', `"${id}" is a primitive`);
  return item.value;
}

/** Words of statements by kind, for `type:`. */
export function wordOf(item: Item): string {
  switch (item.kind) {
    case 'template':
      return 'rsc_template';
    case 'constraint':
      return item.value.kind === 'ticket' ? 'rsc_ticket' : item.value.kind;
    case 'aclRole':
      return 'role';
    case 'aclTarget':
      return 'acl_target';
    case 'aclGroup':
      return 'acl_group';
    case 'options':
      return 'property';
    case 'resourceDefaults':
      return 'rsc_defaults';
    case 'operationDefaults':
      return 'op_defaults';
    case 'fencing':
      return FENCING;
    default:
      return item.kind;
  }
}
