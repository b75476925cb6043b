/**
 * `systole simulate`: what the cluster would do, without doing it. From a file, from the running cluster, or for many
 * files after one another (`--batch`); with changes that have not happened ("what if").
 */
import { type Cib, exportCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { inject, type Injections, parseResultSpec, simulate, simulateResult, type Simulation } from '@systole/pe';
import { parseArgs } from 'node:util';
import { graphAsDot } from '../render/graph.ts';
import { renderSimulation } from '../render/simulation.ts';
import { type DecidedFrom, readDecidedFrom } from '../shell/decided.ts';

/** What the command needs of the world. */
export interface SimulateHost {
  readonly readFile: (path: string) => string;
  readonly writeFile: (path: string, text: string) => void;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Lines of standard input, for `--batch`. */
  readonly lines: () => AsyncIterable<string>;
  /** The running cluster's CIB. */
  readonly liveCib: () => Promise<Cib>;
  /** What a transition of the running cluster was decided from. */
  readonly decidedFrom: (transition: string) => Promise<DecidedFrom>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timeZone?: string;
}

/** Exit status: 0 done, 1 the input is wrong, 2 wrong use. */
export type ExitStatus = 0 | 1 | 2;

export const simulateHelp = `systole simulate (--xml FILE | --live | --transition WHICH | --batch) [options]
  what the cluster would do, and how it would be then

  --xml FILE              a CIB: Pacemaker's XML, or ours (JSON); or what a transition was decided from, as
                          history transition save writes it; - is standard input
  --live                  ask the running cluster
  --transition WHICH      what a transition was decided from: its number, its id, last; the one
                          before the last is --transition=-1
  --batch                 one JSON line {"name","xml","at"} in, one JSON line out
  --at TIME               when it is to be (ISO 8601); else the file's own time, else now
  --format text|json
  --scores                why each resource goes where it goes, as numbers
  --utilization           what is left of each node's capacities

  what if
  --node-up NODE  --node-down NODE  --node-fail NODE
  --op-inject RESOURCE_OPERATION_INTERVAL@NODE=EXITCODE    a result that comes before
  --op-fail RESOURCE_OPERATION_INTERVAL@NODE=EXITCODE      an action of the transition that fails
  --quorum yes|no  --watchdog yes|no
  --ticket-grant ID  --ticket-revoke ID  --ticket-standby ID  --ticket-activate ID
  --set-utilization NAME:ATTRIBUTE=AMOUNT                  of a node or a primitive

  --save-graph FILE       the transition; as a picture for Graphviz if FILE ends in .dot
  --save-input FILE       the CIB with the changes, as XML
  --save-output FILE      the CIB afterwards, as XML
`;

const options = {
  xml: { type: 'string' },
  live: { type: 'boolean' },
  transition: { type: 'string' },
  batch: { type: 'boolean' },
  at: { type: 'string' },
  format: { type: 'string' },
  scores: { type: 'boolean' },
  utilization: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  'node-up': { type: 'string', multiple: true },
  'node-down': { type: 'string', multiple: true },
  'node-fail': { type: 'string', multiple: true },
  'op-inject': { type: 'string', multiple: true },
  'op-fail': { type: 'string', multiple: true },
  quorum: { type: 'string' },
  watchdog: { type: 'string' },
  'ticket-grant': { type: 'string', multiple: true },
  'ticket-revoke': { type: 'string', multiple: true },
  'ticket-standby': { type: 'string', multiple: true },
  'ticket-activate': { type: 'string', multiple: true },
  'set-utilization': { type: 'string', multiple: true },
  'save-graph': { type: 'string' },
  'save-input': { type: 'string' },
  'save-output': { type: 'string' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** Something wrong with what was asked or given: said to the user, not a mistake of ours. */
class Wrong extends Error {
  readonly exitStatus: ExitStatus;
  constructor(message: string, exitStatus: ExitStatus) {
    super(message);
    this.exitStatus = exitStatus;
  }
}

export async function runSimulate(args: readonly string[], host: SimulateHost): Promise<ExitStatus> {
  try {
    const values = readArguments(args);
    if (values.help === true) host.write(simulateHelp);
    else if (values.batch === true) await runBatch(host);
    else await runOnce(values, host);
    return 0;
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    host.writeError(`systole simulate: ${error.message}\n`);
    return error.exitStatus;
  }
}

function readArguments(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Wrong(error instanceof Error ? error.message : String(error), 2);
  }
}

async function runOnce(values: Values, host: SimulateHost): Promise<void> {
  const format = values.format ?? 'text';
  if (format !== 'text' && format !== 'json') throw new Wrong(`--format is text or json, not "${format}"`, 2);
  const { cib: given, at, mayBeMasked } = await readInput(values, host);
  const now = values.at === undefined ? at : parseTime(values.at);
  const injections = injectionsOf(values);
  const injected = inject(given, injections, now);
  if (!injected.ok) throw new Wrong(injected.error.join('\n'), 1);
  const cib = injected.value;
  const simulation = simulate(cib, {
    now,
    mayBeMasked,
    failures: failuresOf(values['op-fail'] ?? []),
    ...(host.timeZone === undefined ? {} : { timeZone: host.timeZone }),
  });
  const failures = values['op-fail']?.length ?? 0;
  const missed = failures - simulation.applied.failed.length;
  if (missed > 0)
    host.writeError(`${missed} of ${failures} --op-fail: no such action was carried out, so it did not fail\n`);
  saveFiles(values, host, cib, simulation);
  if (format === 'json') host.write(`${JSON.stringify(resultOf(simulation))}\n`);
  else
    host.write(
      renderSimulation(simulation, {
        showsScores: values.scores === true,
        showsUtilization: values.utilization === true,
      }),
    );
}

const resultOf = ({ decision, before, after }: Simulation) => simulateResult(decision, before, after);

async function readInput(values: Values, host: SimulateHost): Promise<DecidedFrom> {
  const ways = [values.live === true, values.xml !== undefined, values.transition !== undefined];
  if (ways.filter(Boolean).length > 1) throw new Wrong('give one of --xml, --live and --transition', 2);
  if (values.live === true) return { cib: await host.liveCib(), at: host.now(), mayBeMasked: false };
  if (values.transition !== undefined) return await host.decidedFrom(values.transition);
  if (values.xml === undefined)
    throw new Wrong(`give --xml FILE, --live, --transition or --batch\n\n${simulateHelp}`, 2);
  return await readCib(values.xml, host, (text) => host.writeError(`${text}\n`));
}

/** Pacemaker's XML, our own JSON, or the input of a decision. */
async function readCib(
  path: string,
  host: Pick<SimulateHost, 'readFile' | 'now'>,
  remark: (text: string) => void = () => {},
): Promise<DecidedFrom> {
  let text: string;
  try {
    text = host.readFile(path);
  } catch (error) {
    if (error instanceof SystoleError) throw new Wrong(error.message, 1);
    throw new Wrong(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
  try {
    return await readDecidedFrom(text, path, host.now(), remark);
  } catch (error) {
    if (error instanceof SystoleError) throw new Wrong(error.message, 1);
    throw error;
  }
}

function parseTime(text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new Wrong(`"${text}" is not a time; write for example 2026-07-01T00:00:00Z`, 2);
  return time;
}

function yesOrNo(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(?:yes|true|on|1)$/i.test(text)) return true;
  if (/^(?:no|false|off|0)$/i.test(text)) return false;
  throw new Wrong(`--${name} is yes or no, not "${text}"`, 2);
}

function injectionsOf(values: Values): Injections {
  const hasQuorum = yesOrNo('quorum', values.quorum);
  const hasWatchdog = yesOrNo('watchdog', values.watchdog);
  return {
    nodesUp: values['node-up'] ?? [],
    nodesDown: values['node-down'] ?? [],
    nodesFailed: values['node-fail'] ?? [],
    results: values['op-inject'] ?? [],
    ticketsGranted: values['ticket-grant'] ?? [],
    ticketsRevoked: values['ticket-revoke'] ?? [],
    ticketsStandby: values['ticket-standby'] ?? [],
    ticketsActive: values['ticket-activate'] ?? [],
    utilization: values['set-utilization'] ?? [],
    ...(hasQuorum === undefined ? {} : { hasQuorum }),
    ...(hasWatchdog === undefined ? {} : { hasWatchdog }),
  };
}

function failuresOf(specs: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    specs.map((text) => {
      const spec = parseResultSpec(text);
      if (!spec.ok) throw new Wrong(spec.error, 2);
      const { resource, operation, intervalMs, node, exitCode } = spec.value;
      return [`${resource}_${operation}_${intervalMs}@${node}`, exitCode];
    }),
  );
}

function saveFiles(values: Values, host: SimulateHost, input: Cib, simulation: Simulation): void {
  const { transition } = simulation.decision;
  const graph = values['save-graph'];
  if (graph !== undefined) {
    host.writeFile(
      graph,
      graph.endsWith('.dot') ? graphAsDot(transition) : `${JSON.stringify(transition, undefined, 2)}\n`,
    );
  }
  if (values['save-input'] !== undefined) host.writeFile(values['save-input'], exportCib(input));
  if (values['save-output'] !== undefined) host.writeFile(values['save-output'], exportCib(simulation.applied.cib));
}

/** A mistake of ours is told with its place; a mistake in the input has a message of its own. */
const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Each line of input is a case, answered by one line before the next is read. A case that fails does not end the run. */
async function runBatch(host: SimulateHost): Promise<void> {
  for await (const line of host.lines()) {
    if (line.trim() === '') continue;
    let name: unknown;
    try {
      const request = JSON.parse(line) as { readonly name?: unknown; readonly xml?: unknown; readonly at?: unknown };
      ({ name } = request);
      if (typeof request.xml !== 'string') throw new Wrong('the line has no "xml"', 1);
      const { cib, at, mayBeMasked } = await readCib(request.xml, host);
      const now = typeof request.at === 'string' ? parseTime(request.at) : at;
      const result = resultOf(simulate(cib, { now, mayBeMasked }));
      host.write(`${JSON.stringify({ name, result })}\n`);
    } catch (error) {
      host.write(`${JSON.stringify({ name, error: error instanceof Wrong ? error.message : stackOf(error) })}\n`);
    }
  }
}
