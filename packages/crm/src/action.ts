/** An action of a transition as the parts that carry it out need it. */
import type { AgentName } from '@systole/cib';
import type { TransitionAction } from '@systole/pe';

/**
 * The name that an action's resource has in the history and towards its agent: the configured one for all anonymous
 * instances of a clone (one a node, whatever its number this time), the instance's own where instances differ.
 * With the number in it a failure counted on one instance was cleared on another, for ever (simulator, seed 72).
 */
export const historyName = ({ key, operation, resource }: TransitionAction): string => {
  if (resource !== undefined) return resource;
  const head = /^(.*)_(\d+)$/.exec(key)?.[1] ?? key;
  return head.endsWith(`_${operation}`) ? head.slice(0, -operation.length - 1) : head;
};

/** `class:provider:type`, taken apart. */
export function agentName({ agent }: TransitionAction): AgentName | undefined {
  const parts = agent?.split(':') ?? [];
  const [agentClass, second, third] = parts;
  if (agentClass === undefined || second === undefined) return undefined;
  return third === undefined
    ? { class: agentClass, type: second }
    : { class: agentClass, provider: second, type: parts.slice(2).join(':') };
}

const interval = /_(\d+)$/;

/** What a `cancel` takes back. */
export function cancelled(action: TransitionAction): {
  readonly resource: string;
  readonly operation: string;
  readonly intervalMs: number;
} {
  const { key, meta } = action;
  const intervalMs = Number(meta['interval'] ?? interval.exec(key)?.[1] ?? 0);
  const operation = meta['operation'] ?? 'monitor';
  const head = key.replace(interval, '');
  const known = [`_${operation}`, '_cancel'].find((ending) => head.endsWith(ending));
  return { resource: known === undefined ? head : head.slice(0, -known.length), operation, intervalMs };
}
