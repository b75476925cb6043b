/**
 * What older schemas said differently, rewritten in the tree before it is read.
 *
 * Semantics: Pacemaker's own upgrade transformations (1.3 to 2.0 for permissions, 2.10 to 3.0 for options, resources and
 * operations, 3.10 to 4.0 for names of options). Each rewriting is told in a note. Rejected: doing it in the model,
 * which would have to know every word that was ever valid.
 */
import { describe, type Reading } from './reading.ts';
import { type Element, makeElement } from './tree.ts';

/** Rewrites `root` (a `<cib>` or `<configuration>`) in place. */
export function upgrade(reading: Reading, root: Element): void {
  const configuration = root.name === 'configuration' ? root : child(root, 'configuration');
  if (configuration === undefined) return;
  upgradeOptions(reading, configuration, isBefore3(root));
  const acls = child(configuration, 'acls');
  if (acls !== undefined) upgradeAcls(reading, acls);
  if (!isBefore3(root)) return;
  for (const section of configuration.children) {
    if (section.name === 'resources') forEachPrimitive(section, (primitive) => upgradePrimitive(reading, primitive));
    if (section.name === 'constraints') upgradeConstraints(reading, section);
  }
}

const child = (element: Element, name: string): Element | undefined =>
  element.children.find((each) => each.name === name);

const isBefore3 = (root: Element): boolean =>
  /^(?:pacemaker-[012]\.|pacemaker-0|transitional|none)/.test(root.attributes['validate-with'] ?? '');

// --- cluster options -------------------------------------------------------------------------------------------

/** Where an option went: another name, another section, or nowhere (with the reason). */
type Fate =
  | { readonly type: 'renamed'; readonly name: string }
  | { readonly type: 'moved'; readonly section: 'rsc_defaults' | 'op_defaults'; readonly name: string }
  | { readonly type: 'dropped'; readonly why: string };

const renamed = (name: string): Fate => ({ type: 'renamed', name });
const useThreshold: Fate = { type: 'dropped', why: 'use the resource default migration-threshold' };
const useAlerts: Fate = { type: 'dropped', why: 'use alerts' };

/** Options by their name with hyphens; each could be written with underscores as well. */
const optionFates: ReadonlyMap<string, Fate> = new Map<string, Fate>([
  ['default-action-timeout', { type: 'moved', section: 'op_defaults', name: 'timeout' }],
  ['default-resource-stickiness', { type: 'moved', section: 'rsc_defaults', name: 'resource-stickiness' }],
  ['is-managed-default', { type: 'moved', section: 'rsc_defaults', name: 'is-managed' }],
  ['default-migration-threshold', useThreshold],
  ['default-resource-failure-stickiness', useThreshold],
  ['expected-quorum-votes', { type: 'dropped', why: 'the messaging layer counts votes' }],
  ['notification-agent', useAlerts],
  ['notification-recipient', useAlerts],
  ['transition-idle-timeout', { type: 'dropped', why: 'use cluster-delay' }],
  ['crmd-finalization-timeout', renamed('join-finalization-timeout')],
  ['crmd-integration-timeout', renamed('join-integration-timeout')],
  ['crmd-transition-delay', renamed('transition-delay')],
]);

/** Options that used to be written with underscores. */
const underscored = new Set([
  'cluster_recheck_interval',
  'dc_deadtime',
  'election_timeout',
  'no_quorum_policy',
  'remove_after_stop',
  'shutdown_escalation',
  'startup_fencing',
  'stonith_action',
  'stonith_enabled',
  'stop_orphan_actions',
  'stop_orphan_resources',
  'symmetric_cluster',
]);

function fateOf(name: string): Fate | undefined {
  if (underscored.has(name)) return renamed(name.replaceAll('_', '-'));
  return optionFates.get(name.replaceAll('_', '-'));
}

function upgradeOptions(reading: Reading, configuration: Element, isOld: boolean): void {
  const moved = new Map<string, Element[]>();
  for (const section of configuration.children) {
    if (section.name !== 'crm_config') continue;
    for (const set of section.children) {
      set.children = set.children.filter((pair) => {
        const fate = pair.name === 'nvpair' ? fateOf(pair.attributes['name'] ?? '') : undefined;
        if (fate === undefined) return true;
        // Since schema 3.0 such an option has no effect, and must not get one by being read here.
        if (fate.type === 'moved' && !isOld) return noteUseless(reading, pair, fate);
        return upgradeOption(reading, pair, fate, moved);
      });
    }
  }
  for (const [name, pairs] of moved) addDefaults(configuration, name, pairs);
}

function noteUseless(reading: Reading, pair: Element, fate: Fate & { readonly type: 'moved' }): false {
  const { name, value } = pair.attributes;
  const instead = `set ${fate.name} in ${fate.section}`;
  reading.note('ignored', pair, `the option ${name}=${value ?? ''} has no effect: ${instead}`);
  return false;
}

/** Whether the pair stays where it is. */
function upgradeOption(reading: Reading, pair: Element, fate: Fate, moved: Map<string, Element[]>): boolean {
  const before = pair.attributes['name'] ?? '';
  switch (fate.type) {
    case 'renamed':
      reading.note('upgraded', pair, `the option ${before} is called ${fate.name} now`);
      pair.attributes['name'] = fate.name;
      return true;
    case 'moved':
      reading.note('upgraded', pair, `the option ${before} became ${fate.name} in ${fate.section}`);
      pair.attributes['name'] = fate.name;
      moved.set(fate.section, [...(moved.get(fate.section) ?? []), pair]);
      return false;
    case 'dropped':
      reading.note(
        'ignored',
        pair,
        `the option ${before}=${pair.attributes['value'] ?? ''} has no effect: ${fate.why}`,
      );
      return false;
  }
}

/** What was set there already wins over what came from an option: a set of its own, behind the others. */
function addDefaults(configuration: Element, name: string, pairs: Element[]): void {
  let section = child(configuration, name);
  if (section === undefined) {
    section = makeElement(name, {});
    configuration.children.push(section);
  }
  section.children.push(makeElement('meta_attributes', { id: `${name}-from-options` }, pairs));
}

// --- permissions -----------------------------------------------------------------------------------------------

const permissionKinds = new Set(['read', 'write', 'deny']);

/** `<acl_user>` with permissions of its own gets a role; `<role_ref>` is `<role>`; `<read …>` is `<acl_permission>`. */
function upgradeAcls(reading: Reading, acls: Element): void {
  const result: Element[] = [];
  for (const element of acls.children) {
    if (element.name === 'acl_user') result.push(...upgradeUser(reading, element));
    else if (element.name === 'acl_role') result.push(upgradeRole(reading, element));
    else result.push(element);
  }
  acls.children = result;
}

function upgradeUser(reading: Reading, user: Element): Element[] {
  reading.note('upgraded', user, 'became <acl_target>');
  const id = user.attributes['id'] ?? '';
  const refs = user.children.filter((each) => each.name === 'role_ref');
  const own = user.children.filter((each) => permissionKinds.has(each.name));
  const roleId = `auto-${id}`;
  const roles = refs.map((ref) => makeElement('role', ref.attributes));
  if (own.length > 0) roles.push(makeElement('role', { id: roleId }));
  const target = { ...makeElement('acl_target', user.attributes, roles), line: user.line };
  if (own.length === 0) return [target];
  const permissions = own.map((each) => upgradePermission(reading, each));
  return [target, { ...makeElement('acl_role', { id: roleId }, permissions), line: user.line }];
}

function upgradeRole(reading: Reading, role: Element): Element {
  role.children = role.children.map((each) =>
    permissionKinds.has(each.name) ? upgradePermission(reading, each) : each,
  );
  return role;
}

function upgradePermission(reading: Reading, element: Element): Element {
  const { id, ref, tag, xpath, attribute } = element.attributes;
  const attributes: Record<string, string> = { ...(id === undefined ? {} : { id }), kind: element.name };
  if (ref !== undefined) {
    attributes['reference'] = ref;
    if (attribute !== undefined) reading.note('ignored', element, `"attribute" has no effect beside "ref"`);
  } else if (tag !== undefined) {
    attributes['object-type'] = tag;
    if (attribute !== undefined) attributes['attribute'] = attribute;
  } else if (xpath !== undefined) {
    attributes['xpath'] = attribute === undefined ? xpath : `${xpath}[@${attribute}]`;
  }
  reading.note('upgraded', element, 'became <acl_permission>');
  return { ...makeElement('acl_permission', attributes), line: element.line };
}

// --- resources and constraints (up to 2.10) --------------------------------------------------------------------

function forEachPrimitive(element: Element, visit: (primitive: Element) => void): void {
  for (const each of element.children) {
    if (each.name === 'primitive' || each.name === 'template') visit(each);
    else forEachPrimitive(each, visit);
  }
}

const fenceCommands: ReadonlyMap<string, string> = new Map(
  ['list', 'monitor', 'off', 'on', 'reboot', 'status'].map((name) => [`pcmk_${name}_cmd`, `pcmk_${name}_action`]),
);

/** Settings of an operation that could be written as if they were parameters of the agent. */
const operationSettings = new Set([
  'interval-origin',
  'start-delay',
  'enabled',
  'on-fail',
  'record-pending',
  'role',
  'timeout',
]);

function upgradePrimitive(reading: Reading, primitive: Element): void {
  for (const part of primitive.children) {
    if (part.name === 'instance_attributes') part.children.forEach((pair) => renameFenceCommand(reading, pair));
    if (part.name === 'meta_attributes') upgradeResourceMeta(reading, part);
    if (part.name !== 'operations') continue;
    for (const operation of part.children) {
      if (operation.name === 'op') upgradeOperation(reading, primitive, operation);
    }
  }
}

function renameFenceCommand(reading: Reading, pair: Element): void {
  const name = fenceCommands.get(pair.attributes['name'] ?? '');
  if (name === undefined) return;
  reading.note('upgraded', pair, `the parameter is called ${name} now`);
  pair.attributes['name'] = name;
}

function upgradeResourceMeta(reading: Reading, set: Element): void {
  set.children = set.children.filter((pair) => {
    const name = (pair.attributes['name'] ?? '').replaceAll('_', '-');
    if (name !== 'resource-failure-stickiness') return true;
    if (pair.attributes['value'] === '-INFINITY') {
      reading.note('upgraded', pair, 'became migration-threshold=1');
      pair.attributes['name'] = 'migration-threshold';
      pair.attributes['value'] = '1';
      return true;
    }
    reading.note('ignored', pair, `${name} has no effect: use migration-threshold`);
    return false;
  });
}

/** `requires` of a start or promote speaks for the resource; settings leave the parameters. */
function upgradeOperation(reading: Reading, primitive: Element, operation: Element): void {
  const { requires } = operation.attributes;
  if (requires !== undefined) {
    delete operation.attributes['requires'];
    moveRequires(reading, primitive, operation, requires);
  }
  const settings: Element[] = [];
  for (const set of operation.children) {
    if (set.name !== 'instance_attributes') continue;
    set.children = set.children.filter((pair) => {
      const name = pair.attributes['name'] ?? '';
      if (name === 'requires') moveRequires(reading, primitive, operation, pair.attributes['value'] ?? '');
      else if (operationSettings.has(name)) settings.push(pair);
      else return true;
      return false;
    });
  }
  if (settings.length === 0) return;
  const names = settings.map((pair) => pair.attributes['name']).join(', ');
  reading.note('upgraded', operation, `${names}: became meta attributes of the operation`);
  const id = operation.attributes['id'] ?? 'op';
  operation.children.push(makeElement('meta_attributes', { id: `${id}-meta_attributes-settings` }, settings));
}

function moveRequires(reading: Reading, primitive: Element, operation: Element, value: string): void {
  const name = operation.attributes['name'];
  if (name !== 'start' && name !== 'promote') {
    reading.note('ignored', operation, 'requires has an effect only on start and promote');
    return;
  }
  reading.note('upgraded', operation, `requires=${value} became a meta attribute of ${describe(primitive)}`);
  const id = `${primitive.attributes['id'] ?? 'primitive'}-meta_attributes-requires`;
  if (primitive.children.some((part) => part.attributes['id'] === id)) return;
  const pair = makeElement('nvpair', { id: `${id}-requires`, name: 'requires', value });
  primitive.children.push(makeElement('meta_attributes', { id }, [pair]));
}

function upgradeConstraints(reading: Reading, section: Element): void {
  for (const constraint of section.children) {
    if (constraint.name !== 'rsc_colocation') continue;
    for (const name of ['score-attribute', 'score-attribute-mangle']) {
      if (constraint.attributes[name] === undefined) continue;
      reading.note('ignored', constraint, `${name} never had an effect`);
      delete constraint.attributes[name];
    }
  }
}
