/**
 * One timeline of all nodes. What several tell in the same words at the same time is one event; the earliest clock
 * counts. What only some tell keeps their names: a line that one node alone knows is often the one that is looked for.
 */
import type { EventRow, GatheredPart } from '@systole/api';

export interface TimelineRow extends EventRow {
  /** Who tells it, sorted. */
  readonly tellers: readonly string[];
}

/** The same event reaches all members within milliseconds; clocks may differ by more. */
const SAME_MS = 2000;

export function mergeTimelines(parts: readonly GatheredPart[]): readonly TimelineRow[] {
  const all = parts
    .flatMap(({ node, events = [] }) => events.map((row) => ({ row, node })))
    .toSorted(
      (a, b) => a.row.at - b.row.at || (a.node < b.node ? -1 : a.node > b.node ? 1 : a.row.number - b.row.number),
    );
  const rows: (Omit<TimelineRow, 'tellers'> & { tellers: string[] })[] = [];
  const open = new Map<string, (typeof rows)[number]>();
  for (const { row, node } of all) {
    const key = `${row.event} ${row.text}`;
    const same = open.get(key);
    if (same !== undefined && row.at - same.at <= SAME_MS && !same.tellers.includes(node)) {
      same.tellers.push(node);
      continue;
    }
    const merged = { ...row, tellers: [node] };
    rows.push(merged);
    open.set(key, merged);
  }
  return rows.map((row) => ({ ...row, tellers: row.tellers.toSorted() }));
}

export interface TransitionTold {
  readonly id: string;
  readonly number: string;
  readonly leader: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly actions: number;
  readonly cause: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly done?: number;
  readonly failed?: number;
  readonly skipped?: number;
}

const word = (value: unknown): string => (typeof value === 'string' ? value : '');
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** By number, which begins anew with each leader (the newest is meant), by id, or from the last: 0 is the last, -1 the one before. */
export function chooseTransition(rows: readonly TransitionTold[], wanted = '0'): TransitionTold | undefined {
  if (/^(0|-\d+)$/.test(wanted)) return rows[rows.length - 1 + Number(wanted)];
  return rows.findLast(({ number, id }) => number === wanted || id === wanted);
}

/** What a transition had to do with: resources, nodes and operations of its events, and `error` if something failed. */
export function tagsOf(events: readonly EventRow[]): readonly string[] {
  const tags = events.flatMap(({ level, fields }) => [
    ...['resource', 'node', 'target', 'operation'].map((name) => word(fields[name])),
    level === 'error' ? 'error' : '',
  ]);
  return [...new Set(tags)].filter((tag) => tag !== '').toSorted();
}

/** Transitions, from what their leaders told of them; so they outlive their leaders. */
export function transitionsIn(rows: readonly TimelineRow[]): readonly TransitionTold[] {
  const found = new Map<string, TransitionTold>();
  for (const { event, text, fields, at, tellers } of rows) {
    const id = word(fields['transition']);
    if (event === 'transition.started') {
      const number = /^transition (\d+)/.exec(text)?.[1] ?? '';
      const { actions, cause } = fields;
      found.set(id, {
        id,
        number,
        leader: tellers[0] ?? '',
        startedAt: at,
        actions: count(actions),
        cause: word(cause),
      });
    }
    const begun = event === 'transition.ended' ? found.get(id) : undefined;
    if (begun === undefined) continue;
    const reason = /^transition \d+ \S+: (.*)$/s.exec(text)?.[1];
    found.set(id, {
      ...begun,
      endedAt: at,
      outcome: word(fields['outcome']),
      done: count(fields['done']),
      failed: count(fields['failed']),
      skipped: count(fields['skipped']),
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return [...found.values()];
}
