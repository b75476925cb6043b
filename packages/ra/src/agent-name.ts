/** Names of agents as people write them: `ocf:heartbeat:IPaddr2`, `lsb:nginx`, `stonith:external/ipmi`. */
import { fail, ok, type Result } from '@systole/kernel';

export const agentClasses = ['ocf', 'lsb', 'systemd', 'service', 'stonith'] as const;
export type AgentClass = (typeof agentClasses)[number];

/** The same shape as in the CIB's model, whose class may be any word; `isAgentClass` tells ours from others. */
export interface AgentName {
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

export const isAgentClass = (text: string): text is AgentClass => (agentClasses as readonly string[]).includes(text);

/** The provider of the agents that come with systole. */
export const ourProvider = 'systole';

/** An absolute path to an init script, or a name without anything that could lead out of the agents' folders. */
const safeType = /^(?:\/[^\0\n]+|[A-Za-z0-9_][A-Za-z0-9_.@:+\\-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.+-]*)?)$/;
const safeProvider = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;

/**
 * Reads `class:provider:type` or `class:type`. OCF agents need a provider, others have none (one that is written with
 * a fence agent is dropped, as Pacemaker does). `systemd:` units may hold colons of their own.
 */
export function parseAgentName(text: string): Result<AgentName, string> {
  const [agentClass = '', ...rest] = text.trim().split(':');
  if (!isAgentClass(agentClass)) {
    return fail(`"${text}": the class of an agent is one of ${agentClasses.join(', ')}`);
  }
  const provider = rest.length > 1 && agentClass !== 'systemd' ? rest[0] : undefined;
  const type = provider === undefined ? rest.join(':') : rest.slice(1).join(':');
  return checkAgentName({
    class: agentClass,
    ...(provider === undefined || agentClass !== 'ocf' ? {} : { provider }),
    type,
  });
}

/** Says why a name cannot be an agent's, in a sentence for its author. */
export function checkAgentName(name: AgentName): Result<AgentName, string> {
  const text = formatAgentName(name);
  if (!isAgentClass(name.class)) return fail(`"${text}": no class of agents is called ${name.class}`);
  if (name.class === 'ocf' && (name.provider ?? '') === '') {
    return fail(`"${text}": an OCF agent needs a provider, such as ocf:heartbeat:${name.type}`);
  }
  if (name.provider !== undefined && name.provider !== '' && !safeProvider.test(name.provider)) {
    return fail(`"${text}": "${name.provider}" cannot be a provider`);
  }
  if (!safeType.test(name.type) || (name.type.startsWith('/') && name.class !== 'lsb') || name.type.includes('..')) {
    return fail(`"${text}": "${name.type}" cannot be an agent's type`);
  }
  return ok(name);
}

export function formatAgentName(name: AgentName): string {
  return name.provider === undefined || name.provider === ''
    ? `${name.class}:${name.type}`
    : `${name.class}:${name.provider}:${name.type}`;
}

export const isSameAgent = (a: AgentName, b: AgentName): boolean => formatAgentName(a) === formatAgentName(b);
