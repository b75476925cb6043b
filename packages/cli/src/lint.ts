/**
 * Known traps in a configuration: what is valid and still not what anybody wants. Each finding says what may happen,
 * and what to do. Nothing outside the configuration is asked.
 */
import type { AttributeSet, Configuration, Constraint, Primitive, Resource } from '@systole/cib/document';
import { INFINITY, parseXPath } from '@systole/cib/document';
import { fromConfiguration, type Item, isOptions } from './language/items.ts';
import { problemsOf } from './language/checks.ts';
import { namedResources } from '@systole/cib/document';
import { readOption } from './commands/options.ts';

export interface Finding {
  readonly level: 'error' | 'warning';
  /** What the finding is about: an id, or nothing. */
  readonly id?: string;
  readonly text: string;
  readonly advice: string;
}

export function lint(configuration: Configuration, now: number): readonly Finding[] {
  const items = fromConfiguration(configuration);
  const primitives = allPrimitives(configuration.resources);
  return [
    ...problemsOf(items).map((problem): Finding => ({
      level: 'error',
      text: problem.message,
      advice: 'correct the name, or define what is missing',
    })),
    ...fencing(items, primitives),
    ...nodes(configuration, items),
    ...primitives.flatMap(monitors),
    ...promotable(configuration.resources),
    ...constraints(configuration, now),
    ...permissions(configuration),
    ...leftovers(configuration, items),
  ].toSorted((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
}

const isYes = (text: string | undefined): boolean => /^(?:true|yes|on|y|1)$/i.test(text ?? '');

function allPrimitives(resources: readonly Resource[]): readonly Primitive[] {
  return resources.flatMap((resource): readonly Primitive[] => {
    switch (resource.kind) {
      case 'primitive':
        return [resource];
      case 'group':
        return resource.members;
      case 'clone':
        return allPrimitives([resource.member]);
      case 'bundle':
        return resource.primitive === undefined ? [] : [resource.primitive];
      default:
        return [];
    }
  });
}

const isDevice = (primitive: Primitive, items: readonly Item[]): boolean => {
  const template = items.find((item) => item.kind === 'template' && item.id === primitive.template);
  return (primitive.agent ?? (template?.kind === 'template' ? template.value.agent : undefined))?.class === 'stonith';
};

function fencing(items: readonly Item[], primitives: readonly Primitive[]): readonly Finding[] {
  const devices = primitives.filter((primitive) => isDevice(primitive, items));
  if (!isYes(readOption(items, 'fencing-enabled'))) {
    return [
      {
        level: 'error',
        text: 'fencing is off: a node that is lost may still run its services, and they are then not started elsewhere, or run twice',
        advice: 'configure a fence device for every node, then: property fencing-enabled=true',
      },
    ];
  }
  if (devices.length > 0) return [];
  return [
    {
      level: 'error',
      text: 'fencing is on, but there is no fence device: nothing will be started',
      advice: 'configure one, for example: primitive power stonith:fence_ipmilan params …',
    },
  ];
}

function nodes(configuration: Configuration, items: readonly Item[]): readonly Finding[] {
  const found: Finding[] = [];
  const policy = readOption(items, 'no-quorum-policy');
  if (policy === 'ignore') {
    found.push({
      level: 'error',
      text: 'no-quorum-policy=ignore: both halves of a cluster that is cut in two go on',
      advice: 'remove it; a cluster of two nodes needs two_node and fencing, or an arbiter, not this',
    });
  }
  const members = configuration.nodes.filter((node) => node.type === undefined || node.type === 'member');
  const isTwoNode = members.length === 2 && readOption(items, 'priority-fencing-delay') === '0';
  const delays = configuration.resources.some((resource) =>
    resource.parameters.some((set) => set.pairs.some((pair) => pair.name?.startsWith('pcmk_delay_') === true)),
  );
  if (isTwoNode && !delays) {
    found.push({
      level: 'warning',
      text: 'two nodes that lose sight of each other fence each other at the same time',
      advice: 'property priority-fencing-delay=15s, or pcmk_delay_max on the fence devices; or an arbiter',
    });
  }
  return found;
}

function monitors(primitive: Primitive): readonly Finding[] {
  const { id, operations, template } = primitive;
  const found: Finding[] = [];
  const own = operations.list.filter((operation) => operation.name === 'monitor' && operation.enabled !== false);
  const isRecurring = own.some((operation) => !/^0+\s*[a-z]*$/i.test(operation.interval ?? '0'));
  if (!isRecurring && template === undefined && operations.idRef === undefined) {
    found.push({
      level: 'warning',
      id,
      text: `${id} has no monitor: the cluster will not notice when it dies`,
      advice: `monitor ${id} 10s:20s`,
    });
  }
  const twins = own.filter(
    (operation, index) =>
      own.findIndex((other) => other.interval === operation.interval && other.role === operation.role) < index,
  );
  for (const twin of twins)
    found.push({
      level: 'error',
      id,
      text: `${id} has two monitors every ${twin.interval ?? '0'}`,
      advice: 'give them different intervals',
    });
  const stop = operations.list.find((operation) => operation.name === 'stop');
  if (stop?.onFail === 'ignore') {
    found.push({
      level: 'error',
      id,
      text: `${id} ignores failures of stop: it may then run on two nodes`,
      advice: `remove on-fail=ignore from its stop`,
    });
  }
  return found;
}

const values = (sets: readonly AttributeSet[], name: string): string | undefined =>
  sets.flatMap((set) => set.pairs).find((pair) => pair.name === name)?.value;

function promotable(resources: readonly Resource[]): readonly Finding[] {
  return resources.flatMap((resource): readonly Finding[] => {
    if (resource.kind !== 'clone' || !isYes(values(resource.meta, 'promotable'))) return [];
    const member = resource.member.kind === 'group' ? resource.member.members : [resource.member];
    return member.flatMap((primitive): readonly Finding[] => {
      const intervals = new Map<string, string>();
      for (const operation of primitive.operations.list) {
        if (operation.name !== 'monitor') continue;
        const role = operation.role ?? 'Started';
        const interval = operation.interval ?? '0';
        const other = intervals.get(interval);
        if (other !== undefined && other !== role) {
          return [
            {
              level: 'error',
              id: primitive.id,
              text: `${primitive.id}: monitors of different roles need different intervals; both have ${interval}`,
              advice: 'make one of them a second longer',
            },
          ];
        }
        intervals.set(interval, role);
      }
      const isWatched = primitive.operations.list.some(
        (operation) => operation.name === 'monitor' && operation.role === 'Promoted',
      );
      return isWatched || primitive.template !== undefined
        ? []
        : [
            {
              level: 'warning',
              id: primitive.id,
              text: `${primitive.id} is promotable, but no monitor watches the promoted instance`,
              advice: `monitor ${primitive.id}:Promoted 9s`,
            },
          ];
    });
  });
}

function constraints(configuration: Configuration, now: number): readonly Finding[] {
  const names = new Set(configuration.nodes.map((node) => node.name));
  const found: Finding[] = [];
  for (const constraint of configuration.constraints) {
    if (constraint.kind !== 'location') continue;
    if (constraint.node !== undefined && names.size > 0 && !names.has(constraint.node)) {
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} names the node "${constraint.node}", which does not exist`,
        advice: 'correct the name; a node that has yet to join is fine',
      });
    }
    if (isExpired(constraint, now))
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} has expired and has no effect any more`,
        advice: `delete ${constraint.id}`,
      });
  }
  return [
    ...found,
    ...contradictions(configuration.constraints),
    ...nowhere(configuration),
    ...circles(configuration.constraints),
  ];
}

/** Rules that only hold before a time that is past. */
const isExpired = (constraint: Constraint, now: number): boolean =>
  constraint.kind === 'location' &&
  constraint.rules.length > 0 &&
  constraint.rules.every(
    (rule) =>
      rule.booleanOp !== 'or' &&
      rule.expressions.some(
        (expression) =>
          expression.type === 'date' &&
          expression.end !== undefined &&
          expression.operation !== 'gt' &&
          Date.parse(expression.end) < now,
      ),
  );

/** Pairs that must be together and must not; and those whose order works against their colocation. */
function contradictions(list: readonly Constraint[]): readonly Finding[] {
  const found: Finding[] = [];
  const together = new Map<string, Constraint>();
  const apart = new Map<string, Constraint>();
  const dependsOn = new Map<string, Constraint>();
  for (const constraint of list) {
    if (constraint.kind !== 'colocation' || constraint.sets !== undefined) continue;
    const pair = namedResources(constraint).toSorted().join(' ');
    const score = constraint.score ?? 0;
    if (score >= INFINITY) together.set(pair, constraint);
    if (score <= -INFINITY) apart.set(pair, constraint);
    if (score > 0) dependsOn.set(`${constraint.dependent ?? ''} ${constraint.primary ?? ''}`, constraint);
  }
  for (const [pair, constraint] of together) {
    const other = apart.get(pair);
    if (other !== undefined)
      found.push({
        level: 'error',
        id: constraint.id,
        text: `${constraint.id} wants ${pair.replace(' ', ' and ')} together, ${other.id} wants them apart: one of them can never run`,
        advice: 'delete one of the two',
      });
  }
  for (const constraint of list) {
    if (constraint.kind !== 'order' || constraint.sets !== undefined || constraint.orderKind === 'Optional') continue;
    const { first = '', then = '', firstAction = 'start' } = constraint;
    const against = dependsOn.get(`${first} ${then}`);
    if (against !== undefined && firstAction === 'start' && (constraint.thenAction ?? 'start') === 'start') {
      found.push({
        level: 'warning',
        id: constraint.id,
        text: `${constraint.id} starts ${first} before ${then}, but ${against.id} places ${first} where ${then} is: where ${then} cannot run, ${first} cannot either, though it would start first`,
        advice: `turn the colocation around: ${then} with ${first}`,
      });
    }
  }
  return found;
}

/** Resources that are kept off every node. */
function nowhere(configuration: Configuration): readonly Finding[] {
  const nodes = configuration.nodes.map((node) => node.name);
  if (nodes.length === 0) return [];
  const banned = new Map<string, Set<string>>();
  for (const constraint of configuration.constraints) {
    if (
      constraint.kind !== 'location' ||
      constraint.resource === undefined ||
      constraint.node === undefined ||
      constraint.role !== undefined
    )
      continue;
    if ((constraint.score ?? 0) > -INFINITY) continue;
    const set = banned.get(constraint.resource) ?? new Set<string>();
    banned.set(constraint.resource, set.add(constraint.node));
  }
  return [...banned]
    .filter(([, set]) => nodes.every((node) => set.has(node)))
    .map(([id]): Finding => ({
      level: 'error',
      id,
      text: `${id} is banned from every node: it can never run`,
      advice: `systole resource clear ${id}, or delete the constraints`,
    }));
}

/** Orders that lead back to where they began. */
function circles(list: readonly Constraint[]): readonly Finding[] {
  const next = new Map<string, { readonly to: string; readonly id: string }[]>();
  for (const constraint of list) {
    if (
      constraint.kind !== 'order' ||
      constraint.sets !== undefined ||
      (constraint.orderKind ?? 'Mandatory') !== 'Mandatory'
    )
      continue;
    if ((constraint.firstAction ?? 'start') !== (constraint.thenAction ?? 'start')) continue;
    const from = constraint.first ?? '';
    next.set(from, [...(next.get(from) ?? []), { to: constraint.then ?? '', id: constraint.id }]);
  }
  const done = new Set<string>();
  const found: Finding[] = [];
  const visit = (name: string, path: readonly string[], ids: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      const circle = [...path.slice(start), name].join(' → ');
      found.push({
        level: 'error',
        id: ids.at(-1) ?? name,
        text: `orders go in a circle: ${circle}`,
        advice: `delete one of ${ids.slice(start).join(', ')}`,
      });
      return;
    }
    if (done.has(name)) return;
    for (const { to, id } of next.get(name) ?? []) visit(to, [...path, name], [...ids, id]);
    done.add(name);
  };
  for (const name of next.keys()) visit(name, [], []);
  return found;
}

/** Permissions whose XPath the daemon does not understand: it errs on the side of refusing. */
function permissions({ acls }: Configuration): readonly Finding[] {
  return acls.roles.flatMap(({ id, permissions: list }) =>
    list.flatMap(({ kind, xpath }): readonly Finding[] => {
      const parsed = xpath === undefined ? undefined : parseXPath(xpath);
      if (parsed === undefined || parsed.ok) return [];
      const effect = kind === 'deny' ? 'whoever has the role may do nothing at all' : 'it grants nothing';
      return [
        {
          level: kind === 'deny' ? 'error' : 'warning',
          id,
          text: `role ${id}: ${parsed.error}, so ${effect}`,
          advice: 'write it with steps, names and conditions on attributes, or with ref:ID or type:NAME',
        },
      ];
    }),
  );
}

/** What somebody may have forgotten. */
function leftovers(configuration: Configuration, items: readonly Item[]): readonly Finding[] {
  const found: Finding[] = [];
  for (const { id } of configuration.constraints) {
    const resource = /^cli-(?:prefer|ban)-(.+?)(?:-on-.+)?$/.exec(id)?.[1];
    if (resource !== undefined)
      found.push({
        level: 'warning',
        id,
        text: `${id} is left over from resource move or ban`,
        advice: `systole resource clear ${resource}`,
      });
  }
  if (isYes(readOption(items, 'maintenance-mode')))
    found.push({
      level: 'warning',
      text: 'the whole cluster is in maintenance: nothing is recovered',
      advice: 'systole maintenance off',
    });
  for (const item of items) {
    if (isOptions(item) || item.kind === 'constraint' || !('meta' in item.value)) continue;
    const { meta } = item.value;
    if (values(meta, 'target-role')?.toLowerCase() === 'stopped')
      found.push({
        level: 'warning',
        id: item.id,
        text: `${item.id} is stopped on purpose`,
        advice: `systole resource start ${item.id}`,
      });
    if (values(meta, 'is-managed')?.toLowerCase() === 'false')
      found.push({
        level: 'warning',
        id: item.id,
        text: `${item.id} is not managed: it is not recovered`,
        advice: `systole resource manage ${item.id}`,
      });
  }
  return found;
}
