/** A simulation as text for an operator: how it is, what would change and why, in which steps, and how it would be then. */
import { formatScore } from '@systole/cib';
import {
  type Change,
  type Decision,
  type Simulation,
  type StatusReport,
  summarize,
  type Transition,
  type TransitionAction,
} from '@systole/pe';

export interface RenderOptions {
  readonly showsScores?: boolean;
  readonly showsUtilization?: boolean;
}

/** What was or would be decided, without how it was before and would be then. */
export const renderDecision = (decision: Decision, options: RenderOptions = {}): string =>
  decisionSections(decision, options)
    .filter((text) => text !== '')
    .join('\n');

const decisionSections = (decision: Decision, options: RenderOptions): readonly string[] => [
  section(
    'Problems',
    decision.messages.map(({ level, text }) => `${level}: ${text}`),
  ),
  options.showsScores === true ? section('Scores', scoreLines(decision)) : '',
  options.showsUtilization === true ? section('Capacities left', capacityLines(decision)) : '',
  section('Changes', changeLines(decision), 'nothing to change'),
  section('Steps', stepLines(decision.transition), 'nothing to do'),
];

export function renderSimulation(simulation: Simulation, options: RenderOptions = {}): string {
  const { decision, before, after } = simulation;
  const { situation } = decision;
  const failed = simulation.applied.failed.length;
  const sections = [
    section(
      `Now (${new Date(situation.nowMs).toISOString()}, ${situation.hasQuorum ? 'with' : 'WITHOUT'} quorum)`,
      statusLines(before),
    ),
    ...decisionSections(decision, options),
    section(failed > 0 ? 'Afterwards (with the failures asked for)' : 'Afterwards', statusLines(after)),
    decision.recheck === undefined
      ? ''
      : `Look again at ${new Date(decision.recheck.at * 1000).toISOString()}: ${decision.recheck.reason}\n`,
  ];
  return sections.filter((text) => text !== '').join('\n');
}

const section = (title: string, lines: readonly string[], otherwise = ''): string => {
  if (lines.length === 0 && otherwise === '') return '';
  return [`${title}:`, ...(lines.length === 0 ? [otherwise] : lines).map((line) => `  ${line}`), ''].join('\n');
};

/** Columns as wide as their widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function statusLines({ nodes, resources }: StatusReport): readonly string[] {
  const nodeRows = nodes.map((node) => [
    'node',
    node.name,
    [
      node.unclean === true ? 'UNCLEAN' : '',
      node.state,
      node.standby === true ? 'standby' : '',
      node.maintenance === true ? 'maintenance' : '',
      node.health === undefined ? '' : `health ${node.health}`,
      node.kind === 'member' ? '' : `(${node.kind} node)`,
    ]
      .filter((part) => part !== '')
      .join(' '),
  ]);
  const resourceRows = resources.map((one) => [
    one.within === undefined ? one.rsc : `${one.within}/${one.rsc}`,
    one.role,
    one.nodes.join(' '),
    one.flags.length === 0 ? '' : `(${one.flags.join(', ')})`,
  ]);
  return [...table(nodeRows), ...table(resourceRows)];
}

function changeLines(decision: Decision): readonly string[] {
  return table(summarize(decision).map(changeRow));
}

function changeRow(one: Change): readonly string[] {
  const reason = [one.blocked === true ? 'blocked' : '', one.reason ?? ''].filter((part) => part !== '').join(', ');
  const why = reason === '' ? '' : `because: ${reason}`;
  if (one.change === 'fence')
    return ['fence', one.node ?? '', `(${one.fence})${one.rsc === undefined ? '' : ` by recovering ${one.rsc}`}`, why];
  const role = (name: string | undefined): string => (name === undefined ? '' : ` (${name})`);
  const from = one.from === undefined ? '' : `${one.from}${role(one.from_role)}`;
  const to = one.to === undefined ? '' : `${one.to}${role(one.to_role)}`;
  const isSame = one.from === one.to && one.from_role === one.to_role;
  const where = isSame || to === '' ? from : from === '' ? to : `${from} → ${to}`;
  return [one.change, one.rsc ?? '', where, why];
}

/** Actions that do something, by the step in which they can be carried out at the earliest. */
export function stepLines({ actions, orderings }: Transition): readonly string[] {
  const waitsFor: number[] = actions.map(() => 0);
  const next: number[][] = actions.map(() => []);
  for (const [first, then] of orderings) {
    next[first]?.push(then);
    waitsFor[then] = (waitsFor[then] ?? 0) + 1;
  }
  const step: number[] = actions.map(() => 1);
  const ready = [...actions.keys()].filter((index) => waitsFor[index] === 0);
  for (const index of ready) {
    const isReal = actions[index]?.kind !== 'pseudo';
    for (const then of next[index] ?? []) {
      step[then] = Math.max(step[then] ?? 1, (step[index] ?? 1) + (isReal ? 1 : 0));
      waitsFor[then] = (waitsFor[then] ?? 0) - 1;
      if (waitsFor[then] === 0) ready.push(then);
    }
  }
  const real = [...actions.entries()].filter(([, action]) => action.kind !== 'pseudo');
  const sorted = real.toSorted(([a], [b]) => (step[a] ?? 0) - (step[b] ?? 0) || a - b);
  return table(sorted.map(([index, action]) => [`${step[index]}.`, ...actionCells(action)]));
}

function actionCells(action: TransitionAction): readonly string[] {
  const via = action.via === undefined ? '' : ` (through ${action.via})`;
  const on = action.node === undefined ? '' : `${action.kind === 'fence' ? '' : 'on '}${action.node}${via}`;
  const interval = action.intervalMs === undefined ? '' : ` every ${action.intervalMs / 1000}s`;
  const name = action.instance ?? action.resource ?? '';
  if (action.kind === 'fence') return [`fence (${action.operation})`, on];
  const isProbe = action.operation === 'monitor' && action.intervalMs === undefined;
  return [`${isProbe ? 'probe' : action.operation}${interval}`, name, on];
}

function scoreLines(decision: Decision): readonly string[] {
  return table(
    decision.placement.scores.map(({ stage, rsc, node, score }) => [
      stage,
      rsc,
      node ?? '(nowhere)',
      formatScore(score),
    ]),
  );
}

function capacityLines(decision: Decision): readonly string[] {
  return decision.placement.nodes
    .filter(({ free }) => free.size > 0)
    .map(({ node, free }) => `${node.name}: ${[...free].map(([name, amount]) => `${name}=${amount}`).join(' ')}`);
}
