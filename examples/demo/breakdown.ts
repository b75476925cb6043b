/** What an outage was made of, from the survivors' logs and the client's answers. All clocks are one machine's. */
import type { LogLine } from '../../test/lab/cluster.ts';

export interface Phase {
  readonly name: string;
  readonly ms: number;
}

export interface Story {
  readonly log: readonly LogLine[];
  /** When the plug was pulled, and when the service was back. */
  readonly fault: number;
  readonly back: number;
  /** The resource whose start is told as a phase of its own. */
  readonly resource: string;
}

/** Phases from the fault until the service was back. A phase whose end nobody logged is told with the one after it. */
export function breakdown({ log, fault, back, resource }: Story): readonly Phase[] {
  const ends: readonly (readonly [string, (line: LogLine) => boolean])[] = [
    ['detect: silence until the others agree that the node is lost', (line) => line.event === 'node.lost'],
    ['decide: until fencing is asked for', (line) => line.event === 'fencing.requested'],
    ['fence: until the power switch has proved it', (line) => line.event === 'node.fenced'],
    [
      `start ${resource}: until its agent is done and all know`,
      (line) => line.event === 'operation.done' && line['operation'] === 'start' && line['resource'] === resource,
    ],
  ];
  const phases: Phase[] = [];
  let from = fault;
  let untold = '';
  for (const [name, isEnd] of ends) {
    const line = log.find((one) => one.time >= fault && one.time <= back && isEnd(one));
    if (line === undefined) {
      untold += `${name}, and `;
    } else {
      phases.push({ name: untold + name, ms: Math.max(0, line.time - from) });
      untold = '';
      from = Math.max(from, line.time);
    }
  }
  if (back > from) phases.push({ name: `${untold}start the rest: until the service is back`, ms: back - from });
  return phases;
}
