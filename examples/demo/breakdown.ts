/** What an outage was made of, from the survivors' logs and the client's answers. All clocks are one machine's. */
import type { LogLine } from '../../test/lab/cluster.ts';

export interface Phase {
  readonly name: string;
  readonly ms: number;
}

/** The log lines that end the phases, in their order. */
const ends: readonly (readonly [string, (line: LogLine) => boolean])[] = [
  ['detect: silence until the others agree that the node is lost', (line) => line.event === 'node.lost'],
  ['decide: until fencing is asked for', (line) => line.event === 'fencing.requested'],
  ['fence: until the power switch has proved it', (line) => line.event === 'node.fenced'],
  [
    'start: until the last resource runs elsewhere',
    (line) => line.event === 'operation.done' && line['operation'] === 'start',
  ],
];

/** Phases from the fault to the first good answer. A phase whose end nobody logged is told with the one after it. */
export function breakdown(log: readonly LogLine[], fault: number, firstGood: number): readonly Phase[] {
  const phases: Phase[] = [];
  let from = fault;
  let skipped = '';
  for (const [name, isEnd] of ends) {
    const lines = log.filter((line) => line.time >= fault && line.time <= firstGood + 50 && isEnd(line));
    // Of several starts the last counts; everything else is over when the first node says so.
    const line = name.startsWith('start') ? lines.at(-1) : lines[0];
    if (line === undefined) {
      skipped += `${name}, and `;
      continue;
    }
    phases.push({ name: skipped + name, ms: Math.max(0, line.time - from) });
    skipped = '';
    from = Math.max(from, line.time);
  }
  phases.push({ name: `${skipped}announce: until the client is answered again`, ms: Math.max(0, firstGood - from) });
  return phases;
}
