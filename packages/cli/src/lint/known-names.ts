/** Options and meta attributes that the cluster reads, and what each may be. Options that people ask for are explained in `commands/options.ts`. */
import { parseDuration } from '@systole/kernel';
import { knownOptions } from '../commands/options.ts';

/** What a value may be: one of some words, or of a kind. */
export type Shape = 'boolean' | 'integer' | 'time' | 'score' | 'text' | readonly string[];

const roles = ['Started', 'Stopped', 'Promoted', 'Unpromoted', 'Master', 'Slave'];

export const metaShapes: Readonly<Record<string, Shape>> = {
  'allow-migrate': 'boolean',
  'allow-unhealthy-nodes': 'boolean',
  critical: 'boolean',
  'failure-timeout': 'time',
  'is-managed': 'boolean',
  maintenance: 'boolean',
  'migration-threshold': 'score',
  'multiple-active': ['block', 'stop_only', 'stop_start', 'stop_unexpected'],
  priority: 'score',
  requires: ['nothing', 'quorum', 'fencing', 'unfencing'],
  'resource-stickiness': 'score',
  'target-role': roles,
};

export const cloneShapes: Readonly<Record<string, Shape>> = {
  'clone-max': 'integer',
  'clone-min': 'integer',
  'clone-node-max': 'integer',
  'globally-unique': 'boolean',
  interleave: 'boolean',
  notify: 'boolean',
  ordered: 'boolean',
  promotable: 'boolean',
  'promoted-max': 'integer',
  'promoted-node-max': 'integer',
};

/** Read as well, but not offered for completion. */
const otherMeta: Readonly<Record<string, Shape>> = {
  'container-attribute-target': 'text',
  is_managed: 'boolean',
  'master-max': 'integer',
  'master-node-max': 'integer',
  'remote-addr': 'text',
  'remote-allow-migrate': 'boolean',
  'remote-connect-timeout': 'time',
  'remote-node': 'text',
  'remote-port': 'integer',
  provides: 'text',
  'resource-failure-stickiness': 'score',
};

export const allMeta: Readonly<Record<string, Shape>> = { ...metaShapes, ...cloneShapes, ...otherMeta };

const enumerations: Readonly<Record<string, readonly string[]>> = {
  'fencing-action': ['reboot', 'off', 'poweroff'],
  'no-quorum-policy': ['stop', 'freeze', 'ignore', 'demote', 'fence', 'suicide'],
  'placement-strategy': ['default', 'utilization', 'minimal', 'balanced'],
  'node-health-strategy': ['none', 'migrate-on-red', 'only-green', 'progressive', 'custom'],
};

function shapeOf({ name, fallback }: { readonly name: string; readonly fallback: string }): Shape {
  const words = enumerations[name];
  if (words !== undefined) return words;
  if (fallback === 'true' || fallback === 'false') return 'boolean';
  if (/(?:timeout|delay|interval)$/.test(name) || name === 'shutdown-lock-limit') return 'time';
  return name.startsWith('node-health') ? 'score' : 'integer';
}

/** Written by the cluster itself, or read by it without being worth an explanation. */
const otherOptions: Readonly<Record<string, Shape>> = {
  'cluster-infrastructure': 'text',
  'cluster-ipc-limit': 'integer',
  'cluster-name': 'text',
  'dc-deadtime': 'time',
  'dc-version': 'text',
  'election-timeout': 'time',
  'fence-reaction': ['stop', 'panic'],
  'fence-remote-without-quorum': 'boolean',
  'fencing-max-attempts': 'integer',
  'fencing-reaction': ['stop', 'panic'],
  'fencing-watchdog-timeout': 'text',
  'have-watchdog': 'boolean',
  'is-managed-default': 'boolean',
  'join-finalization-timeout': 'time',
  'join-integration-timeout': 'time',
  'last-lrm-refresh': 'text',
  'load-threshold': 'text',
  'node-action-limit': 'integer',
  'node-health-green': 'score',
  'node-health-red': 'score',
  'node-health-yellow': 'score',
  'pe-error-series-max': 'integer',
  'pe-input-series-max': 'integer',
  'pe-warn-series-max': 'integer',
  'remove-after-stop': 'boolean',
  'shutdown-escalation': 'time',
  'stonith-max-attempts': 'integer',
  'stonith-watchdog-timeout': 'text',
  'transition-delay': 'time',
};

export const optionShapes: Readonly<Record<string, Shape>> = {
  ...otherOptions,
  ...Object.fromEntries(
    knownOptions.flatMap((option) => [
      [option.name, shapeOf(option)],
      ...(option.former === undefined ? [] : [[option.former, shapeOf(option)] as const]),
    ]),
  ),
};

/** What is wrong with a value, or nothing. */
export function mismatch(value: string, shape: Shape): string | undefined {
  const is = (pattern: RegExp): boolean => pattern.test(value.trim());
  switch (shape) {
    case 'text':
      return undefined;
    case 'boolean':
      return is(/^(?:true|false|yes|no|on|off|y|n|1|0)$/i) ? undefined : 'is neither true nor false';
    case 'integer':
      return is(/^[+-]?\d+$/) ? undefined : 'is not a whole number';
    case 'score':
      return is(/^[+-]?(?:\d+|inf(?:inity)?)$/i) || is(/^(?:red|yellow|green)$/i) ? undefined : 'is not a score';
    case 'time':
      return parseDuration(value).ok ? undefined : 'is not a time; write for example 30s or 5min';
    default:
      return shape.some((word) => word.toLowerCase() === value.trim().toLowerCase())
        ? undefined
        : `is none of ${shape.join(', ')}`;
  }
}
