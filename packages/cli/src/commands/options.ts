/** Cluster options that this shell explains: meaning and default. Others are kept and shown as they are. */
import { isOptions, type Item } from '../language/items.ts';

export interface OptionInfo {
  readonly name: string;
  /** Names it had before. */
  readonly former?: string;
  readonly fallback: string;
  readonly meaning: string;
}

export const knownOptions: readonly OptionInfo[] = [
  {
    name: 'fencing-enabled',
    former: 'stonith-enabled',
    fallback: 'true',
    meaning: 'fence nodes that are lost, before their resources are recovered',
  },
  {
    name: 'fencing-action',
    former: 'stonith-action',
    fallback: 'reboot',
    meaning: 'what is done to a node that is fenced: reboot or off',
  },
  {
    name: 'fencing-timeout',
    former: 'stonith-timeout',
    fallback: '60s',
    meaning: 'how long a fencing action may take',
  },
  { name: 'concurrent-fencing', fallback: 'true', meaning: 'fence several nodes at once' },
  {
    name: 'priority-fencing-delay',
    fallback: '0',
    meaning: 'how much later the node with the more important resources is fenced, in a cluster of two',
  },
  {
    name: 'startup-fencing',
    fallback: 'true',
    meaning: 'fence nodes that have not been seen since the cluster started',
  },
  {
    name: 'no-quorum-policy',
    fallback: 'stop',
    meaning: 'what a partition without quorum does: stop, freeze, ignore, demote, fence',
  },
  {
    name: 'symmetric-cluster',
    fallback: 'true',
    meaning: 'resources may run anywhere unless a location says otherwise',
  },
  { name: 'maintenance-mode', fallback: 'false', meaning: 'leave all resources alone' },
  { name: 'stop-all-resources', fallback: 'false', meaning: 'stop everything' },
  {
    name: 'stop-removed-resources',
    former: 'stop-orphan-resources',
    fallback: 'true',
    meaning: 'stop what is no longer configured',
  },
  {
    name: 'cancel-removed-actions',
    former: 'stop-orphan-actions',
    fallback: 'true',
    meaning: 'cancel recurring actions that are no longer configured',
  },
  { name: 'start-failure-is-fatal', fallback: 'true', meaning: 'a node where a start failed is not tried again' },
  { name: 'enable-startup-probes', fallback: 'true', meaning: 'look at what runs where before anything is started' },
  {
    name: 'placement-strategy',
    fallback: 'default',
    meaning: 'how capacities count: default, utilization, minimal, balanced',
  },
  {
    name: 'node-health-strategy',
    fallback: 'none',
    meaning: 'how health attributes count: none, migrate-on-red, only-green, progressive, custom',
  },
  { name: 'node-health-base', fallback: '0', meaning: 'base score with node-health-strategy progressive' },
  {
    name: 'node-pending-timeout',
    fallback: '0',
    meaning: 'fence a node that has not finished joining after so long; 0 is never',
  },
  { name: 'shutdown-lock', fallback: 'false', meaning: 'resources of a node that is shut down wait for it' },
  { name: 'shutdown-lock-limit', fallback: '0', meaning: 'how long they wait; 0 is for ever' },
  { name: 'cluster-recheck-interval', fallback: '15min', meaning: 'how often to look again, for rules with dates' },
  {
    name: 'cluster-delay',
    fallback: '60s',
    meaning: 'how much longer than its own timeout an action on another node may take',
  },
  { name: 'batch-limit', fallback: '0', meaning: 'how many actions run at once; 0 is by load' },
  { name: 'migration-limit', fallback: '-1', meaning: 'how many migrations run at once on a node; -1 is any number' },
  { name: 'enable-acl', fallback: 'false', meaning: 'enforce roles and users' },
];

/** The value in force, or the default; undefined for an unknown option that is not set. */
export function readOption(items: readonly Item[], name: string): string | undefined {
  const info = knownOptions.find((option) => option.name === name || option.former === name);
  const names = info === undefined ? [name] : [info.name, ...(info.former === undefined ? [] : [info.former])];
  for (const item of items) {
    if (!isOptions(item) || item.kind !== 'options' || item.value.rule !== undefined) continue;
    const pair = item.value.pairs.find((each) => names.includes(each.name ?? ''));
    if (pair?.value !== undefined) return pair.value;
  }
  return info?.fallback;
}
