/** Reads constraints. */
import type { Rule } from '../model/attributes.ts';
import type {
  Action,
  Colocation,
  Constraint,
  Location,
  Order,
  ResourceSet,
  TicketDependency,
} from '../model/constraints.ts';
import { readRule } from './read-attributes.ts';
import { commentsOf, maybe, type Reading } from './reading.ts';
import type { Element } from './tree.ts';

export function readConstraints(reading: Reading, section: Element): Constraint[] {
  const constraints: Constraint[] = [];
  for (const element of section.children) {
    const constraint = readConstraint(reading, element);
    if (constraint === undefined) reading.unknownChild(section, element);
    else constraints.push(constraint);
  }
  return constraints;
}

function readConstraint(reading: Reading, element: Element): Constraint | undefined {
  switch (element.name) {
    case 'rsc_location':
      return readLocation(reading, element);
    case 'rsc_colocation':
      return readColocation(reading, element);
    case 'rsc_order':
      return readOrder(reading, element);
    case 'rsc_ticket':
      return readTicket(reading, element);
    default:
      return undefined;
  }
}

interface Parts {
  readonly sets: readonly ResourceSet[];
  readonly rules: readonly Rule[];
  readonly lifetime?: readonly Rule[];
}

function readParts(reading: Reading, element: Element, mayHaveRules = false): Parts {
  const sets: ResourceSet[] = [];
  const rules: Rule[] = [];
  let lifetime: Rule[] | undefined;
  for (const child of element.children) {
    if (child.name === 'resource_set') sets.push(readResourceSet(reading, child));
    else if (child.name === 'rule' && mayHaveRules) rules.push(readRule(reading, child));
    else if (child.name === 'lifetime')
      (lifetime ??= []).push(...child.children.map((rule) => readRule(reading, rule)));
    else reading.unknownChild(element, child);
  }
  return { sets, rules, ...maybe('lifetime', lifetime) };
}

const setNames = new Set(['id', 'id-ref', 'sequential', 'require-all', 'ordering', 'action', 'role', 'score', 'kind']);
const actions = ['start', 'stop', 'promote', 'demote'] as const satisfies readonly Action[];
const orderKinds = ['Mandatory', 'Optional', 'Serialize'] as const;

function readResourceSet(reading: Reading, element: Element): ResourceSet {
  reading.known(element, setNames);
  const { id, 'id-ref': idRef, ordering } = element.attributes;
  const members: string[] = [];
  for (const child of element.children) {
    if (child.name === 'resource_ref') members.push(reading.required(child, 'id'));
    else reading.unknownChild(element, child);
  }
  return {
    ...maybe('id', id),
    ...maybe('idRef', idRef),
    members,
    ...maybe('sequential', reading.boolean(element, 'sequential')),
    ...maybe('requireAll', reading.boolean(element, 'require-all')),
    ...maybe('ordering', ordering),
    ...maybe('action', reading.word(element, 'action', actions)),
    ...maybe('role', reading.role(element, 'role')),
    ...maybe('score', reading.score(element)),
    ...maybe('kind', reading.word(element, 'kind', orderKinds)),
  };
}

const locationNames = new Set(['id', 'rsc', 'rsc-pattern', 'node', 'score', 'role', 'resource-discovery']);

function readLocation(reading: Reading, element: Element): Location {
  reading.known(element, locationNames);
  const { rsc, 'rsc-pattern': pattern, node } = element.attributes;
  const { sets, ...parts } = readParts(reading, element, true);
  return {
    kind: 'location',
    id: reading.required(element, 'id'),
    ...commentsOf(element),
    ...maybe('resource', rsc),
    ...maybe('pattern', pattern),
    ...(sets.length === 0 ? {} : { sets }),
    ...maybe('node', node),
    ...maybe('score', reading.score(element)),
    ...parts,
    ...maybe('role', reading.role(element, 'role')),
    ...maybe('discovery', reading.word(element, 'resource-discovery', ['always', 'never', 'exclusive'])),
  };
}

const colocationNames = new Set([
  'id',
  'score',
  'rsc',
  'rsc-role',
  'rsc-instance',
  'with-rsc',
  'with-rsc-role',
  'with-rsc-instance',
  'node-attribute',
  'influence',
]);

function readColocation(reading: Reading, element: Element): Colocation {
  reading.known(element, colocationNames);
  const given = element.attributes;
  const { sets, lifetime } = readParts(reading, element);
  return {
    kind: 'colocation',
    id: reading.required(element, 'id'),
    ...commentsOf(element),
    ...maybe('score', reading.score(element)),
    ...maybe('dependent', given['rsc']),
    ...maybe('dependentRole', reading.role(element, 'rsc-role')),
    ...maybe('dependentInstance', given['rsc-instance']),
    ...maybe('primary', given['with-rsc']),
    ...maybe('primaryRole', reading.role(element, 'with-rsc-role')),
    ...maybe('primaryInstance', given['with-rsc-instance']),
    ...(sets.length === 0 ? {} : { sets }),
    ...maybe('nodeAttribute', given['node-attribute']),
    ...maybe('influence', reading.boolean(element, 'influence')),
    ...maybe('lifetime', lifetime),
  };
}

const orderNames = new Set([
  'id',
  'kind',
  'score',
  'first',
  'first-action',
  'first-instance',
  'then',
  'then-action',
  'then-instance',
  'symmetrical',
  'require-all',
]);

function readOrder(reading: Reading, element: Element): Order {
  reading.known(element, orderNames);
  const given = element.attributes;
  const { sets, lifetime } = readParts(reading, element);
  return {
    kind: 'order',
    id: reading.required(element, 'id'),
    ...commentsOf(element),
    ...maybe('orderKind', reading.word(element, 'kind', orderKinds)),
    ...maybe('score', reading.score(element)),
    ...maybe('first', given['first']),
    ...maybe('firstAction', reading.word(element, 'first-action', actions)),
    ...maybe('firstInstance', given['first-instance']),
    ...maybe('then', given['then']),
    ...maybe('thenAction', reading.word(element, 'then-action', actions)),
    ...maybe('thenInstance', given['then-instance']),
    ...(sets.length === 0 ? {} : { sets }),
    ...maybe('symmetrical', reading.boolean(element, 'symmetrical')),
    ...maybe('requireAll', reading.boolean(element, 'require-all')),
    ...maybe('lifetime', lifetime),
  };
}

const ticketNames = new Set(['id', 'ticket', 'loss-policy', 'rsc', 'rsc-role']);

function readTicket(reading: Reading, element: Element): TicketDependency {
  reading.known(element, ticketNames);
  const { sets, lifetime } = readParts(reading, element);
  return {
    kind: 'ticket',
    id: reading.required(element, 'id'),
    ...commentsOf(element),
    ticket: reading.required(element, 'ticket'),
    ...maybe('lossPolicy', reading.word(element, 'loss-policy', ['stop', 'demote', 'fence', 'freeze'])),
    ...maybe('resource', element.attributes['rsc']),
    ...maybe('role', reading.role(element, 'rsc-role')),
    ...(sets.length === 0 ? {} : { sets }),
    ...maybe('lifetime', lifetime),
  };
}
