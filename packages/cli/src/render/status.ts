/**
 * The status as text. It leads with what is wrong and what to do about it; then nodes, then resources. What is as it
 * should be takes one line.
 */
import type { FailureRow, NodeRow, ResourceRow, StatusReport } from '@systole/api';
import { styleText } from 'node:util';
import { table } from './table.ts';
import { formatSpan, formatTime } from './time.ts';

export interface StatusView {
  readonly hasColours: boolean;
  /** Resources that are stopped on purpose are shown as well. */
  readonly showsInactive?: boolean;
  /** Resources by the node they run on. */
  readonly isByNode?: boolean;
  readonly showsFailures?: boolean;
  readonly isBrief?: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Something an operator should act on. */
export interface Trouble {
  /** A note tells of what somebody wanted so: it is no alarm, but nobody should forget it. */
  readonly level: 'error' | 'warning' | 'note';
  readonly text: string;
  /** What to do. */
  readonly advice?: string;
}

/** The largest fail count: it will not be tried again there. */
const INFINITE = 1_000_000;

/** All that is wrong, the worst first. */
export function troubles(report: StatusReport): readonly Trouble[] {
  const found: Trouble[] = [];
  if (!report.quorate) {
    found.push({
      level: 'error',
      text: `no quorum: ${report.quorum.reason}`,
      advice: 'look at the other nodes and the network between; systole quorum status says who is missing',
    });
  } else if (report.dc === undefined) {
    found.push({
      level: 'warning',
      text: 'no node leads yet',
      advice: 'wait some seconds; if it stays so: systole history',
    });
  }
  found.push(...modeTroubles(report));
  for (const node of report.nodes) found.push(...nodeTroubles(node));
  for (const resource of report.resources) found.push(...resourceTroubles(resource, report));
  found.push(...nowhereTroubles(report), ...unmanagedNotes(report));
  found.push(...diskTroubles(report));
  for (const message of report.messages) found.push({ level: message.level, text: message.text });
  for (const row of report.fencing.filter(({ state }) => /fail|exhaust|timed/i.test(state)).slice(0, 3)) {
    found.push({
      level: 'error',
      text: `fencing of ${row.target} failed (${row.action}, ${formatTime(row.startedAt)}): ${row.reason}`,
      advice: `systole stonith test DEVICE; if ${row.target} is certainly off: systole node clearstate ${row.target}`,
    });
  }
  return found.toSorted((a, b) => urgency[a.level] - urgency[b.level]);
}

const urgency: Readonly<Record<Trouble['level'], number>> = { error: 0, warning: 1, note: 2 };

/** So many names are told in one line. */
const NAMES_TOLD = 8;

const listed = (names: readonly string[]): string =>
  names.length <= NAMES_TOLD
    ? names.join(', ')
    : `${names.slice(0, NAMES_TOLD).join(', ')} and ${names.length - NAMES_TOLD} more`;

/** What holds for the whole cluster, and makes it do less than people count on. */
function modeTroubles({ modes = [] }: StatusReport): readonly Trouble[] {
  return modes.map((mode): Trouble => {
    switch (mode) {
      case 'maintenance':
        return {
          level: 'warning',
          text: 'the whole cluster is in maintenance: nothing is monitored, recovered or moved',
          advice: 'when the work is done: systole maintenance off',
        };
      case 'stop-all':
        return {
          level: 'warning',
          text: 'stop-all-resources is set: everything is kept stopped',
          advice: 'systole configure property stop-all-resources=false',
        };
    }
  });
}

/** What ought to run and does not, while the cluster has nothing left to do. */
function nowhereTroubles(report: StatusReport): readonly Trouble[] {
  if (report.transition.state !== 'idle' || !report.quorate) return [];
  const running = new Set(report.resources.filter(({ nodes }) => nodes.length > 0).map((row) => row.id));
  const idle = report.resources.filter(
    ({ id, role, flags, failed }) =>
      role === 'Stopped' && !failed && !running.has(id) && !flags.includes('disabled') && !flags.includes('blocked'),
  );
  const names = [...new Set(idle.map(({ id }) => id.replace(/:\d+$/, '')))];
  if (names.length === 0 || report.modes?.includes('stop-all') === true) return [];
  return [
    {
      level: 'warning',
      text: `${listed(names)} ${names.length === 1 ? 'runs' : 'run'} nowhere`,
      advice: `why: systole explain ${names[0] ?? ''}`,
    },
  ];
}

function unmanagedNotes(report: StatusReport): readonly Trouble[] {
  if (report.modes?.includes('maintenance') === true) return [];
  const quiet = new Set(report.nodes.filter((node) => node.maintenance === true).map(({ name }) => name));
  const ids = (flag: string): readonly string[] => [
    ...new Set(
      report.resources
        .filter(({ flags, nodes }) => flags.includes(flag) && !nodes.some((node) => quiet.has(node)))
        .map(({ id }) => id),
    ),
  ];
  const [unmanaged, maintained] = [ids('unmanaged'), ids('maintenance')];
  return [
    ...(unmanaged.length === 0
      ? []
      : [
          {
            level: 'note',
            text: `${listed(unmanaged)} ${unmanaged.length === 1 ? 'is' : 'are'} unmanaged: monitored, but neither started, stopped nor recovered`,
            advice: `systole resource manage ${unmanaged[0] ?? ''}`,
          } as const,
        ]),
    ...(maintained.length === 0
      ? []
      : [
          {
            level: 'note',
            text: `${listed(maintained)} ${maintained.length === 1 ? 'is' : 'are'} in maintenance: left alone entirely`,
            advice: `systole resource maintenance ${maintained[0] ?? ''} off`,
          } as const,
        ]),
  ];
}

/** Disks through which the answering node can be told to die, and cannot read. */
const diskTroubles = ({ node, selfFencing }: StatusReport): readonly Trouble[] =>
  (selfFencing?.disks ?? [])
    .filter(({ isSeen }) => !isSeen)
    .map(({ disk, problem }) => ({
      level: 'warning',
      text: `${node} cannot read its disk ${disk}${problem === undefined ? '' : `: it ${problem}`}`,
      advice: 'mend the path to it: with too few disks and without quorum this node resets itself; systole sbd status',
    }));

function nodeTroubles(node: NodeRow): readonly Trouble[] {
  if (node.unclean === true) {
    return [
      {
        level: 'error',
        text: `node ${node.name} is unclean: it left without a word, and may still run something`,
        advice: 'it is being fenced; if that fails, see systole stonith history',
      },
    ];
  }
  if (node.state === 'offline')
    return [
      {
        level: 'warning',
        text: `node ${node.name} is offline`,
        advice: `start it, or its daemon: systole cluster start`,
      },
    ];
  if (node.state === 'pending') return [{ level: 'warning', text: `node ${node.name} is joining` }];
  if (node.maintenance === true)
    return [
      {
        level: 'note',
        text: `node ${node.name} is in maintenance: what runs there is left alone`,
        advice: `systole node ready ${node.name}`,
      },
    ];
  if (node.standby === true)
    return [
      {
        level: 'note',
        text: `node ${node.name} is in standby: nothing runs there`,
        advice: `systole node online ${node.name}`,
      },
    ];
  if (node.health !== undefined)
    return [{ level: 'warning', text: `node ${node.name} says that its health is ${node.health}` }];
  return [];
}

function resourceTroubles(resource: ResourceRow, report: StatusReport): readonly Trouble[] {
  const { id, flags } = resource;
  const failures = report.failures.filter((failure) => isOf(failure, id));
  const at = resource.nodes.length === 0 ? '' : ` on ${resource.nodes.join(', ')}`;
  if (
    resource.nodes.length > 1 &&
    !flags.includes('migrating') &&
    resource.role !== 'Stopped' &&
    !isCopy(resource, report)
  ) {
    return [
      {
        level: 'error',
        text: `${id} is active on several nodes: ${resource.nodes.join(', ')}`,
        advice: `systole explain ${id}`,
      },
    ];
  }
  if (flags.includes('blocked')) {
    return [
      {
        level: 'error',
        text: `${id} is blocked${at}: the cluster cannot go on with it without risk`,
        advice: `systole explain ${id}; then mend it and systole resource cleanup ${id}`,
      },
    ];
  }
  if (resource.failed) {
    return [
      { level: 'error', text: `${id} has failed${at}`, advice: `mend the cause, then systole resource cleanup ${id}` },
    ];
  }
  return failures.map((failure) => failureTrouble(id, failure));
}

/** Rows of copies that cannot be told apart have several nodes by right. */
const isCopy = (resource: ResourceRow, report: StatusReport): boolean =>
  resource.within !== undefined &&
  report.resources.filter((row) => row.id === resource.id).length <= resource.nodes.length;

function failureTrouble(id: string, { node, operation, count, last }: FailureRow): Trouble {
  const times = count >= INFINITE ? 'and will not be tried there again' : count === 1 ? 'once' : `${count} times`;
  const when = last > 0 ? `, last ${formatTime(last * 1000)}` : '';
  return {
    level: count >= INFINITE ? 'error' : 'warning',
    text: `${operation} of ${id} failed on ${node} ${times}${when}`,
    advice: `when the cause is mended: systole resource cleanup ${id} ${node}`,
  };
}

const isOf = (failure: FailureRow, id: string): boolean =>
  failure.resource === id || failure.resource === id.replace(/:\d+$/, '');

/** One line, for monitoring: `OK: …`, `WARNING: …` or `CRITICAL: …`. */
export function simpleStatus(report: StatusReport): string {
  const found = troubles(report).filter(({ level }) => level !== 'note');
  const online = report.nodes.filter((node) => node.state === 'online').length;
  const running = report.resources.filter((resource) => resource.nodes.length > 0).length;
  const counts = `${online} of ${report.nodes.length} nodes online, ${running} resource instances running`;
  const [worst] = found;
  if (worst === undefined) return `OK: ${counts}`;
  const word = worst.level === 'error' ? 'CRITICAL' : 'WARNING';
  return `${word}: ${found.map(({ text }) => text).join('; ')} (${counts})`;
}

export function renderStatus(report: StatusReport, view: StatusView): string {
  const paint = painter(view.hasColours);
  const found = troubles(report);
  const parts = [headline(report, paint), troubleLines(found, paint), nodeLines(report, paint)];
  if (view.isBrief !== true)
    parts.push(view.isByNode === true ? byNode(report, view, paint) : resourceLines(report, view, paint));
  if (view.showsFailures === true) parts.push(failureLines(report, view));
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

type Paint = (style: 'red' | 'yellow' | 'green' | 'bold' | 'dim', text: string) => string;

const painter =
  (hasColours: boolean): Paint =>
  (style, text) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text;

function headline(report: StatusReport, paint: Paint): string {
  const quorum = report.quorate ? 'with quorum' : paint('red', 'WITHOUT QUORUM');
  const dc = report.dc === undefined ? 'nobody leads' : `led by ${report.dc}`;
  const { state, pending, done } = report.transition;
  const busy = pending === undefined ? 'at work' : `at work: ${done ?? 0} steps done, ${pending} to do`;
  return `${paint('bold', `Cluster ${report.cluster}`)}, ${quorum}, ${dc}, configuration ${report.cibVersion}, ${state === 'idle' ? 'idle' : paint('yellow', busy)}`;
}

function troubleLines(found: readonly Trouble[], paint: Paint): string {
  if (found.length === 0) return paint('green', 'Everything is as it should be.');
  return found
    .map(({ level, text, advice }) => {
      const mark =
        level === 'error' ? paint('red', 'ERROR  ') : level === 'warning' ? paint('yellow', 'warning') : 'note   ';
      return `${mark} ${text}${advice === undefined ? '' : `\n        ${paint('dim', `→ ${advice}`)}`}`;
    })
    .join('\n');
}

function nodeLines(report: StatusReport, paint: Paint): string {
  const rows = report.nodes.map((node) => [
    node.name,
    nodeState(node, paint),
    node.kind === 'member' ? '' : node.kind,
    node.isDc ? 'leads' : '',
  ]);
  return `${paint('bold', 'Nodes')}\n${table(rows, '  ')}`;
}

function nodeState(node: NodeRow, paint: Paint): string {
  if (node.unclean === true) return paint('red', `${node.state}, UNCLEAN`);
  const states: string[] = [node.state];
  if (node.standby === true) states.push('standby');
  if (node.maintenance === true) states.push('maintenance');
  const text = states.join(', ');
  if (node.state === 'offline') return paint('red', text);
  return states.length > 1 || node.state === 'pending' ? paint('yellow', text) : paint('green', text);
}

/** Resources in the order of the configuration, contents under what contains them. */
function resourceLines(report: StatusReport, view: StatusView, paint: Paint): string {
  if (report.resources.length === 0) return `${paint('bold', 'Resources')}\n  none are configured`;
  const rows: string[][] = [];
  let within: string | undefined;
  let hidden = 0;
  for (const resource of report.resources) {
    if (isHidden(resource, view)) {
      hidden += 1;
      continue;
    }
    if (resource.within !== within) {
      within = resource.within;
      if (within !== undefined) rows.push([`${within}:`, '', '', '']);
    }
    const indent = within === undefined ? '' : '  ';
    rows.push([
      `${indent}${resource.id}`,
      roleText(resource, paint),
      resource.nodes.join(', '),
      notes(resource, paint),
    ]);
  }
  const more = hidden === 0 ? '' : `\n  ${paint('dim', `${hidden} stopped on purpose; status full shows them`)}`;
  return `${paint('bold', 'Resources')}\n${table(rows, '  ')}${more}`;
}

const isHidden = (resource: ResourceRow, view: StatusView): boolean =>
  view.showsInactive !== true && resource.role === 'Stopped' && resource.flags.includes('disabled') && !resource.failed;

function roleText(resource: ResourceRow, paint: Paint): string {
  if (resource.failed) return paint('red', resource.role);
  if (resource.role === 'Stopped') return paint('yellow', resource.role);
  return resource.role.endsWith('ing') ? paint('yellow', resource.role) : paint('green', resource.role);
}

const notes = (resource: ResourceRow, paint: Paint): string =>
  resource.flags
    .map((flag) => (flag === 'failed' || flag === 'blocked' ? paint('red', flag) : paint('yellow', flag)))
    .join(', ');

function byNode(report: StatusReport, view: StatusView, paint: Paint): string {
  const blocks = report.nodes.map((node) => {
    const rows = report.resources
      .filter((resource) => resource.nodes.includes(node.name))
      .map((resource) => [resource.id, roleText(resource, paint), notes(resource, paint)]);
    return `${paint('bold', node.name)} ${nodeState(node, paint)}${rows.length === 0 ? '' : `\n${table(rows, '  ')}`}`;
  });
  const nowhere = report.resources.filter((resource) => resource.nodes.length === 0 && !isHidden(resource, view));
  if (nowhere.length > 0)
    blocks.push(
      `${paint('bold', 'nowhere')}\n${table(
        nowhere.map((resource) => [resource.id, roleText(resource, paint), notes(resource, paint)]),
        '  ',
      )}`,
    );
  return blocks.join('\n');
}

function failureLines(report: StatusReport, view: StatusView): string {
  if (report.failures.length === 0) return 'Failures\n  none are remembered';
  const rows = report.failures.map(({ resource, node, operation, intervalMs, count, last }) => [
    resource,
    node,
    `${operation}${intervalMs > 0 ? ` every ${formatSpan(intervalMs)}` : ''}`,
    count >= INFINITE ? 'INFINITY' : String(count),
    last > 0 ? `${formatSpan(view.now - last * 1000)} ago` : '',
  ]);
  return `Failures\n${table(rows, '  ')}`;
}
