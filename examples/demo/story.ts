/** Tells the story on the terminal: what the cluster says, in the order in which it happened, with times since the fault. */
import { styleText } from 'node:util';
import type { LogLine } from '../../test/lab/cluster.ts';

/** Log lines that a person wants to see; several nodes say the same thing, the first to say it is heard. */
const told = new Set([
  'node.lost',
  'node.left',
  'node.joined',
  'node.fenced',
  'dc.elected',
  'fencing.requested',
  'fencing.failed',
  'transition.started',
  'transition.ended',
  'operation.done',
  'resource.failed',
  'cluster.settled',
  'quorum.lost',
  'quorum.held',
]);

export class Story {
  #origin = Date.now();
  #said = new Set<string>();

  /** Times are told from here on; what was said before may be said again. */
  begin(): void {
    this.#origin = Date.now();
    this.#said = new Set();
  }

  chapter(text: string): void {
    process.stdout.write(`\n${styleText('bold', text)}\n`);
  }

  say(text: string): void {
    process.stdout.write(`  ${text}\n`);
  }

  hear(line: LogLine): void {
    if (!told.has(line.event)) return;
    const key = `${line.event} ${line.msg}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    const seconds = ((line.time - this.#origin) / 1000).toFixed(3).padStart(8);
    const colour = line['level'] === 'info' ? 'gray' : 'yellow';
    process.stdout.write(`  ${seconds}s  ${line.node.padEnd(6)} ${styleText(colour, line.msg)}\n`);
  }
}
