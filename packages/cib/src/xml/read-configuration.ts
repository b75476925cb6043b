/** Reads the configuration section: options, nodes, tags, fencing levels, permissions, alerts. */
import type { AttributeSet } from '../model/attributes.ts';
import type {
  AclPermission,
  AclRole,
  Acls,
  AclSubject,
  Alert,
  AlertRecipient,
  AlertSelection,
  Configuration,
  ConfiguredNode,
  FencingLevel,
  FencingTarget,
  Tag,
} from '../model/configuration.ts';
import type { Constraint } from '../model/constraints.ts';
import type { Resource } from '../model/resources.ts';
import { readSet } from './read-attributes.ts';
import { readConstraints } from './read-constraints.ts';
import { readResources } from './read-resources.ts';
import { commentsOf, describe, maybe, type Reading, Unreadable } from './reading.ts';
import type { Element } from './tree.ts';

export function readConfiguration(reading: Reading, element: Element): Configuration {
  const options: AttributeSet[] = [];
  const resourceDefaults: AttributeSet[] = [];
  const operationDefaults: AttributeSet[] = [];
  const nodes: ConfiguredNode[] = [];
  const resources: Resource[] = [];
  const constraints: Constraint[] = [];
  const tags: Tag[] = [];
  const fencingLevels: FencingLevel[] = [];
  const alerts: Alert[] = [];
  let acls: Acls = { roles: [], targets: [], groups: [] };

  for (const section of element.children) {
    switch (section.name) {
      case 'crm_config':
        options.push(...readSets(reading, section, 'cluster_property_set'));
        break;
      case 'rsc_defaults':
        resourceDefaults.push(...readSets(reading, section, 'meta_attributes'));
        break;
      case 'op_defaults':
        operationDefaults.push(...readSets(reading, section, 'meta_attributes'));
        break;
      case 'nodes':
        nodes.push(...readEach(reading, section, { node: readNode }));
        break;
      case 'resources':
        resources.push(...readResources(reading, section));
        break;
      case 'constraints':
        constraints.push(...readConstraints(reading, section));
        break;
      case 'tags':
        tags.push(...readEach(reading, section, { tag: readTag }));
        break;
      case 'fencing-topology':
        fencingLevels.push(...readFencingLevels(reading, section));
        break;
      case 'acls':
        acls = readAcls(reading, section, acls);
        break;
      case 'alerts':
        alerts.push(...readEach(reading, section, { alert: readAlert }));
        break;
      default:
        reading.unknownChild(element, section);
    }
  }

  return {
    options,
    resourceDefaults,
    operationDefaults,
    nodes,
    resources,
    constraints,
    tags,
    fencingLevels,
    acls,
    alerts,
    ...commentsOf(element),
  };
}

/** Reads the children of a section by their name. */
function readEach<T>(
  reading: Reading,
  section: Element,
  readers: Readonly<Record<string, (reading: Reading, element: Element) => T>>,
): T[] {
  const result: T[] = [];
  for (const child of section.children) {
    const read = Object.hasOwn(readers, child.name) ? readers[child.name] : undefined;
    if (read === undefined) reading.unknownChild(section, child);
    else result.push(read(reading, child));
  }
  return result;
}

/** Sets of a section; older defaults may hold instance attributes, which nothing ever read. */
const readSets = (reading: Reading, section: Element, name: string): AttributeSet[] =>
  readEach(reading, section, { [name]: readSet });

const nodeNames = new Set(['id', 'uname', 'type', 'description', 'score']);

function readNode(reading: Reading, element: Element): ConfiguredNode {
  reading.known(element, nodeNames);
  const attributes: AttributeSet[] = [];
  const utilization: AttributeSet[] = [];
  for (const child of element.children) {
    if (child.name === 'instance_attributes') attributes.push(readSet(reading, child));
    else if (child.name === 'utilization') utilization.push(readSet(reading, child));
    else reading.unknownChild(element, child);
  }
  const id = reading.required(element, 'id');
  return {
    id,
    name: element.attributes['uname'] ?? id,
    ...maybe('type', readNodeType(reading, element)),
    ...maybe('description', element.attributes['description']),
    ...maybe('score', reading.score(element)),
    ...commentsOf(element),
    attributes,
    utilization,
  };
}

function readNodeType(reading: Reading, element: Element): ConfiguredNode['type'] {
  if (element.attributes['type'] === 'normal') {
    reading.note('upgraded', element, 'type="normal" is called "member" now');
    return 'member';
  }
  return reading.word(element, 'type', ['member', 'remote', 'ping']);
}

const tagNames = new Set(['id', 'description']);

function readTag(reading: Reading, element: Element): Tag {
  reading.known(element, tagNames);
  const members: string[] = [];
  for (const child of element.children) {
    if (child.name === 'obj_ref') members.push(reading.required(child, 'id'));
    else reading.unknownChild(element, child);
  }
  const { description } = element.attributes;
  return { id: reading.required(element, 'id'), ...maybe('description', description), ...commentsOf(element), members };
}

const levelNames = new Set(['id', 'index', 'devices', 'target', 'target-pattern', 'target-attribute', 'target-value']);

function readFencingLevels(reading: Reading, section: Element): FencingLevel[] {
  const levels: FencingLevel[] = [];
  for (const child of section.children) {
    const level = child.name === 'fencing-level' ? readFencingLevel(reading, child) : undefined;
    if (child.name !== 'fencing-level') reading.unknownChild(section, child);
    if (level !== undefined) levels.push(level);
  }
  return levels;
}

function readFencingLevel(reading: Reading, element: Element): FencingLevel | undefined {
  reading.known(element, levelNames);
  const index = reading.integer(element, 'index');
  if (index === undefined || index < 1 || index > 9) {
    reading.note('ignored', element, 'a level has an index from 1 to 9; this one was never used and is left out');
    return undefined;
  }
  const devices = reading
    .required(element, 'devices')
    .split(',')
    .map((device) => device.trim());
  return {
    id: reading.required(element, 'id'),
    index,
    devices: devices.filter((device) => device !== ''),
    target: readFencingTarget(element),
    ...commentsOf(element),
  };
}

function readFencingTarget(element: Element): FencingTarget {
  const { target, 'target-pattern': pattern, 'target-attribute': name, 'target-value': value } = element.attributes;
  if (target !== undefined) return { type: 'node', name: target };
  if (pattern !== undefined) return { type: 'pattern', pattern };
  if (name !== undefined) return { type: 'attribute', name, value: value ?? '' };
  throw new Unreadable(`${describe(element)} names no target`, element.line);
}

function readAcls(reading: Reading, section: Element, before: Acls): Acls {
  const roles: AclRole[] = [...before.roles];
  const targets: AclSubject[] = [...before.targets];
  const groups: AclSubject[] = [...before.groups];
  for (const child of section.children) {
    if (child.name === 'acl_role') roles.push(readAclRole(reading, child));
    else if (child.name === 'acl_target') targets.push(readAclSubject(reading, child));
    else if (child.name === 'acl_group') groups.push(readAclSubject(reading, child));
    else reading.unknownChild(section, child);
  }
  return { roles, targets, groups };
}

const roleNames = new Set(['id', 'description']);
const permissionNames = new Set(['id', 'kind', 'description', 'xpath', 'reference', 'object-type', 'attribute']);
const subjectNames = new Set(['id', 'name']);

function readAclRole(reading: Reading, element: Element): AclRole {
  reading.known(element, roleNames);
  const { description } = element.attributes;
  return {
    id: reading.required(element, 'id'),
    ...maybe('description', description),
    ...commentsOf(element),
    permissions: readEach(reading, element, { acl_permission: readPermission }),
  };
}

function readPermission(reading: Reading, element: Element): AclPermission {
  reading.known(element, permissionNames);
  const { id, description, xpath, reference, 'object-type': objectType, attribute } = element.attributes;
  const kind = reading.word(element, 'kind', ['read', 'write', 'deny']);
  if (kind === undefined)
    throw new Unreadable(`${describe(element)}: its kind is not read, write or deny`, element.line);
  return {
    ...maybe('id', id),
    kind,
    ...maybe('description', description),
    ...maybe('xpath', xpath),
    ...maybe('reference', reference),
    ...maybe('objectType', objectType),
    ...maybe('attribute', attribute),
  };
}

function readAclSubject(reading: Reading, element: Element): AclSubject {
  reading.known(element, subjectNames);
  return {
    id: reading.required(element, 'id'),
    ...maybe('name', element.attributes['name']),
    roles: readEach(reading, element, { role: (inner, role) => inner.required(role, 'id') }),
    ...commentsOf(element),
  };
}

const alertNames = new Set(['id', 'description', 'path']);
const recipientNames = new Set(['id', 'description', 'value']);

function readAlert(reading: Reading, element: Element): Alert {
  reading.known(element, alertNames);
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  const recipients: AlertRecipient[] = [];
  let select: AlertSelection | undefined;
  for (const child of element.children) {
    if (child.name === 'meta_attributes') meta.push(readSet(reading, child));
    else if (child.name === 'instance_attributes') parameters.push(readSet(reading, child));
    else if (child.name === 'recipient') recipients.push(readRecipient(reading, child));
    else if (child.name === 'select') select = readSelection(reading, child);
    else reading.unknownChild(element, child);
  }
  return {
    id: reading.required(element, 'id'),
    ...maybe('description', element.attributes['description']),
    path: reading.required(element, 'path'),
    ...commentsOf(element),
    ...maybe('select', select),
    meta,
    parameters,
    recipients,
  };
}

function readRecipient(reading: Reading, element: Element): AlertRecipient {
  reading.known(element, recipientNames);
  const meta: AttributeSet[] = [];
  const parameters: AttributeSet[] = [];
  for (const child of element.children) {
    if (child.name === 'meta_attributes') meta.push(readSet(reading, child));
    else if (child.name === 'instance_attributes') parameters.push(readSet(reading, child));
    else reading.unknownChild(element, child);
  }
  return {
    id: reading.required(element, 'id'),
    value: reading.required(element, 'value'),
    ...maybe('description', element.attributes['description']),
    meta,
    parameters,
  };
}

function readSelection(reading: Reading, element: Element): AlertSelection {
  let nodes = false;
  let fencing = false;
  let resources = false;
  let attributes: { id?: string; name: string }[] | undefined;
  for (const child of element.children) {
    if (child.name === 'select_nodes') nodes = true;
    else if (child.name === 'select_fencing') fencing = true;
    else if (child.name === 'select_resources') resources = true;
    else if (child.name === 'select_attributes') attributes = readSelectedAttributes(reading, child);
    else reading.unknownChild(element, child);
  }
  return { nodes, fencing, resources, ...maybe('attributes', attributes) };
}

const readSelectedAttributes = (reading: Reading, element: Element): { id?: string; name: string }[] =>
  readEach(reading, element, {
    attribute: (inner, attribute) => ({
      ...maybe('id', attribute.attributes['id']),
      name: inner.required(attribute, 'name'),
    }),
  });
