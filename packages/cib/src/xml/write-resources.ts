/** Writes resources. */
import type { Bundle, Group, Operation, Operations, Primitive, Resource, Template } from '../model/resources.ts';
import { idOf, optionalBoolean, withComments, writeSets } from './write-attributes.ts';
import type { Output } from './writer.ts';

export function writeResource(resource: Resource): Output {
  switch (resource.kind) {
    case 'primitive':
    case 'template':
      return writePrimitive(resource);
    case 'group':
      return writeGroup(resource);
    case 'clone': {
      const member = resource.member.kind === 'group' ? writeGroup(resource.member) : writePrimitive(resource.member);
      return {
        name: resource.isLegacyMaster === true ? 'master' : 'clone',
        attributes: { id: resource.id, description: resource.description },
        ...withComments(resource.comments),
        children: [...collectionSets(resource), member],
      };
    }
    case 'bundle':
      return writeBundle(resource);
  }
}

const collectionSets = (resource: Resource): Output[] => [
  ...writeSets(resource.meta, 'meta_attributes', resource.id),
  ...writeSets(resource.parameters, 'instance_attributes', resource.id),
];

function writePrimitive(resource: Primitive | Template): Output {
  const { agent } = resource;
  return {
    name: resource.kind,
    attributes: {
      id: resource.id,
      class: agent?.class,
      provider: agent?.provider,
      type: agent?.type,
      template: resource.kind === 'primitive' ? resource.template : undefined,
      description: resource.description,
    },
    ...withComments(resource.comments),
    children: [
      ...writeSets(resource.parameters, 'instance_attributes', resource.id),
      ...writeSets(resource.meta, 'meta_attributes', resource.id),
      ...writeSets(resource.utilization, 'utilization', resource.id),
      ...writeOperations(resource.operations, resource.id),
    ],
  };
}

function writeOperations(operations: Operations, owner: string): Output[] {
  const { id, idRef, list } = operations;
  if (id === undefined && idRef === undefined && list.length === 0) return [];
  const used = new Set<string>();
  const children = list.map((operation) => {
    const base = idOf(owner, operation.name, operation.interval ?? '0');
    let fallback = base;
    for (let count = 1; used.has(fallback); count += 1) fallback = `${base}-${count}`;
    used.add(operation.id ?? fallback);
    return writeOperation(operation, fallback);
  });
  return [{ name: 'operations', attributes: { id, 'id-ref': idRef }, children }];
}

function writeOperation(operation: Operation, fallbackId: string): Output {
  const isReference = operation.idRef !== undefined;
  const id = isReference ? operation.id : (operation.id ?? fallbackId);
  return {
    name: 'op',
    attributes: {
      id,
      'id-ref': operation.idRef,
      name: isReference && operation.name === '' ? undefined : operation.name,
      interval: operation.interval ?? (isReference ? undefined : '0'),
      timeout: operation.timeout,
      'start-delay': operation.startDelay,
      'interval-origin': operation.intervalOrigin,
      'on-fail': operation.onFail,
      enabled: optionalBoolean(operation.enabled),
      'record-pending': optionalBoolean(operation.recordPending),
      role: operation.role,
      requires: operation.requires,
      description: operation.description,
    },
    children: [
      ...writeSets(operation.parameters, 'instance_attributes', id ?? fallbackId),
      ...writeSets(operation.meta, 'meta_attributes', id ?? fallbackId),
    ],
  };
}

function writeGroup(group: Group): Output {
  return {
    name: 'group',
    attributes: { id: group.id, description: group.description },
    ...withComments(group.comments),
    children: [...collectionSets(group), ...group.members.map(writePrimitive)],
  };
}

function writeBundle(bundle: Bundle): Output {
  const mappings = (name: string, list: readonly Readonly<Record<string, string>>[], suffix: string): Output[] =>
    list.map((mapping, index) => ({
      name,
      attributes: { id: idOf(bundle.id, suffix, mapping['port'] ?? String(index)), ...mapping },
    }));
  const network =
    bundle.network === undefined && bundle.ports.length === 0
      ? []
      : [
          {
            name: 'network',
            attributes: bundle.network ?? {},
            children: mappings('port-mapping', bundle.ports, 'port-mapping'),
          },
        ];
  const storage =
    bundle.storage.length === 0
      ? []
      : [{ name: 'storage', attributes: {}, children: mappings('storage-mapping', bundle.storage, 'storage-mapping') }];
  return {
    name: 'bundle',
    attributes: { id: bundle.id, description: bundle.description },
    ...withComments(bundle.comments),
    children: [
      ...collectionSets(bundle),
      { name: bundle.containerType, attributes: bundle.container },
      ...network,
      ...storage,
      ...(bundle.primitive === undefined ? [] : [writePrimitive(bundle.primitive)]),
    ],
  };
}
