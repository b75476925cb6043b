/**
 * The CIB as one reader may see it: what he may not read is left out. An object that he may not read but that holds
 * something that he may is shown as its bare frame: kind, id, agent, and that something.
 *
 * A part that has no id of its own cannot be told apart from its neighbours; it is shown only if all of its object is.
 */
import type { AttributeSet } from '../model/attributes.ts';
import type { Cib } from '../model/cib.ts';
import type { Configuration, ConfiguredNode } from '../model/configuration.ts';
import type { Operation, Primitive, Resource, Template } from '../model/resources.ts';
import type { NodeState } from '../model/status.ts';
import { treeOf } from '../xml/export.ts';
import type { Output } from '../xml/writer.ts';
import { type Asker, mentions, permissionsOf, type Rights, rightsIn, rolesOf } from './rights.ts';

/** `acls` are those in force, which are not those of an earlier configuration that is looked at. */
export function readableCib(cib: Cib, asker: Asker, acls = cib.configuration.acls): Cib {
  const root = treeOf(cib);
  const rights = rightsIn(root, permissionsOf(acls, rolesOf(acls, asker)));
  const view = new View(root, rights);
  return {
    ...cib,
    configuration: view.configuration(cib.configuration),
    status: {
      nodes: view.states(cib.status.nodes),
      tickets: cib.status.tickets.filter(({ id }) => view.isStatusReadable('ticket_state', id)),
    },
  };
}

interface ResourceParts {
  readonly meta: readonly AttributeSet[];
  readonly parameters: readonly AttributeSet[];
}

class View {
  readonly #rights: ReadonlyMap<Output, Rights>;
  readonly #configuration: Output | undefined;
  readonly #status: Output | undefined;
  /** Elements of the configuration by their id; where an id is there twice both must be readable. */
  readonly #byId = new Map<string, Output[]>();

  constructor(root: Output, rights: ReadonlyMap<Output, Rights>) {
    this.#rights = rights;
    this.#configuration = root.children?.find(({ name }) => name === 'configuration');
    this.#status = root.children?.find(({ name }) => name === 'status');
    const visit = (element: Output): void => {
      const { id } = element.attributes;
      if (id !== undefined && !mentions.has(element.name)) this.#byId.set(id, [...(this.#byId.get(id) ?? []), element]);
      for (const child of element.children ?? []) visit(child);
    };
    if (this.#configuration !== undefined) visit(this.#configuration);
  }

  configuration(written: Configuration): Configuration {
    const { comments, ...rest } = written;
    const whole = this.#configuration;
    return {
      ...rest,
      ...(comments !== undefined && whole !== undefined && this.#isReadable(whole) ? { comments } : {}),
      options: this.#sets(written.options),
      resourceDefaults: this.#sets(written.resourceDefaults),
      operationDefaults: this.#sets(written.operationDefaults),
      nodes: written.nodes.flatMap((node) => this.#node(node)),
      resources: written.resources.flatMap((resource) => this.#resource(resource)),
      constraints: this.#wholes(written.constraints),
      tags: this.#wholes(written.tags),
      fencingLevels: this.#wholes(written.fencingLevels),
      acls: {
        roles: this.#wholes(written.acls.roles),
        targets: this.#wholes(written.acls.targets),
        groups: this.#wholes(written.acls.groups),
      },
      alerts: this.#wholes(written.alerts),
    };
  }

  states(states: readonly NodeState[]): readonly NodeState[] {
    const elements = (this.#status?.children ?? []).filter(({ name }) => name === 'node_state');
    return states.flatMap((state, index) => {
      const element = elements[index];
      if (element === undefined || !this.#hasReadable(element)) return [];
      if (this.#isAllReadable(element)) return [state];
      const histories = (element.children ?? [])
        .filter(({ name }) => name === 'lrm')
        .flatMap((lrm) => (lrm.children ?? []).flatMap(({ children = [] }) => children));
      const transient = (element.children ?? []).find(({ name }) => name === 'transient_attributes');
      const pairs = (transient?.children ?? [])
        .flatMap(({ children = [] }) => children)
        .filter((pair) => this.#isReadable(pair));
      const names = new Set(pairs.map(({ attributes }) => attributes['name']));
      const { id, name } = state;
      return [
        {
          ...(this.#isReadable(element) ? state : { id, ...(name === undefined ? {} : { name }) }),
          transientAttributes: state.transientAttributes.map((set) => ({
            ...set,
            pairs: set.pairs.filter((pair) => names.has(pair.name)),
          })),
          transientUtilization: [],
          history: state.history.filter((_, place) => {
            const history = histories[place];
            return history !== undefined && this.#isAllReadable(history);
          }),
        },
      ];
    });
  }

  isStatusReadable(name: string, id: string): boolean {
    const tickets = (this.#status?.children ?? []).flatMap(({ children = [] }) => children);
    const element = tickets.find((each) => each.name === name && each.attributes['id'] === id);
    return element !== undefined && this.#isReadable(element);
  }

  #isReadable(element: Output): boolean {
    return this.#rights.get(element)?.read === true;
  }

  #hasReadable(element: Output): boolean {
    return this.#isReadable(element) || (element.children ?? []).some((child) => this.#hasReadable(child));
  }

  #isAllReadable(element: Output): boolean {
    return this.#isReadable(element) && (element.children ?? []).every((child) => this.#isAllReadable(child));
  }

  #test(id: string | undefined, test: (element: Output) => boolean): boolean {
    const elements = id === undefined ? undefined : this.#byId.get(id);
    return elements !== undefined && elements.every(test);
  }

  readonly #isOwn = (id: string | undefined): boolean => this.#test(id, (element) => this.#isReadable(element));
  readonly #isWhole = (id: string | undefined): boolean => this.#test(id, (element) => this.#isAllReadable(element));
  readonly #holds = (id: string | undefined): boolean => this.#test(id, (element) => this.#hasReadable(element));

  /** Objects that are shown as a whole or not at all. */
  #wholes<T extends { readonly id: string }>(objects: readonly T[]): readonly T[] {
    return objects.filter(({ id }) => this.#isWhole(id));
  }

  #sets(sets: readonly AttributeSet[]): readonly AttributeSet[] {
    return sets.flatMap((set): readonly AttributeSet[] => {
      if (this.#isWhole(set.id)) return [set];
      if (!this.#holds(set.id)) return [];
      const pairs = set.pairs.filter((pair) => this.#isOwn(pair.id));
      const { rule: _rule, comments: _comments, ...bare } = set;
      return [{ ...bare, pairs }];
    });
  }

  #node(node: ConfiguredNode): readonly ConfiguredNode[] {
    if (this.#isWhole(node.id)) return [node];
    if (!this.#holds(node.id)) return [];
    const { id, name, type } = node;
    const frame = this.#isOwn(node.id) ? node : { id, name, ...(type === undefined ? {} : { type }) };
    return [{ ...frame, attributes: this.#sets(node.attributes), utilization: this.#sets(node.utilization) }];
  }

  #resource(resource: Resource): readonly Resource[] {
    if (this.#isWhole(resource.id)) return [resource];
    if (!this.#holds(resource.id)) return [];
    switch (resource.kind) {
      case 'primitive':
      case 'template':
        return [this.#primitive(resource)];
      case 'group':
        return [
          { ...this.#frame(resource), kind: 'group', members: resource.members.flatMap((each) => this.#member(each)) },
        ];
      case 'clone': {
        const { member, isLegacyMaster } = resource;
        return [
          {
            ...this.#frame(resource),
            kind: 'clone',
            ...(isLegacyMaster === undefined ? {} : { isLegacyMaster }),
            member:
              member.kind === 'primitive'
                ? this.#primitive(member)
                : {
                    ...this.#frame(member),
                    kind: 'group',
                    members: member.members.flatMap((each) => this.#member(each)),
                  },
          },
        ];
      }
      case 'bundle':
        return [];
    }
  }

  #member(primitive: Primitive): readonly Primitive[] {
    if (this.#isWhole(primitive.id)) return [primitive];
    return this.#holds(primitive.id) ? [this.#primitive(primitive)] : [];
  }

  #frame<T extends ResourceParts & { readonly id: string; readonly description?: string }>(
    resource: T,
  ): ResourceParts & { readonly id: string; readonly description?: string } {
    const { id, description } = resource;
    return {
      id,
      ...(description !== undefined && this.#isOwn(id) ? { description } : {}),
      meta: this.#sets(resource.meta),
      parameters: this.#sets(resource.parameters),
    };
  }

  #primitive<T extends Primitive | Template>(primitive: T): T {
    const { kind, agent, operations, utilization } = primitive;
    const template = primitive.kind === 'primitive' ? primitive.template : undefined;
    return {
      ...this.#frame(primitive),
      kind,
      ...(agent === undefined ? {} : { agent }),
      ...(template === undefined ? {} : { template }),
      operations: {
        ...(operations.id === undefined ? {} : { id: operations.id }),
        ...(operations.idRef === undefined ? {} : { idRef: operations.idRef }),
        list: operations.list.filter(({ id }: Operation) => this.#isWhole(id)),
      },
      utilization: this.#sets(utilization),
    } as unknown as T;
  }
}
