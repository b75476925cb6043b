/** Rules between the parts of a configuration: ids are unique, and what is referred to exists. */
import type { Configuration } from '../model/configuration.ts';
import type { Primitive, Resource } from '../model/resources.ts';
import { namedResources } from '../named-resources.ts';
import type { Problem } from './check.ts';

export function checkReferences(configuration: Configuration): readonly Problem[] {
  const problems: Problem[] = [];
  const resources = new Set<string>();
  const templates = new Set<string>();
  const owners = new Map<string, string>();

  const claim = (id: string, path: string): void => {
    const owner = owners.get(id);
    if (owner !== undefined) problems.push({ path, message: `the id "${id}" is taken by ${owner}; ids are unique` });
    else owners.set(id, path);
  };

  for (const { path, resource } of walk(configuration.resources)) {
    claim(resource.id, path);
    (resource.kind === 'template' ? templates : resources).add(resource.id);
  }
  for (const node of configuration.nodes) claimNode(node.id, problems, owners);
  for (const tag of configuration.tags) claim(tag.id, `tags[${tag.id}]`);
  for (const constraint of configuration.constraints) claim(constraint.id, `constraints[${constraint.id}]`);
  for (const alert of configuration.alerts) claim(alert.id, `alerts[${alert.id}]`);

  for (const { path, resource } of walk(configuration.resources)) {
    problems.push(...checkMaking(resource, path, templates));
  }
  const tags = new Set(configuration.tags.map((tag) => tag.id));
  for (const constraint of configuration.constraints) {
    for (const id of namedResources(constraint)) {
      if (resources.has(id) || templates.has(id) || tags.has(id)) continue;
      problems.push({
        path: `constraints[${constraint.id}]`,
        message: `there is no resource, template or tag "${id}"`,
      });
    }
  }
  const roles = new Set(configuration.acls.roles.map((role) => role.id));
  for (const subject of [...configuration.acls.targets, ...configuration.acls.groups]) {
    for (const id of subject.roles) {
      if (!roles.has(id)) problems.push({ path: `acls[${subject.id}]`, message: `there is no role "${id}"` });
    }
  }
  return problems;
}

/** A node may have the id of a resource (a guest node does), but not that of another node. */
function claimNode(id: string, problems: Problem[], owners: Map<string, string>): void {
  const key = `node ${id}`;
  if (owners.has(key)) problems.push({ path: `nodes[${id}]`, message: `the id "${id}" is taken by another node` });
  owners.set(key, `nodes[${id}]`);
}

function checkMaking(resource: Resource, path: string, templates: ReadonlySet<string>): readonly Problem[] {
  if (resource.kind !== 'primitive') return [];
  if ((resource.agent === undefined) === (resource.template === undefined)) {
    return [{ path, message: 'a primitive has either an agent or a template' }];
  }
  if (resource.template !== undefined && !templates.has(resource.template)) {
    return [{ path, message: `there is no template "${resource.template}"` }];
  }
  return [];
}

/** All resources, each with the place where it stands. */
function* walk(resources: readonly Resource[], prefix = 'resources'): Generator<{ path: string; resource: Resource }> {
  for (const resource of resources) {
    const path = `${prefix}[${resource.id}]`;
    yield { path, resource };
    yield* walk(inside(resource), path);
  }
}

function inside(resource: Resource): readonly Resource[] {
  switch (resource.kind) {
    case 'group':
      return resource.members;
    case 'clone':
      return [resource.member];
    case 'bundle':
      return [resource.primitive].filter((primitive): primitive is Primitive => primitive !== undefined);
    default:
      return [];
  }
}
