/**
 * "What if": a copy of the CIB with changes that have not happened: nodes that come or go, results of operations,
 * quorum, tickets. As crm_simulate does it (Pacemaker's lib/pacemaker/pcmk_injections.c).
 */
import type { AgentName, Cib, CibHeader, TicketState } from '@systole/cib';
import { fail, ok, type Result } from '@systole/kernel';
import { withoutNumber } from '../config/values.ts';
import type { PrimitiveInstance } from '../expand/instance.ts';
import { readSituation } from '../status/read.ts';
import { StatusDraft } from './records.ts';

export interface Injections {
  /** Nodes that come up, leave cleanly (and forget what ran there), or are lost. */
  readonly nodesUp?: readonly string[];
  readonly nodesDown?: readonly string[];
  readonly nodesFailed?: readonly string[];
  /** `RESOURCE_OPERATION_INTERVAL@NODE=EXITCODE`: results that arrive before the decision. */
  readonly results?: readonly string[];
  readonly hasQuorum?: boolean;
  readonly hasWatchdog?: boolean;
  readonly ticketsGranted?: readonly string[];
  readonly ticketsRevoked?: readonly string[];
  readonly ticketsStandby?: readonly string[];
  readonly ticketsActive?: readonly string[];
  /** `NODE:NAME=AMOUNT` or `RESOURCE:NAME=AMOUNT`: capacities and demands. */
  readonly utilization?: readonly string[];
}

export interface ResultSpec {
  readonly resource: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly node: string;
  readonly exitCode: number;
}

const form = /^(.+?)_(migrate_(?:to|from)|[a-z]+(?:-[a-z]+)*)_(\d+)@([^=]+)=(\d{1,3})$/;

/** Reads `web_monitor_10000@alpha=7`. */
export function parseResultSpec(text: string): Result<ResultSpec, string> {
  const match = form.exec(text.trim());
  if (match === null) {
    return fail(`"${text}" is not RESOURCE_OPERATION_INTERVAL@NODE=EXITCODE, such as web_monitor_10000@alpha=7`);
  }
  const [, resource = '', operation = '', interval, node = '', code] = match;
  return ok({ resource, operation, intervalMs: Number(interval), node, exitCode: Number(code) });
}

/** `now`: milliseconds since 1970. Fails with a sentence for each thing that is unknown or malformed. */
export function inject(cib: Cib, injections: Injections, now: number): Result<Cib, readonly string[]> {
  const problems: string[] = [];
  const draft = new StatusDraft(cib);
  const idOf = (name: string): string => {
    const configured = cib.configuration.nodes.find((node) => node.name === name);
    const recorded = cib.status.nodes.find((state) => state.name === name);
    if (configured === undefined && recorded === undefined) problems.push(`there is no node "${name}"`);
    return recorded?.id ?? configured?.id ?? name;
  };
  for (const name of injections.nodesUp ?? []) draft.setMember(name, idOf(name), true);
  for (const name of injections.nodesDown ?? []) {
    const id = idOf(name);
    draft.setMember(name, id, false);
    draft.forget(name, id);
  }
  for (const name of injections.nodesFailed ?? []) draft.setMember(name, idOf(name), true).inCluster = 'false';
  const withResults = injections.results ?? [];
  if (withResults.length > 0) injectResults(cib, draft, withResults, now, idOf, problems);

  const changed = draft.finish();
  const withUtilization = (injections.utilization ?? []).reduce(
    (one, text) => injectUtilization(one, text, problems),
    changed,
  );
  if (problems.length > 0) return fail(problems);
  return ok({
    ...withUtilization,
    header: headerWith(withUtilization.header, injections),
    configuration: {
      ...withUtilization.configuration,
      ...(injections.hasWatchdog === undefined
        ? {}
        : { options: [...withUtilization.configuration.options, watchdog(injections.hasWatchdog)] }),
    },
    status: { ...withUtilization.status, tickets: ticketsWith(withUtilization.status.tickets, injections) },
  });
}

/** An option of a live cluster is in the set that wins; this one has no rival. */
const watchdog = (isThere: boolean) => ({
  id: 'simulated-options',
  score: 1_000_000,
  pairs: [{ name: 'have-watchdog', value: String(isThere) }],
});

const headerWith = (header: CibHeader, { hasQuorum }: Injections): CibHeader =>
  hasQuorum === undefined ? header : { ...header, hasQuorum };

function injectResults(
  cib: Cib,
  draft: StatusDraft,
  specs: readonly string[],
  now: number,
  idOf: (name: string) => string,
  problems: string[],
): void {
  const situation = readSituation(cib, now);
  const primitive = (name: string): PrimitiveInstance | undefined => {
    const found = situation.instanceById.get(name) ?? situation.instanceById.get(`${withoutNumber(name)}:0`);
    return found?.kind === 'primitive' ? found : undefined;
  };
  for (const text of specs) {
    const spec = parseResultSpec(text);
    if (!spec.ok) {
      problems.push(spec.error);
      continue;
    }
    const { resource, operation, intervalMs, node, exitCode } = spec.value;
    const instance = primitive(resource);
    if (instance === undefined) {
      problems.push(`there is no resource "${resource}"`);
      continue;
    }
    const nodeId = idOf(node);
    const agent: AgentName = instance.agent;
    if (exitCode !== 0 && !(exitCode === 7 && intervalMs === 0)) {
      const suffix = `${resource}#${operation}_${intervalMs}`;
      const isFatal = operation === 'stop' || (operation === 'start' && situation.options.isStartFailureFatal);
      const before = Number(draft.transient(node, `fail-count-${suffix}`) ?? 0);
      draft.setTransient(node, nodeId, {
        [`fail-count-${suffix}`]: isFatal ? 'INFINITY' : String((Number.isNaN(before) ? 0 : before) + 1),
        [`last-failure-${suffix}`]: String(situation.now),
      });
    }
    draft.record({
      node,
      nodeId,
      names: [resource],
      agent,
      operation,
      intervalMs,
      exitCode,
      expectedExitCode: 0,
      at: situation.now,
    });
  }
}

function ticketsWith(tickets: readonly TicketState[], injections: Injections): readonly TicketState[] {
  const byId = new Map(tickets.map((ticket) => [ticket.id, ticket]));
  const change = (ids: readonly string[] | undefined, what: Partial<TicketState>): void => {
    for (const id of ids ?? []) byId.set(id, { id, ...byId.get(id), ...what });
  };
  change(injections.ticketsGranted, { isGranted: true });
  change(injections.ticketsRevoked, { isGranted: false });
  change(injections.ticketsStandby, { isStandby: true });
  change(injections.ticketsActive, { isStandby: false });
  return [...byId.values()];
}

function injectUtilization(cib: Cib, text: string, problems: string[]): Cib {
  const match = /^([^:]+):([^=]+)=(-?\d+)$/.exec(text.trim());
  if (match === null) {
    problems.push(`"${text}" is not NAME:ATTRIBUTE=AMOUNT, such as alpha:memory=4096`);
    return cib;
  }
  const [, owner = '', name = '', value = ''] = match;
  const set = { id: 'simulated-utilization', score: 1_000_000, pairs: [{ name, value }] };
  const { configuration } = cib;
  if (configuration.nodes.some((node) => node.name === owner)) {
    const nodes = configuration.nodes.map((node) =>
      node.name === owner ? { ...node, utilization: [...node.utilization, set] } : node,
    );
    return { ...cib, configuration: { ...configuration, nodes } };
  }
  let isFound = false;
  const withSet = <T>(value_: T): T => {
    if (typeof value_ !== 'object' || value_ === null) return value_;
    if (Array.isArray(value_)) return value_.map(withSet) as T;
    const record = value_ as Readonly<Record<string, unknown>>;
    if (record['kind'] === 'primitive' && record['id'] === owner) {
      isFound = true;
      return { ...record, utilization: [...(record['utilization'] as readonly unknown[]), set] } as T;
    }
    if (record['kind'] === undefined) return value_;
    return Object.fromEntries(
      Object.entries(record).map(([key, inner]) =>
        key === 'members' || key === 'member' || key === 'primitive' ? [key, withSet(inner)] : [key, inner],
      ),
    ) as T;
  };
  const resources = configuration.resources.map(withSet);
  if (!isFound) problems.push(`there is no node or primitive "${owner}"`);
  return { ...cib, configuration: { ...configuration, resources } };
}
