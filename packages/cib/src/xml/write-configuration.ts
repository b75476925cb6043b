/** Writes the configuration section. Sections that every schema has are always there, the others if they hold something. */
import type {
  Acls,
  AclSubject,
  Alert,
  AlertSelection,
  Configuration,
  ConfiguredNode,
  FencingLevel,
} from '../model/configuration.ts';
import { idOf, optionalScore, withComments, writeSet, writeSets } from './write-attributes.ts';
import { writeConstraint } from './write-constraints.ts';
import { writeResource } from './write-resources.ts';
import type { Output } from './writer.ts';

export function writeConfiguration(configuration: Configuration): Output {
  const { options, resourceDefaults, operationDefaults } = configuration;
  const optional = (name: string, children: readonly Output[]): Output[] =>
    children.length === 0 ? [] : [{ name, attributes: {}, children }];
  const sets = (list: Configuration['options'], name: string, id: string): Output[] =>
    list.map((set, index) => writeSet(set, name, index === 0 ? id : idOf(id, String(index))));
  return {
    name: 'configuration',
    attributes: {},
    ...withComments(configuration.comments),
    children: [
      {
        name: 'crm_config',
        attributes: {},
        children: sets(options, 'cluster_property_set', 'cib-bootstrap-options'),
      },
      { name: 'nodes', attributes: {}, children: configuration.nodes.map(writeNode) },
      { name: 'resources', attributes: {}, children: configuration.resources.map(writeResource) },
      { name: 'constraints', attributes: {}, children: configuration.constraints.map(writeConstraint) },
      ...optional(
        'tags',
        configuration.tags.map((tag) => ({
          name: 'tag',
          attributes: { id: tag.id, description: tag.description },
          ...withComments(tag.comments),
          children: tag.members.map((id) => ({ name: 'obj_ref', attributes: { id } })),
        })),
      ),
      ...optional('fencing-topology', configuration.fencingLevels.map(writeFencingLevel)),
      ...optional('acls', writeAcls(configuration.acls)),
      ...optional('rsc_defaults', sets(resourceDefaults, 'meta_attributes', 'rsc-options')),
      ...optional('op_defaults', sets(operationDefaults, 'meta_attributes', 'op-options')),
      ...optional('alerts', configuration.alerts.map(writeAlert)),
    ],
  };
}

const writeNode = (node: ConfiguredNode): Output => ({
  name: 'node',
  attributes: {
    id: node.id,
    uname: node.name,
    type: node.type,
    description: node.description,
    score: optionalScore(node.score),
  },
  ...withComments(node.comments),
  children: [
    ...writeSets(node.attributes, 'instance_attributes', `nodes-${node.id}`),
    ...writeSets(node.utilization, 'utilization', `nodes-${node.id}`),
  ],
});

function writeFencingLevel(level: FencingLevel): Output {
  const { target } = level;
  return {
    name: 'fencing-level',
    attributes: {
      id: level.id,
      target: target.type === 'node' ? target.name : undefined,
      'target-pattern': target.type === 'pattern' ? target.pattern : undefined,
      'target-attribute': target.type === 'attribute' ? target.name : undefined,
      'target-value': target.type === 'attribute' ? target.value : undefined,
      index: String(level.index),
      devices: level.devices.join(','),
    },
    ...withComments(level.comments),
  };
}

function writeAcls(acls: Acls): Output[] {
  const subject = (name: string, who: AclSubject): Output => ({
    name,
    attributes: { id: who.id, name: who.name },
    ...withComments(who.comments),
    children: who.roles.map((id) => ({ name: 'role', attributes: { id } })),
  });
  return [
    ...acls.roles.map((role) => ({
      name: 'acl_role',
      attributes: { id: role.id, description: role.description },
      ...withComments(role.comments),
      children: role.permissions.map((permission, index) => ({
        name: 'acl_permission',
        attributes: {
          id: permission.id ?? idOf(role.id, permission.kind, String(index)),
          kind: permission.kind,
          xpath: permission.xpath,
          reference: permission.reference,
          'object-type': permission.objectType,
          attribute: permission.attribute,
          description: permission.description,
        },
      })),
    })),
    ...acls.targets.map((who) => subject('acl_target', who)),
    ...acls.groups.map((who) => subject('acl_group', who)),
  ];
}

const writeAlert = (alert: Alert): Output => ({
  name: 'alert',
  attributes: { id: alert.id, path: alert.path, description: alert.description },
  ...withComments(alert.comments),
  children: [
    ...writeSets(alert.meta, 'meta_attributes', alert.id),
    ...writeSets(alert.parameters, 'instance_attributes', alert.id),
    ...(alert.select === undefined ? [] : [writeSelection(alert.select, alert.id)]),
    ...alert.recipients.map((recipient) => ({
      name: 'recipient',
      attributes: { id: recipient.id, value: recipient.value, description: recipient.description },
      children: [
        ...writeSets(recipient.meta, 'meta_attributes', recipient.id),
        ...writeSets(recipient.parameters, 'instance_attributes', recipient.id),
      ],
    })),
  ],
});

function writeSelection(select: AlertSelection, owner: string): Output {
  const wanted = (name: string, isWanted: boolean): Output[] => (isWanted ? [{ name, attributes: {} }] : []);
  const attributes = (select.attributes ?? []).map(({ id, name }) => ({
    name: 'attribute',
    attributes: { id: id ?? idOf(owner, 'attribute', name), name },
  }));
  return {
    name: 'select',
    attributes: {},
    children: [
      ...wanted('select_nodes', select.nodes),
      ...wanted('select_fencing', select.fencing),
      ...wanted('select_resources', select.resources),
      ...(select.attributes === undefined ? [] : [{ name: 'select_attributes', attributes: {}, children: attributes }]),
    ],
  };
}
