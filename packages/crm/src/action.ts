/** An action of a transition as the parts that carry it out need it. */
import type { AgentName } from '@systole/cib';
import type { TransitionAction } from '@systole/pe';

/** The name that the resource has in the history. */
export const historyName = ({ key, operation, instance, resource }: TransitionAction): string => {
  // RESOURCE_OPERATION_INTERVAL is the authority: anonymous clones share one name in the history.
  const notified = /^(.*)_(?:confirmed-)?(?:pre|post)_notify_/.exec(key)?.[1];
  if (notified !== undefined) return notified;
  const match = /^(.*)_(\d+)$/.exec(key);
  const head = match?.[1] ?? key;
  return head.endsWith(`_${operation}`) ? head.slice(0, -operation.length - 1) : (instance ?? resource ?? head);
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
