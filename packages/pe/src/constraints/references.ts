/**
 * What a constraint's text refers to. An id names a resource, or, where there is none, a template (all primitives
 * made from it) or a tag (all its members). The name under which a clone's instances appear in the history (`web` for
 * `web:0`) refers to the clone.
 *
 * Look-ups are by map: constraints grow with the resources, and a search for each would make reading quadratic.
 */
import {
  references as cibReferences,
  valuesOf,
  type Primitive,
  type References as CibReferences,
  type Resource,
  type ResourceSet,
  type Template,
} from '@systole/cib';
import { unreachable } from '@systole/kernel';
import { topOf, type Instance } from '../expand/instance.ts';
import type { Message, Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';

/** What an id stands for. */
export type Reference =
  | { readonly type: 'resource'; readonly resource: Instance }
  | { readonly type: 'several'; readonly ids: readonly string[] }
  | { readonly type: 'unknown' };

export interface References {
  resource(id: string): Instance | undefined;
  lookUp(id: string): Reference;
  /** The set itself, or the one elsewhere that it refers to. */
  set(set: ResourceSet): ResourceSet | undefined;
  /** The set's members, with templates and tags replaced by what they stand for; undefined if a member is unknown. */
  members(set: ResourceSet, constraintId: string): readonly Instance[] | undefined;
  /** For what is not a resource: rules, attribute sets, resource sets. */
  readonly cib: CibReferences;
  /** A primitive's parameters on a node, for rules that compare with them. */
  parameters(resource: Instance, node: Node): ReadonlyMap<string, string>;
  readonly messages: Message[];
}

export function referencesIn(situation: Situation): References {
  const byHistoryId = new Map<string, Instance>();
  for (const instance of situation.instances) {
    if (instance.historyId !== undefined && !byHistoryId.has(instance.historyId)) {
      byHistoryId.set(instance.historyId, instance);
    }
  }
  const tags = new Map(situation.cib.configuration.tags.map((tag) => [tag.id, tag.members]));
  const cib = cibReferences(situation.cib.configuration);
  const messages: Message[] = [];

  const resource = (id: string): Instance | undefined => {
    const known = situation.instanceById.get(id);
    if (known !== undefined) return known;
    const instance = byHistoryId.get(id);
    return instance === undefined ? undefined : topOf(instance, false);
  };
  const lookUp = (id: string): Reference => {
    const known = resource(id);
    if (known !== undefined) return { type: 'resource', resource: known };
    const several = situation.templateUsers.get(id) ?? tags.get(id);
    return several === undefined || several.length === 0 ? { type: 'unknown' } : { type: 'several', ids: several };
  };
  const members = (set: ResourceSet, constraintId: string): readonly Instance[] | undefined => {
    const found: Instance[] = [];
    for (const member of set.members) {
      const reference = lookUp(member);
      const ids = reference.type === 'several' ? reference.ids : [member];
      for (const id of ids) {
        const instance = resource(id);
        if (instance === undefined) {
          messages.push(unknown(constraintId, id));
          return undefined;
        }
        found.push(instance);
      }
    }
    return found;
  };
  const set = (given: ResourceSet): ResourceSet | undefined =>
    given.idRef === undefined ? given : cib.resourceSet(given.idRef);
  const primitives = new Map<string, Primitive | Template>();
  const parameters = (instance: Instance, node: Node): ReadonlyMap<string, string> => {
    if (primitives.size === 0) indexPrimitives(situation.cib.configuration.resources, primitives);
    const own = primitives.get(instance.configId);
    const template = own?.kind === 'primitive' && own.template !== undefined ? primitives.get(own.template) : undefined;
    const context = { now: situation.now, references: cib, nodeAttributes: node.attributes };
    return valuesOf([...(own?.parameters ?? []), ...(template?.parameters ?? [])], context);
  };
  return { resource, lookUp, set, members, cib, parameters, messages };
}

/** A message for an operator: this constraint names something that does not exist, and so does nothing. */
export const unknown = (constraintId: string, id: string): Message => ({
  level: 'error',
  text: `constraint ${constraintId} is ignored: there is no resource, template or tag "${id}"`,
});

export const ignored = (constraintId: string, why: string): Message => ({
  level: 'error',
  text: `constraint ${constraintId} is ignored: ${why}`,
});

function indexPrimitives(resources: readonly Resource[], into: Map<string, Primitive | Template>): void {
  for (const resource of resources) {
    switch (resource.kind) {
      case 'primitive':
      case 'template':
        into.set(resource.id, resource);
        break;
      case 'group':
        indexPrimitives(resource.members, into);
        break;
      case 'clone':
        indexPrimitives([resource.member], into);
        break;
      case 'bundle':
        if (resource.primitive !== undefined) indexPrimitives([resource.primitive], into);
        break;
      default:
        unreachable(resource);
    }
  }
}
