/** `crm_node`, `crm_mon`, `cibadmin`, `stonith_admin`, `crm_error`, `crm_ticket`: what the cluster looks like, in the forms that agents search through. */
import { escapeXml, exportCib, selectXml } from '@systole/cib';
import { type OptionTable, readArguments } from './arguments.ts';
import {
  type AgentCall,
  complain,
  type Desk,
  exits,
  type NodeRow,
  type ResourceRow,
  type Said,
  saidOf,
  say,
} from './desk.ts';

const nodeOptions: OptionTable = {
  name: ['flag', '-n', '--name'],
  id: ['flag', '-i', '--cluster-id'],
  list: ['flag', '-l', '--list'],
  partition: ['flag', '-p', '--partition'],
  quorum: ['flag', '-q', '--quorum'],
  nameFor: ['value', '-N', '--name-for-id'],
  quiet: ['flag', '-Q', '--quiet'],
  verbose: ['flag', '-V', '--verbose'],
};

const numericId = (desk: Desk, name: string): string =>
  desk.cib.configuration.nodes.find((node) => node.name === name)?.id ?? name;

export function crmNode(call: AgentCall, desk: Desk): Said {
  const read = readArguments(nodeOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `crm_node: ${read.error}`);
  const { options } = read.value;
  const nodes = desk.status().nodes;
  const members = nodes.filter(({ state }) => state === 'online').map(({ name }) => name);
  if (options.has('name')) return say(desk.self);
  if (options.has('id')) return say(numericId(desk, desk.self));
  const id = options.get('nameFor');
  if (typeof id === 'string') {
    const node = desk.cib.configuration.nodes.find((one) => one.id === id);
    return node === undefined ? complain(exits.noSuch, `no node has the id ${id}`) : say(node.name);
  }
  if (options.has('quorum')) return say(desk.isQuorate ? '1' : '0');
  if (options.has('partition')) return say(members.join(' '));
  if (options.has('list')) {
    return say(
      ...nodes.map(({ name, state }) => `${numericId(desk, name)} ${name} ${state === 'online' ? 'member' : 'lost'}`),
    );
  }
  return complain(exits.usage, 'what is to be shown? use --name, --list, --partition or --quorum');
}

/** What concerns a page that is written again and again is the helper program's own business. */
const monOptions: OptionTable = {
  once: ['flag', '-1', '--one-shot'],
  xml: ['flag', '-X', '--as-xml'],
  output: ['value', '--output-as'],
  inactive: ['flag', '-r', '--inactive'],
  byNode: ['flag', '-n', '--group-by-node'],
  attributes: ['flag', '-A', '--show-node-attributes'],
  failures: ['flag', '-f', '--failcounts'],
  include: ['value', '--include'],
  exclude: ['value', '--exclude'],
  resource: ['value', '--resource'],
  node: ['value', '--node'],
  simple: ['flag', '-s', '--simple-status'],
  quiet: ['flag', '-Q', '--quiet'],
  verbose: ['flag', '-V', '--verbose'],
};

export function crmMon(call: AgentCall, desk: Desk): Said {
  const read = readArguments(monOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `crm_mon: ${read.error}`);
  const { options } = read.value;
  const { nodes, resources } = desk.status();
  const isOld = options.has('xml');
  if (isOld || options.get('output') === 'xml') return say(...monXml(desk, nodes, resources, isOld));
  const named = (state: NodeRow['state']): string =>
    nodes
      .filter((node) => node.state === state)
      .map(({ name }) => name)
      .join(' ');
  return say(
    `  * Online: [ ${named('online')} ]`,
    ...(named('offline') === '' ? [] : [`  * OFFLINE: [ ${named('offline')} ]`]),
    ...resources.map(({ rsc, agent = '', role, nodes: where }) =>
      `  * ${rsc}\t(${agent}):\t ${role} ${where.join(' ')}`.trimEnd(),
    ),
  );
}

const attribute = (name: string, value: string | number | boolean): string => ` ${name}="${escapeXml(String(value))}"`;

/** The names and order of attributes are part of the contract: agents search the text with patterns. */
function monXml(
  desk: Desk,
  nodes: readonly NodeRow[],
  resources: readonly ResourceRow[],
  isOld: boolean,
): readonly string[] {
  const running = (name: string): number => resources.filter((row) => row.nodes.includes(name)).length;
  const nodeLine = (node: NodeRow): string =>
    `    <node${attribute('name', node.name)}${attribute('id', numericId(desk, node.name))}` +
    `${attribute('online', node.state === 'online')}${attribute('standby', node.standby === true)}` +
    `${attribute('standby_onfail', false)}${attribute('maintenance', node.maintenance === true)}` +
    `${attribute('pending', node.state === 'pending')}${attribute('unclean', node.unclean === true)}` +
    `${attribute('health', node.health ?? 'green')}${attribute('shutdown', false)}` +
    `${attribute('expected_up', node.state === 'online')}${attribute('is_dc', node.isDc)}` +
    `${attribute('resources_running', running(node.name))}${attribute('type', node.kind === 'member' ? 'member' : node.kind)}/>`;
  const resourceLines = (row: ResourceRow): readonly string[] => {
    const isOrphan = row.flags.includes('orphaned');
    const open =
      `    <resource${attribute('id', row.rsc)}${attribute('resource_agent', row.agent ?? '')}${attribute('role', row.role)}` +
      `${attribute('active', row.nodes.length > 0)}${attribute('orphaned', isOrphan)}` +
      `${attribute('blocked', row.flags.includes('blocked'))}${attribute('managed', row.managed)}` +
      `${attribute('failed', row.failed)}${attribute('failure_ignored', false)}` +
      attribute('nodes_running_on', row.nodes.length);
    if (row.nodes.length === 0) return [`${open}/>`];
    return [
      `${open}>`,
      ...row.nodes.map(
        (name) =>
          `      <node${attribute('name', name)}${attribute('id', numericId(desk, name))}${attribute('cached', false)}/>`,
      ),
      '    </resource>',
    ];
  };
  return [
    '<?xml version="1.0"?>',
    isOld ? '<crm_mon version="2.1.5">' : '<pacemaker-result api-version="2.25" request="crm_mon">',
    '  <summary>',
    `    <current_dc${attribute(
      'present',
      nodes.some(({ isDc }) => isDc),
    )}${attribute('with_quorum', desk.isQuorate)}/>`,
    '  </summary>',
    '  <nodes>',
    ...nodes.map(nodeLine),
    '  </nodes>',
    '  <resources>',
    ...resources.flatMap(resourceLines),
    '  </resources>',
    ...(isOld ? ['</crm_mon>'] : ['  <status code="0" message="OK"/>', '</pacemaker-result>']),
  ];
}

const cibOptions: OptionTable = {
  query: ['flag', '-Q', '--query'],
  local: ['flag', '-l', '--local'],
  scope: ['value', '-o', '--scope', '--obj_type'],
  xpath: ['value', '-A', '--xpath'],
  noChildren: ['flag', '-n', '--no-children'],
  verbose: ['flag', '-V', '--verbose'],
};

export function cibadmin(call: AgentCall, desk: Desk): Said {
  const read = readArguments(cibOptions, call.argv);
  if (!read.ok)
    return complain(exits.usage, `cibadmin: ${read.error}; it only reads here (-Q), changes go through systole`);
  const { options } = read.value;
  const lines = (xml: string): readonly string[] => xml.trimEnd().split('\n');
  const xml = exportCib(desk.cib);
  const scope = options.get('scope');
  const path = options.get('xpath') ?? (typeof scope === 'string' ? `//${scope}` : undefined);
  if (typeof path !== 'string') return say(...lines(xml));
  const found = selectXml(xml, path);
  if (!found.ok) return complain(exits.usage, `cibadmin: ${found.error}`);
  const [only, ...more] = found.value;
  if (only === undefined) return complain(exits.noSuch, `nothing in the CIB fits ${path}`);
  return more.length === 0
    ? say(...lines(only))
    : say('<xpath-query>', ...found.value.flatMap(lines), '</xpath-query>');
}

const stonithOptions: OptionTable = {
  reboot: ['value', '-B', '--reboot'],
  fence: ['value', '-F', '--fence'],
  unfence: ['value', '-U', '--unfence'],
  history: ['value', '-H', '--history'],
  output: ['value', '--output-as'],
  tag: ['value', '-T', '--tag'],
  timeout: ['value', '-t', '--timeout'],
  tolerance: ['value', '--tolerance'],
  list: ['value', '-l', '--list'],
  registered: ['flag', '-L', '--list-registered'],
  verbose: ['flag', '-V', '--verbose'],
};

export async function stonithAdmin(call: AgentCall, desk: Desk): Promise<Said> {
  const read = readArguments(stonithOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `stonith_admin: ${read.error}`);
  const { options } = read.value;
  for (const [option, action] of [
    ['reboot', 'reboot'],
    ['fence', 'off'],
    ['unfence', 'on'],
  ] as const) {
    const target = options.get(option);
    if (typeof target !== 'string') continue;
    const tag = options.get('tag');
    const user = typeof tag === 'string' ? tag : 'stonith_admin';
    return saidOf(await desk.request({ type: 'fence', target, action, user }));
  }
  const target = options.get('history');
  if (typeof target === 'string') {
    const rows = desk.status().fencing.filter((row) => target === '*' || row.target === target);
    if (options.get('output') !== 'xml') {
      return say(
        ...rows.map((row) => `${row.target} ${row.action} ${row.state} by ${row.originator} for ${row.client}`),
      );
    }
    const status = (state: string): string => (state === 'ok' ? 'success' : state);
    return say(
      '<pacemaker-result api-version="2.25" request="stonith_admin">',
      '  <fence_history>',
      ...rows.map(
        (row) =>
          `    <fence_event${attribute('target', row.target)}${attribute('action', row.action)}${attribute('client', row.client)}` +
          `${attribute('origin', row.originator)}${attribute('status', status(row.state))}` +
          `${attribute('extended-status', status(row.state))}/>`,
      ),
      '  </fence_history>',
      '  <status code="0" message="OK"/>',
      '</pacemaker-result>',
    );
  }
  const wanted = options.get('list');
  if (typeof wanted === 'string') {
    const answer = await desk.request({ type: 'findDevices', target: wanted });
    const devices = answer.ok ? ((answer.value as { readonly devices?: readonly string[] }).devices ?? []) : [];
    return saidOf(answer, ...devices);
  }
  return complain(exits.usage, 'what is to be done? use --reboot, --fence, --unfence, --history or --list');
}

const errorWords: Readonly<Record<number, string>> = {
  0: 'OK',
  1: 'Error occurred',
  2: 'Invalid parameter',
  3: 'Unimplemented',
  4: 'Insufficient privileges',
  5: 'Not installed',
  6: 'Not configured',
  7: 'Not running',
  64: 'Incorrect usage',
  102: 'Not connected',
  105: 'No such object',
  110: 'No quorum',
  124: 'Timeout occurred',
};

export function crmError(call: AgentCall): Said {
  const number = call.argv.map(Number).find((one) => Number.isSafeInteger(one));
  if (number === undefined) return complain(exits.usage, 'which exit code?');
  return say(errorWords[Math.abs(number)] ?? `Unknown exit status ${number}`);
}

const ticketOptions: OptionTable = {
  ticket: ['value', '-t', '--ticket'],
  get: ['value', '-G', '--get-attr'],
  list: ['flag', '-l', '--info', '-L', '--details'],
  default: ['value', '-d', '--default'],
  quiet: ['flag', '-Q', '--quiet'],
  verbose: ['flag', '-V', '--verbose'],
};

export function crmTicket(call: AgentCall, desk: Desk): Said {
  const read = readArguments(ticketOptions, call.argv);
  if (!read.ok) return complain(exits.usage, `crm_ticket: ${read.error}; tickets are granted through systole`);
  const { options } = read.value;
  const wanted = options.get('ticket');
  const tickets = desk.cib.status.tickets.filter(({ id }) => wanted === undefined || id === wanted);
  const name = options.get('get');
  if (typeof name === 'string') {
    const [ticket] = tickets;
    const named: Readonly<Record<string, string | undefined>> = {
      granted: ticket?.isGranted === undefined ? undefined : String(ticket.isGranted),
      standby: ticket?.isStandby === undefined ? undefined : String(ticket.isStandby),
      'last-granted': ticket?.lastGranted,
    };
    const fallback = options.get('default');
    const value = named[name] ?? ticket?.other?.[name] ?? (typeof fallback === 'string' ? fallback : undefined);
    return value === undefined ? complain(exits.noSuch, `no ${name}`) : say(value);
  }
  return say(...tickets.map(({ id, isGranted }) => `${id}\t${isGranted === true ? 'granted' : 'revoked'}`));
}
