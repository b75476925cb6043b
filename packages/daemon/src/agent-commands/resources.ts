/** `crm_resource`: parameters, meta attributes and utilization of resources, where they run, bans. */
import {
  allPrimitives,
  type AttributeSet,
  type Configuration,
  diff,
  INFINITY,
  type Primitive,
  type Resource,
} from '@systole/cib';
import { type OptionTable, readArguments } from './arguments.ts';
import { withoutInstance } from './attributes.ts';
import { type AgentCall, complain, type Desk, exits, type Said, saidOf, say } from './desk.ts';

const resourceOptions: OptionTable = {
  resource: ['value', '-r', '--resource'],
  get: ['value', '-g', '--get-parameter'],
  put: ['value', '-p', '--set-parameter', '--parameter'],
  drop: ['value', '-d', '--delete-parameter'],
  value: ['value', '-v', '--parameter-value', '--property-value'],
  meta: ['flag', '-m', '--meta'],
  utilization: ['flag', '-z', '--utilization'],
  locate: ['flag', '-W', '--locate'],
  ban: ['flag', '-B', '--ban'],
  clear: ['flag', '-U', '--clear', '--un-move'],
  cleanup: ['flag', '-C', '--cleanup'],
  refresh: ['flag', '-R', '--refresh'],
  operations: ['flag', '-O', '--list-operations', '-o', '--list-all-operations'],
  list: ['flag', '-l', '--list-raw', '-L', '--list'],
  node: ['value', '-N', '--node', '-H', '--host-uname'],
  lifetime: ['value', '-u', '--lifetime'],
  quiet: ['flag', '-Q', '--quiet'],
  force: ['flag', '-f', '--force'],
  promoted: ['flag', '--promoted', '--master'],
  timeout: ['value', '-T', '--timeout'],
  verbose: ['flag', '-V', '--verbose'],
};

export async function crmResource(call: AgentCall, desk: Desk): Promise<Said> {
  const read = readArguments(resourceOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `crm_resource: ${read.error}`);
  const { options } = read.value;
  const text = (name: string): string | undefined => {
    const value = options.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  if (options.has('list')) return say(...allPrimitives(desk.cib.configuration.resources).map(({ id }) => id));
  const resource = text('resource');
  const node = text('node');
  if (options.has('operations')) return say(...operations(desk, resource, node));
  if (options.has('cleanup') || options.has('refresh')) {
    const selected = { ...(resource === undefined ? {} : { resource }), ...(node === undefined ? {} : { node }) };
    return saidOf(await desk.request({ type: 'cleanUp', isWhole: options.has('refresh'), ...selected }));
  }
  if (resource === undefined) return complain(exits.usage, 'which resource? use --resource');
  if (options.has('locate')) return locate(desk, resource, options.has('quiet'));
  if (options.has('ban')) return ban(desk, resource, node ?? desk.self);
  if (options.has('clear')) return clear(desk, resource, node);

  const kind = options.has('utilization') ? 'utilization' : options.has('meta') ? 'meta' : 'parameters';
  const wanted = text('get');
  if (wanted !== undefined) {
    const primitive = find(desk, resource);
    if (primitive === undefined) return complain(exits.noSuch, `there is no resource ${resource}`);
    const value = setsOf(primitive, kind)
      .flatMap(({ pairs }) => pairs)
      .find((pair) => pair.name === wanted)?.value;
    return value === undefined ? complain(exits.noSuch, `${resource} has no ${wanted}`) : say(value);
  }
  const name = text('put') ?? text('drop');
  if (name === undefined) return complain(exits.usage, 'what is to be done with it?');
  const value = options.has('put') ? (text('value') ?? '') : null;
  return put(desk, { resource, kind, name, value });
}

type Kind = 'parameters' | 'meta' | 'utilization';

const find = (desk: Desk, id: string): Primitive | undefined =>
  allPrimitives(desk.cib.configuration.resources).find((one) => one.id === withoutInstance(id));

const setsOf = (primitive: Primitive, kind: Kind): readonly AttributeSet[] => primitive[kind];

async function put(
  desk: Desk,
  setting: { readonly resource: string; readonly kind: Kind; readonly name: string; readonly value: string | null },
): Promise<Said> {
  const { kind, name, value } = setting;
  const primitive = find(desk, setting.resource);
  if (primitive === undefined) return complain(exits.noSuch, `there is no resource ${setting.resource}`);
  const [first = { id: `${primitive.id}-${kind}`, pairs: [] }, ...rest] = setsOf(primitive, kind);
  const others = first.pairs.filter((pair) => pair.name !== name);
  const id = first.pairs.find((pair) => pair.name === name)?.id ?? `${first.id ?? primitive.id}-${name}`;
  const pairs = value === null ? others : [...others, { id, name, value }];
  const changed = { ...primitive, [kind]: [{ ...first, pairs }, ...rest] };
  return change(desk, `${primitive.id} ${kind} ${name}`, (configuration) => ({
    ...configuration,
    resources: configuration.resources.map((resource) => replaced(resource, changed)),
  }));
}

/** The resource with the primitive of the same id in it changed. */
function replaced(resource: Resource, changed: Primitive): Resource {
  switch (resource.kind) {
    case 'primitive':
      return resource.id === changed.id ? changed : resource;
    case 'group':
      return { ...resource, members: resource.members.map((one) => (one.id === changed.id ? changed : one)) };
    case 'clone': {
      const member = replaced(resource.member, changed);
      return member.kind === 'primitive' || member.kind === 'group' ? { ...resource, member } : resource;
    }
    case 'bundle':
      return resource.primitive?.id === changed.id ? { ...resource, primitive: changed } : resource;
    case 'template':
      return resource;
  }
}

async function change(desk: Desk, what: string, edit: (configuration: Configuration) => Configuration): Promise<Said> {
  const next = { ...desk.cib, configuration: edit(desk.cib.configuration) };
  return saidOf(await desk.request({ type: 'change', change: diff(desk.cib, next), user: 'agent', command: what }));
}

const banId = (resource: string, node: string): string => `cli-ban-${resource}-on-${node}`;

const ban = (desk: Desk, resource: string, node: string): Promise<Said> =>
  change(desk, `ban ${resource} from ${node}`, (configuration) => ({
    ...configuration,
    constraints: [
      ...configuration.constraints.filter(({ id }) => id !== banId(resource, node)),
      { kind: 'location', id: banId(resource, node), resource, node, score: -INFINITY, rules: [] },
    ],
  }));

const clear = (desk: Desk, resource: string, node: string | undefined): Promise<Said> =>
  change(desk, `clear ${resource}`, (configuration) => ({
    ...configuration,
    constraints: configuration.constraints.filter(
      ({ id }) =>
        !(node === undefined
          ? id.startsWith(`cli-ban-${resource}-on-`) || id === `cli-prefer-${resource}`
          : id === banId(resource, node)),
    ),
  }));

function locate(desk: Desk, resource: string, isQuiet: boolean): Said {
  const rows = desk.status().resources.filter(({ rsc, within }) => rsc === resource || within === resource);
  const nodes = rows.flatMap((row) => row.nodes.map((node) => ({ node, isPromoted: row.role === 'Promoted' })));
  if (nodes.length === 0) return isQuiet ? say() : say(`resource ${resource} is NOT running`);
  return say(
    ...nodes.map(({ node, isPromoted }) =>
      isQuiet ? node : `resource ${resource} is running on: ${node}${isPromoted ? ' Promoted' : ' '}`,
    ),
  );
}

function operations(desk: Desk, resource: string | undefined, node: string | undefined): readonly string[] {
  return desk.cib.status.nodes
    .filter((state) => node === undefined || (state.name ?? state.id) === node)
    .flatMap((state) =>
      state.history
        .filter(({ id }) => resource === undefined || id === resource)
        .flatMap(({ id, operations: records }) =>
          records.map(
            (record) =>
              `${id}\t(${state.name ?? state.id}):\t ${record.key ?? record.id}: call=${record.callId}, rc=${record.exitCode}, status=${record.status}`,
          ),
        ),
    );
}
