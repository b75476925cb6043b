/**
 * Timeouts that are shorter than the agent advises. A start that is cut off counts as failed, and a stop that is cut off
 * ends in fencing, so these are told; they stay warnings, since the operator may know his service better.
 */
import type { AgentName, Configuration, Operation, Primitive, Template } from '@systole/cib';
import { formatDuration, parseDuration } from '@systole/kernel';
import { type AgentDescription, formatAgentName } from '@systole/ra';
import { fromConfiguration } from '../language/items.ts';
import type { Finding } from './finding.ts';

/** What holds where nothing is configured. */
const DEFAULT_TIMEOUT = '20s';

/** Operations that always happen, configured or not. */
const always = ['start', 'stop'];

/** `describe`: what the agent says of itself; undefined where it is not on this machine. */
export function lintTimeouts(
  configuration: Configuration,
  describe: (agent: AgentName) => AgentDescription | undefined,
): readonly Finding[] {
  const items = fromConfiguration(configuration);
  const templates = new Map(
    items.flatMap((item) => (item.kind === 'template' ? [[item.id, item.value] as const] : [])),
  );
  const primitives = items.flatMap((item): readonly (Primitive | Template)[] =>
    item.kind === 'primitive' || item.kind === 'template' ? [item.value] : [],
  );
  const fallback = pairOf(configuration.operationDefaults, 'timeout') ?? DEFAULT_TIMEOUT;
  return primitives.flatMap((primitive) => {
    const template = primitive.kind === 'primitive' ? templates.get(primitive.template ?? '') : undefined;
    const agent = primitive.agent ?? template?.agent;
    const description = agent && describe(agent);
    return description === undefined ? [] : findings(primitive, agent as AgentName, description, fallback);
  });
}

function findings(
  primitive: Primitive | Template,
  agent: AgentName,
  description: AgentDescription,
  fallback: string,
): readonly Finding[] {
  const { list, idRef } = primitive.operations;
  const isWhole = idRef === undefined && primitive.agent !== undefined;
  const missing = always.filter((name) => isWhole && !list.some((operation) => operation.name === name));
  const wanted: readonly Pick<Operation, 'name' | 'timeout' | 'role'>[] = [
    ...list.filter((operation) => operation.enabled !== false && operation.idRef === undefined),
    ...missing.map((name) => ({ name })),
  ];
  return wanted.flatMap((operation): readonly Finding[] => {
    const { name, role } = operation;
    const written =
      operation.timeout ?? ('meta' in operation ? pairOf(operation.meta as Operation['meta'], 'timeout') : undefined);
    const timeout = parseDuration(written ?? fallback);
    const advised = adviceFor(description, name, role);
    if (advised === undefined || !timeout.ok || timeout.value >= advised) return [];
    const now = written === undefined ? `${fallback}, the default` : written;
    return [
      {
        level: 'warning',
        id: primitive.id,
        text: `${primitive.id}: ${name}${role === undefined ? '' : ` (${role})`} may take ${now}; ${formatAgentName(agent)} advises ${formatDuration(advised)}`,
        advice: `set timeout=${formatDuration(advised)} for its ${name}, or more`,
      },
    ];
  });
}

const pairOf = (sets: Configuration['operationDefaults'], name: string): string | undefined =>
  sets
    .filter((set) => set.rule === undefined)
    .flatMap((set) => set.pairs)
    .find((pair) => pair.name === name)?.value;

/** That of the role where the agent has one for it; else the least of that action. */
function adviceFor(description: AgentDescription, name: string, role: string | undefined): number | undefined {
  const same = description.actions.filter((action) => action.name === name && action.timeoutMs !== undefined);
  const own = same.filter((action) => role !== undefined && action.role === role);
  const times = (own.length > 0 ? own : same).map(({ timeoutMs = 0 }) => timeoutMs);
  return times.length === 0 ? undefined : Math.min(...times);
}
