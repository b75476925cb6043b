/**
 * How long resources were up, from the events of the cluster. A resource is up while some instance of it runs; it goes
 * down when the last stops, fails, or is on a node that is lost. What was stopped on purpose counts as down as well:
 * users do not ask why. Nothing is known of the time before the oldest event.
 */
import type { EventRow, ResourceRow } from '@systole/api';

export interface Outage {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

export interface Availability {
  readonly resource: string;
  readonly since: number;
  readonly percent: number;
  readonly downMs: number;
  readonly outages: readonly Outage[];
  readonly meanRepairMs?: number;
}

export interface MeasureInput {
  readonly events: readonly EventRow[];
  readonly resources: readonly ResourceRow[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly since?: number;
}

const word = (field: unknown): string => (typeof field === 'string' ? field : '');

const base = (id: string): string => id.replace(/:\d+$/, '');

export function measure({ events, resources, now, since }: MeasureInput): readonly Availability[] {
  const names = [...new Set(resources.map(({ id }) => base(id)))];
  return names.map((name) => measureOne(name, events, now, since));
}

function measureOne(name: string, events: readonly EventRow[], now: number, since: number | undefined): Availability {
  const up = new Set<string>();
  let first: number | undefined;
  let downSince: number | undefined;
  let cause = '';
  const outages: Outage[] = [];
  const settle = (at: number, why: string): void => {
    if (up.size > 0) {
      first ??= at;
      if (downSince !== undefined) outages.push({ from: downSince, to: at, cause });
      downSince = undefined;
    } else if (first !== undefined && downSince === undefined) [downSince, cause] = [at, why];
  };
  for (const event of withDeaths(events)) {
    change(up, name, event);
    settle(event.at, event.text);
  }
  if (downSince !== undefined) outages.push({ from: downSince, to: now, cause });
  const from = Math.max(first ?? now, since ?? 0);
  const counted = outages
    .filter(({ to }) => to > from)
    .map((outage) => ({ ...outage, from: Math.max(outage.from, from) }));
  const downMs = counted.reduce((sum, outage) => sum + outage.to - outage.from, 0);
  const total = now - from;
  const repaired = counted.filter(({ to }) => to < now);
  return {
    resource: name,
    since: from,
    percent: total <= 0 ? 100 : (100 * (total - downMs)) / total,
    downMs,
    outages: counted,
    ...(repaired.length === 0
      ? {}
      : { meanRepairMs: repaired.reduce((sum, { from: a, to }) => sum + to - a, 0) / repaired.length }),
  };
}

/**
 * A machine that boots has been down since it was last seen alive, even if nobody was left to tell: then all of a
 * cluster has died.
 */
function withDeaths(events: readonly EventRow[]): readonly EventRow[] {
  const deaths = events.flatMap((row): readonly EventRow[] => {
    const { lastAlive, hasRebooted } = row.fields;
    if (row.event !== 'daemon.started' || hasRebooted !== true || typeof lastAlive !== 'number') return [];
    const text = `${word(row.fields['node'])} went down without a word`;
    return [{ ...row, at: lastAlive, event: 'node.lost', text }];
  });
  return deaths.length === 0 ? events : [...events, ...deaths].toSorted((a, b) => a.at - b.at);
}

/** `up` holds the nodes on which some instance runs. */
function change(up: Set<string>, name: string, { event, fields }: EventRow): void {
  const node = word(fields['node']);
  if (event === 'node.lost' || event === 'node.left' || event === 'node.fenced') {
    up.delete(node);
    return;
  }
  if (base(word(fields['resource'])) !== name) return;
  const operation = word(fields['operation']);
  if (event === 'resource.failed') up.delete(node);
  else if (event === 'resource.found') up.add(node);
  else if (event === 'operation.done' && Number(fields['exitCode'] ?? 1) === 0) {
    if (operation === 'start' || operation === 'promote' || operation === 'migrate_from') up.add(node);
    else if (operation === 'stop' || operation === 'migrate_to') up.delete(node);
  }
}
