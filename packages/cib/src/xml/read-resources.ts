/** Reads resources: primitives, templates, groups, clones, bundles. */
import type { AttributeSet } from '../model/attributes.ts';
import type {
  AgentName,
  Bundle,
  Clone,
  Group,
  Operation,
  Operations,
  Primitive,
  Resource,
  Template,
} from '../model/resources.ts';
import { readSet } from './read-attributes.ts';
import { commentsOf, describe, maybe, type Reading, Unreadable } from './reading.ts';
import type { Element } from './tree.ts';

export function readResources(reading: Reading, section: Element): Resource[] {
  const resources: Resource[] = [];
  for (const element of section.children) {
    const resource = readResource(reading, element);
    if (resource === undefined) reading.unknownChild(section, element);
    else resources.push(resource);
  }
  return resources;
}

function readResource(reading: Reading, element: Element): Resource | undefined {
  switch (element.name) {
    case 'primitive':
      return readPrimitive(reading, element);
    case 'template':
      return readTemplate(reading, element);
    case 'group':
      return readGroup(reading, element);
    case 'clone':
      return readClone(reading, element);
    case 'master':
      return readMaster(reading, element);
    case 'bundle':
      return readBundle(reading, element);
    default:
      return undefined;
  }
}

interface Parts {
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
  readonly utilization: readonly AttributeSet[];
  readonly operations: Operations;
  /** What is none of these. */
  readonly rest: readonly Element[];
}

const noOperations: Operations = { list: [] };

function readParts(reading: Reading, element: Element): Parts {
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  const utilization: AttributeSet[] = [];
  const rest: Element[] = [];
  let operations = noOperations;
  for (const child of element.children) {
    if (child.name === 'meta_attributes') meta.push(readSet(reading, child));
    else if (child.name === 'instance_attributes') parameters.push(readSet(reading, child));
    else if (child.name === 'utilization') utilization.push(readSet(reading, child));
    else if (child.name === 'operations') operations = joinOperations(operations, readOperations(reading, child));
    else rest.push(child);
  }
  return { meta, parameters, utilization, operations, rest };
}

const joinOperations = (a: Operations, b: Operations): Operations => ({ ...a, ...b, list: [...a.list, ...b.list] });

const operationsNames = new Set(['id', 'id-ref']);

function readOperations(reading: Reading, element: Element): Operations {
  reading.known(element, operationsNames);
  const { id, 'id-ref': idRef } = element.attributes;
  const list: Operation[] = [];
  for (const child of element.children) {
    if (child.name === 'op') list.push(readOperation(reading, child));
    else reading.unknownChild(element, child);
  }
  return { ...maybe('id', id), ...maybe('idRef', idRef), list };
}

const operationNames = new Set([
  'id',
  'id-ref',
  'name',
  'interval',
  'timeout',
  'start-delay',
  'interval-origin',
  'on-fail',
  'enabled',
  'record-pending',
  'role',
  'requires',
  'description',
]);

function readOperation(reading: Reading, element: Element): Operation {
  reading.known(element, operationNames);
  const given = element.attributes;
  const parameters: AttributeSet[] = [];
  const meta: AttributeSet[] = [];
  for (const child of element.children) {
    if (child.name === 'instance_attributes') parameters.push(readSet(reading, child));
    else if (child.name === 'meta_attributes') meta.push(readSet(reading, child));
    else reading.unknownChild(element, child);
  }
  return {
    ...maybe('id', given['id']),
    ...maybe('idRef', given['id-ref']),
    name: given['id-ref'] === undefined ? reading.required(element, 'name') : (given['name'] ?? ''),
    ...maybe('interval', given['interval']),
    ...maybe('timeout', given['timeout']),
    ...maybe('startDelay', given['start-delay']),
    ...maybe('intervalOrigin', given['interval-origin']),
    ...maybe('onFail', given['on-fail']),
    ...maybe('enabled', reading.boolean(element, 'enabled')),
    ...maybe('recordPending', reading.boolean(element, 'record-pending')),
    ...maybe('role', reading.role(element, 'role')),
    ...maybe('requires', given['requires']),
    ...maybe('description', given['description']),
    parameters,
    meta,
  };
}

const common = (reading: Reading, element: Element): { readonly id: string; readonly description?: string } => ({
  id: reading.required(element, 'id'),
  ...maybe('description', element.attributes['description']),
});

const primitiveNames = new Set(['id', 'description', 'class', 'provider', 'type', 'template']);

function readAgent(reading: Reading, element: Element): AgentName {
  return {
    class: reading.required(element, 'class'),
    ...maybe('provider', element.attributes['provider']),
    type: reading.required(element, 'type'),
  };
}

function readPrimitive(reading: Reading, element: Element): Primitive {
  reading.known(element, primitiveNames);
  const { template } = element.attributes;
  const { rest, ...parts } = readParts(reading, element);
  for (const child of rest) reading.unknownChild(element, child);
  return {
    kind: 'primitive',
    ...common(reading, element),
    ...commentsOf(element),
    ...(template === undefined ? { agent: readAgent(reading, element) } : { template }),
    ...parts,
  };
}

function readTemplate(reading: Reading, element: Element): Template {
  reading.known(element, primitiveNames);
  const { rest, ...parts } = readParts(reading, element);
  for (const child of rest) reading.unknownChild(element, child);
  return {
    kind: 'template',
    ...common(reading, element),
    ...commentsOf(element),
    agent: readAgent(reading, element),
    ...parts,
  };
}

const collectionNames = new Set(['id', 'description']);

function readGroup(reading: Reading, element: Element): Group {
  reading.known(element, collectionNames);
  const { rest, meta, parameters } = readParts(reading, element);
  const members: Primitive[] = [];
  for (const child of rest) {
    if (child.name === 'primitive') members.push(readPrimitive(reading, child));
    else reading.unknownChild(element, child);
  }
  return { kind: 'group', ...common(reading, element), ...commentsOf(element), meta, parameters, members };
}

function readClone(reading: Reading, element: Element): Clone {
  reading.known(element, collectionNames);
  const { rest, meta, parameters } = readParts(reading, element);
  let member: Primitive | Group | undefined;
  for (const child of rest) {
    const isFirst = member === undefined;
    if (isFirst && child.name === 'primitive') member = readPrimitive(reading, child);
    else if (isFirst && child.name === 'group') member = readGroup(reading, child);
    else reading.unknownChild(element, child);
  }
  if (member === undefined)
    throw new Unreadable(`${describe(element)} contains no primitive and no group`, element.line);
  return { kind: 'clone', ...common(reading, element), ...commentsOf(element), meta, parameters, member };
}

/** `<master>` is what a promotable clone was called up to Pacemaker 1.1. */
function readMaster(reading: Reading, element: Element): Clone {
  reading.note('upgraded', element, 'became <clone> with the meta attribute promotable=true');
  const clone = readClone(reading, element);
  return { ...clone, meta: withPromotable(clone.id, clone.meta) };
}

function withPromotable(id: string, sets: readonly AttributeSet[]): readonly AttributeSet[] {
  const target = sets.findIndex((set) => set.rule === undefined && set.idRef === undefined);
  const first = sets[target];
  if (first === undefined) {
    const set = `${id}-meta_attributes-promotable`;
    return [{ id: set, pairs: [{ id: `${set}-promotable`, name: 'promotable', value: 'true' }] }, ...sets];
  }
  const pairs = first.pairs.filter((pair) => pair.name !== 'promotable');
  const promotable = { id: `${first.id ?? id}-promotable`, name: 'promotable', value: 'true' };
  return sets.with(target, { ...first, pairs: [...pairs, promotable] });
}

const containers = new Set(['docker', 'podman', 'rkt']);

function readBundle(reading: Reading, element: Element): Bundle {
  reading.known(element, collectionNames);
  const { rest, meta, parameters } = readParts(reading, element);
  let container: Element | undefined;
  let network: Element | undefined;
  let primitive: Primitive | undefined;
  const storage: Readonly<Record<string, string>>[] = [];
  for (const child of rest) {
    if (containers.has(child.name) && container === undefined) container = child;
    else if (child.name === 'network' && network === undefined) network = child;
    else if (child.name === 'storage') storage.push(...readMappings(reading, child, 'storage-mapping'));
    else if (child.name === 'primitive' && primitive === undefined) primitive = readPrimitive(reading, child);
    else reading.unknownChild(element, child);
  }
  if (container === undefined) throw new Unreadable(`${describe(element)} names no container`, element.line);
  for (const child of container.children) reading.unknownChild(container, child);
  return {
    kind: 'bundle',
    ...common(reading, element),
    ...commentsOf(element),
    meta,
    parameters,
    containerType: container.name,
    container: { ...container.attributes },
    ...(network === undefined ? {} : { network: { ...network.attributes } }),
    ports: network === undefined ? [] : readMappings(reading, network, 'port-mapping'),
    storage,
    ...maybe('primitive', primitive),
  };
}

function readMappings(reading: Reading, element: Element, name: string): Readonly<Record<string, string>>[] {
  const mappings: Readonly<Record<string, string>>[] = [];
  for (const child of element.children) {
    if (child.name === name) mappings.push({ ...child.attributes });
    else reading.unknownChild(element, child);
  }
  return mappings;
}
