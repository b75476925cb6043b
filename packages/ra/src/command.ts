/**
 * An operation as a program to run: path, arguments, environment, standard input. What differs between the classes is
 * here and in `exit-code.ts`, and nowhere else.
 */
import type { OperationContext } from './environment.ts';
import { baseEnvironment, ocfEnvironment } from './environment.ts';
import type { AgentPlaces, LocatedAgent } from './places.ts';
import { unitName } from './places.ts';

export interface AgentCommand {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Empty: none is given. */
  readonly stdin: string;
}

/** A located agent's command for an operation of a resource. */
export function agentCommand(context: OperationContext, located: LocatedAgent, places: AgentPlaces): AgentCommand {
  switch (located.kind) {
    case 'ocf':
      return {
        argv: [located.path, context.operation],
        environment: ocfEnvironment(context, places),
        stdin: '',
      };
    case 'lsb':
      return {
        argv: [located.path, context.operation === 'monitor' ? 'status' : context.operation],
        environment: baseEnvironment(places),
        stdin: '',
      };
    case 'systemd':
      return {
        argv: [located.path, context.operation, unitName(context.agent.type)],
        environment: {
          ...baseEnvironment(places),
          SYSTOLE_TIMEOUT_MS: String(context.timeoutMs),
          SYSTOLE_INTERVAL_MS: String(context.intervalMs),
        },
        stdin: '',
      };
    case 'fence':
    case 'external':
      return fenceCommand({ located, places, action: context.operation, parameters: context.parameters });
  }
}

/** What a fence agent is asked. */
export interface FenceCall {
  readonly located: LocatedAgent;
  readonly places: AgentPlaces;
  /** In the words of fence agents: `off`, `on`, `reboot`, `status`, `monitor`, `list`, `metadata`, … */
  readonly action: string;
  /** As configured; what is meant for the fencer and not for the agent is left out here. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What the agent is told about the target: `plug=3`, `nodename=alpha`. */
  readonly target?: { readonly node: string; readonly argument?: string; readonly value: string };
}

/** Parameters of a device that its agent never sees. */
export const isForFencer = (name: string): boolean =>
  name.startsWith('pcmk_') || name.startsWith('CRM_meta_') || name === 'crm_feature_set' || name === 'action';

/** cluster-glue's plugins have other words for what they do. */
const externalActions: Readonly<Record<string, string>> = { reboot: 'reset', monitor: 'status', list: 'gethosts' };

/**
 * Fence agents read `name=value` lines from standard input: no value is ever an argument, where any user could see it.
 * A parameter set by hand wins over the one that would carry the target.
 */
export function fenceCommand(call: FenceCall): AgentCommand {
  const own = Object.entries(call.parameters).filter(([name]) => !isForFencer(name));
  const oneLine = (value: string): string => value.replaceAll('\n', ' ');
  const environment = { ...baseEnvironment(call.places), PYTHONWARNINGS: 'ignore' };
  if (call.located.kind === 'external') {
    const action = externalActions[call.action] ?? call.action;
    return {
      argv: [call.located.path, action, ...(call.target === undefined ? [] : [call.target.value])],
      environment: { ...environment, ...Object.fromEntries(own) },
      stdin: '',
    };
  }
  const lines = own.map(([name, value]) => `${name}=${oneLine(value)}`);
  if (call.target !== undefined) {
    const { argument, node, value } = call.target;
    if (argument !== undefined && !own.some(([name]) => name === argument)) lines.push(`${argument}=${oneLine(value)}`);
    lines.push(`nodename=${oneLine(node)}`);
  }
  return { argv: [call.located.path], environment, stdin: `action=${call.action}\n${lines.join('\n')}\n` };
}

/** The command by which an agent describes itself; `undefined` where the description is made up without running it. */
export function describeCommand(
  agent: OperationContext['agent'],
  located: LocatedAgent,
  places: AgentPlaces,
): AgentCommand | undefined {
  switch (located.kind) {
    case 'ocf':
      return {
        argv: [located.path, 'meta-data'],
        environment: {
          ...baseEnvironment(places),
          OCF_ROOT: places.ocfRoot,
          OCF_RA_VERSION_MAJOR: '1',
          OCF_RA_VERSION_MINOR: '1',
          OCF_RESOURCE_TYPE: agent.type,
          OCF_RESOURCE_PROVIDER: agent.provider ?? '',
          OCF_RESOURCE_INSTANCE: agent.type,
        },
        stdin: '',
      };
    case 'fence':
      return fenceCommand({ located, places, action: 'metadata', parameters: {} });
    case 'external':
      return fenceCommand({ located, places, action: 'getinfo-xml', parameters: {} });
    case 'systemd':
      return {
        argv: [located.path, 'meta-data', unitName(agent.type)],
        environment: baseEnvironment(places),
        stdin: '',
      };
    case 'lsb':
      return undefined;
  }
}
