/**
 * A cluster of three simulated nodes with one service, a fault, and what the cluster tells of it. Times are left out, and
 * of what all nodes say alike one line is kept, so that a story changes only when what happens changes.
 */
import { type Fault, type Plan, type PlanEntry, run, shipped } from '@systole/simulator';

export interface Story {
  /** Broken law, if any. */
  readonly violation: string | undefined;
  /** `NODE text`, or `text` of the world, in order, from the first fault on. */
  readonly lines: readonly string[];
  /** Milliseconds from the first fault to the first line that contains `text`. */
  after(text: string): number | undefined;
}

const told = /^(?:node|dc|quorum|fencing|transition|operation|resource|cluster)\./;

export function story(...faults: readonly Fault[]): Story {
  const entries: readonly PlanEntry[] = faults.map((fault, index) => ({ at: 5000 + index * 50, fault }));
  const plan: Plan = {
    seed: 1,
    settings: {
      nodes: 3,
      links: 1,
      multicast: true,
      fencing: true,
      noQuorumPolicy: 'stop',
      quorum: 'majority',
      resources: [{ id: 'web', kind: 'primitive', members: [], stickiness: 100, migrationThreshold: 3, prefers: 1 }],
      loadMs: 0,
      isSealed: false,
    },
    faultsMs: 20_000,
    entries,
  };
  const { transcript, violation } = run(plan, shipped);
  const rows = transcript.lines().map((line) => {
    const [, at = '0', who = '', text = ''] = /^\s*([\d.]+)s {2}(\S*)\s+(.*)$/.exec(line) ?? [];
    return { at: Number(at) * 1000, who, text };
  });
  const begin = rows.findIndex(({ text }) => text.startsWith('FAULT'));
  const since = rows.slice(Math.max(0, begin));
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const { who, text } of since) {
    const isSaid = told.test(text);
    const line = isSaid ? text : `${who} ${text}`.trim();
    if (isSaid && seen.has(line)) continue;
    seen.add(line);
    lines.push(line);
  }
  return {
    violation: violation === undefined ? undefined : `${violation.law}: ${violation.text}`,
    lines,
    after: (text) => {
      const found = since.find((row) => row.text.includes(text));
      return found && found.at - (since[0]?.at ?? 0);
    },
  };
}

/** The patterns that are not found, each after the one before it. Empty: the story is told in this order. */
export function missing({ lines }: Story, ...patterns: readonly RegExp[]): readonly string[] {
  let from = 0;
  for (const pattern of patterns) {
    const found = lines.findIndex((line, at) => at >= from && pattern.test(line));
    if (found < 0) return [`${pattern.source} does not come after line ${from} of:`, ...lines.slice(0, 80)];
    from = found + 1;
  }
  return [];
}
