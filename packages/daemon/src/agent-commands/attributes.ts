/**
 * `crm_attribute`, `crm_master`, `attrd_updater`, `crm_failcount` and `crm_standby`: attributes of nodes that last until
 * the node leaves or for good, cluster options, utilization, promotion scores.
 *
 * Private attributes (`attrd_updater -p`), which Pacemaker keeps out of its CIB, are kept with the others: their readers
 * are other nodes, and one agreed place is the simplest that is right.
 */
import { type AttributeSet, type Configuration, diff, type Pair } from '@systole/cib';
import { clusterOption, nodeState, transientAttributes } from '@systole/crm';
import { parseDuration } from '@systole/kernel';
import { type OptionTable, readArguments } from './arguments.ts';
import { type AgentCall, complain, type Desk, exits, type Said, saidOf, say } from './desk.ts';

/** Where an attribute lives. */
type Scope = 'status' | 'nodes' | 'crm_config' | 'utilization';

const attributeOptions: OptionTable = {
  name: ['value', '-n', '--name', '--attr-name'],
  value: ['value', '-v', '--update', '--attr-value'],
  delete: ['flag', '-D', '--delete', '--delete-attr'],
  query: ['flag', '-G', '--query', '--get-value'],
  quiet: ['flag', '-q', '-Q', '--quiet'],
  node: ['value', '-N', '--node', '-U', '--uname', '--node-uname'],
  lifetime: ['value', '-l', '--lifetime'],
  type: ['value', '-t', '--type', '--scope'],
  set: ['value', '-s', '--set-name'],
  default: ['value', '-d', '--default'],
  promotion: ['maybe', '-p', '--promotion', '--promotion-score'],
  utilization: ['flag', '-z', '--utilization'],
  pattern: ['value', '-P', '--pattern'],
  inactive: ['flag', '-!', '--inhibit-policy-engine'],
  verbose: ['flag', '-V', '--verbose'],
};

/** The resource's name in attributes: all instances of a clone share it. */
export const withoutInstance = (resource: string): string => resource.replace(/:\d+$/, '');

export async function crmAttribute(call: AgentCall, desk: Desk): Promise<Said> {
  const read = readArguments(attributeOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `${call.program}: ${read.error}`);
  const { options } = read.value;
  const isPromotion = options.has('promotion');
  const promoted = options.get('promotion');
  const resource = withoutInstance(typeof promoted === 'string' ? promoted : call.instance);
  if (isPromotion && resource === '') return complain(exits.usage, 'which resource? none is named, and no agent asks');
  const name = isPromotion ? `master-${resource}` : text(options, 'name');
  if (name === undefined) return complain(exits.usage, 'which attribute? use --name');
  const node = text(options, 'node') ?? desk.self;
  const scope = scopeOf(options, isPromotion);
  const value = text(options, 'value');
  if (value !== undefined) return setValue(desk, { scope, node, name, value, set: text(options, 'set') });
  if (options.has('delete')) return setValue(desk, { scope, node, name, value: null, set: text(options, 'set') });

  const found = readValue(desk, scope, node, name) ?? text(options, 'default');
  if (found === undefined) {
    const what = `there is no attribute ${name}${scope === 'crm_config' ? '' : ` of ${node}`}`;
    return complain(exits.noSuch, ...(options.has('quiet') ? [] : [what]));
  }
  return say(options.has('quiet') ? found : `scope=${scope}  name=${name} value=${found}`);
}

/** `crm_master`: the promotion score of the resource that calls, until the node leaves unless asked otherwise. */
export function crmMaster(call: AgentCall, desk: Desk): Promise<Said> {
  const index = call.argv.findIndex((word) => word === '-r' || word === '--resource');
  const resource = index === -1 ? call.instance : (call.argv[index + 1] ?? '');
  const argv = index === -1 ? call.argv : call.argv.toSpliced(index, 2);
  return crmAttribute({ ...call, argv: [`--promotion=${resource}`, ...argv] }, desk);
}

const text = (options: ReadonlyMap<string, string | true>, name: string): string | undefined => {
  const value = options.get(name);
  return typeof value === 'string' ? value : undefined;
};

function scopeOf(options: ReadonlyMap<string, string | true>, isPromotion: boolean): Scope {
  const lifetime = text(options, 'lifetime');
  const type = text(options, 'type');
  if (options.has('utilization')) return 'utilization';
  if (type === 'crm_config') return 'crm_config';
  if (type === 'status' || lifetime === 'reboot') return 'status';
  if (type === 'nodes' || lifetime === 'forever') return 'nodes';
  if (isPromotion) return 'status';
  return options.has('node') ? 'nodes' : 'crm_config';
}

const pairsOf = (sets: readonly AttributeSet[]): readonly Pair[] => sets.flatMap(({ pairs }) => pairs);

function readValue(desk: Desk, scope: Scope, node: string, name: string): string | undefined {
  if (scope === 'crm_config') return clusterOption(desk.cib, name);
  if (scope === 'status') return transientAttributes(nodeState(desk.cib, node)).get(name);
  const configured = desk.cib.configuration.nodes.find((one) => one.name === node);
  const sets = scope === 'nodes' ? configured?.attributes : configured?.utilization;
  return pairsOf(sets ?? []).find((pair) => pair.name === name)?.value;
}

interface Setting {
  readonly scope: Scope;
  readonly node: string;
  readonly name: string;
  /** Null removes. */
  readonly value: string | null;
  /** The id of the set; the first one if not given. */
  readonly set: string | undefined;
}

async function setValue(desk: Desk, { scope, node, name, value, set }: Setting): Promise<Said> {
  const before = readValue(desk, scope, node, name);
  // Nothing to change is nothing to agree on: agents write the same score at every monitor.
  if (desk.isCurrent && before === (value ?? undefined)) return say();
  if (scope === 'status') {
    return saidOf(await desk.request({ type: 'setAttributes', node, values: { [name]: value } }));
  }
  const { configuration } = desk.cib;
  const next = scope === 'crm_config' ? withOption(configuration, name, value, set) : withNodeValue();
  if (next === undefined) return complain(exits.noSuch, `no node ${node} is configured`);
  const change = diff(desk.cib, { ...desk.cib, configuration: next });
  const command = `${name}${value === null ? ' removed' : `=${value}`} by an agent`;
  return saidOf(await desk.request({ type: 'change', change, user: 'agent', command }));

  function withNodeValue(): Configuration | undefined {
    const kind = scope === 'utilization' ? 'utilization' : 'attributes';
    if (!configuration.nodes.some((one) => one.name === node)) return undefined;
    return {
      ...configuration,
      nodes: configuration.nodes.map((one) =>
        one.name === node ? { ...one, [kind]: withPair(one[kind], set ?? `${kind}-${one.id}`, name, value) } : one,
      ),
    };
  }
}

const withOption = (
  configuration: Configuration,
  name: string,
  value: string | null,
  set: string | undefined,
): Configuration => ({
  ...configuration,
  options: withPair(configuration.options, set ?? 'cib-bootstrap-options', name, value, set !== undefined),
});

/** Sets one pair: where the name stands already, else in the named set, else in the first one or a new one of that id. */
function withPair(
  sets: readonly AttributeSet[],
  id: string,
  name: string,
  value: string | null,
  isExactSet = false,
): readonly AttributeSet[] {
  const holds = (set: AttributeSet): boolean => set.pairs.some((pair) => pair.name === name);
  const home =
    sets.find((set) => holds(set) && (!isExactSet || set.id === id)) ??
    sets.find((set) => set.id === id) ??
    (isExactSet ? undefined : sets[0]);
  if (home === undefined) {
    return value === null ? sets : [...sets, { id, pairs: [{ id: `${id}-${name}`, name, value }] }];
  }
  const changed = home.pairs.filter((pair) => value !== null || pair.name !== name);
  const pairs =
    value === null
      ? changed
      : holds(home)
        ? changed.map((pair) => (pair.name === name ? { ...pair, value } : pair))
        : [...changed, { id: `${home.id ?? id}-${name}`, name, value }];
  return sets.map((set) => (set === home ? { ...home, pairs } : set));
}

const updaterOptions: OptionTable = {
  name: ['value', '-n', '--name'],
  value: ['value', '-v', '-U', '--update'],
  both: ['value', '-B', '--update-both'],
  delayOnly: ['flag', '-Y', '--update-delay'],
  delete: ['flag', '-D', '--delete'],
  query: ['flag', '-Q', '--query'],
  refresh: ['flag', '-R', '--refresh'],
  node: ['value', '-N', '--node'],
  all: ['flag', '-A', '--all'],
  private: ['flag', '-p', '--private'],
  delay: ['value', '-d', '--delay'],
  set: ['value', '-s', '-S', '--set', '--section'],
  lifetime: ['value', '-l', '--lifetime'],
  wait: ['value', '-W', '--wait'],
  quiet: ['flag', '-q', '--quiet'],
  verbose: ['flag', '-V', '--verbose'],
};

export async function attrdUpdater(call: AgentCall, desk: Desk): Promise<Said> {
  const read = readArguments(updaterOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `attrd_updater: ${read.error}`);
  const { options } = read.value;
  const name = text(options, 'name');
  // Values are never held back here, so there is nothing that a refresh would write again.
  if (options.has('refresh') || options.has('delayOnly')) return say();
  if (name === undefined) return complain(exits.usage, 'which attribute? use --name');
  const node = text(options, 'node') ?? desk.self;
  if (options.has('query'))
    return queryAttribute(desk, name, options.has('all') ? undefined : node, options.has('node'));
  const written = text(options, 'both') ?? text(options, 'value');
  if (written === undefined && !options.has('delete')) return complain(exits.usage, 'what is to be done with it?');
  const before = readValue(desk, 'status', node, name);
  const value = options.has('delete') ? null : counted(written ?? '', before);
  if (desk.isCurrent && before === (value ?? undefined)) return say();
  const delay = parseDuration(text(options, 'delay') ?? '0');
  const dampenMs = delay.ok ? delay.value : 0;
  const request = { type: 'setAttributes', node, values: { [name]: value } } as const;
  return saidOf(await desk.request(dampenMs === 0 ? request : { ...request, dampenMs }));
}

/** `value++` and `value+=N` count up from what is there. */
function counted(written: string, before: string | undefined): string {
  const match = /^value(?:\+\+|\+=(-?\d+))$/.exec(written);
  return match === null ? written : String((Number(before) || 0) + Number(match[1] ?? '1'));
}

function queryAttribute(desk: Desk, name: string, node: string | undefined, isNamed: boolean): Said {
  const states = desk.cib.status.nodes.filter((state) => node === undefined || (state.name ?? state.id) === node);
  const lines = states.flatMap((state) => {
    const value = transientAttributes(state).get(name);
    return value === undefined ? [] : [`name="${name}" host="${state.name ?? state.id}" value="${value}"`];
  });
  if (lines.length > 0) return say(...lines);
  // Asked for one node that has none: an empty value, as Pacemaker answers once any node has had the attribute.
  const isKnown = desk.cib.status.nodes.some((state) => transientAttributes(state).has(name));
  if (isNamed && isKnown) return say(`name="${name}" host="${node ?? ''}" value=""`);
  return complain(exits.noSuch, `there is no attribute ${name}`);
}

const failcountOptions: OptionTable = {
  resource: ['value', '-r', '--resource', '--resource-id'],
  node: ['value', '-N', '--node', '-U', '--uname'],
  operation: ['value', '-n', '--operation'],
  interval: ['value', '-I', '--interval'],
  query: ['flag', '-G', '--query', '--get-value'],
  delete: ['flag', '-D', '--delete', '--delete-attr'],
  value: ['value', '-v', '--attr-value'],
  quiet: ['flag', '-q', '-Q', '--quiet'],
  verbose: ['flag', '-V', '--verbose'],
};

export async function crmFailcount(call: AgentCall, desk: Desk): Promise<Said> {
  const read = readArguments(failcountOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `crm_failcount: ${read.error}`);
  const { options } = read.value;
  const resource = withoutInstance(text(options, 'resource') ?? call.instance);
  if (resource === '') return complain(exits.usage, 'which resource? use --resource');
  const node = text(options, 'node') ?? desk.self;
  const operation = text(options, 'operation');
  const interval = parseDuration(text(options, 'interval') ?? '0');
  const selected = operation === undefined ? {} : { operation, intervalMs: interval.ok ? interval.value : 0 };
  if (options.has('delete')) {
    return saidOf(await desk.request({ type: 'cleanUp', resource, node, isWhole: false, ...selected }));
  }
  const prefix = operation === undefined ? `fail-count-${resource}#` : `fail-count-${resource}#${operation}_`;
  const counts = [...transientAttributes(nodeState(desk.cib, node))].filter(([name]) => name.startsWith(prefix));
  const isInfinite = counts.some(([, value]) => value === 'INFINITY');
  const sum = isInfinite ? 'INFINITY' : String(counts.reduce((total, [, value]) => total + (Number(value) || 0), 0));
  return say(options.has('quiet') ? sum : `scope=status  name=fail-count-${resource} value=${sum}`);
}

export function crmStandby(call: AgentCall, desk: Desk): Promise<Said> {
  const isSaid = call.argv.some((word) => word === '-l' || word.startsWith('--lifetime'));
  const isNamed = call.argv.some((word) => ['-N', '--node', '-U', '--uname'].some((option) => word.startsWith(option)));
  const more = [...(isSaid ? [] : ['-l', 'forever']), ...(isNamed ? [] : ['-N', desk.self])];
  // Without an answer a node is not in standby.
  const isQuestion = !call.argv.some((word) =>
    ['-v', '-D', '--update', '--delete'].some((option) => word.startsWith(option)),
  );
  return crmAttribute(
    { ...call, argv: [...call.argv, ...more, '-n', 'standby', ...(isQuestion ? ['-d', 'off'] : [])] },
    desk,
  );
}
