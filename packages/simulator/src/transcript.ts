/** The run as text: one line an event that a person would tell the story with. Bounded; the fingerprint covers all of it. */
import { Fingerprint } from './draw.ts';

export interface TranscriptLine {
  readonly at: number;
  /** A node's name; empty for the world. */
  readonly who: string;
  readonly text: string;
}

/** Lines kept; beyond that the oldest go. A run of 60 virtual seconds under faults writes some 2000. */
const LINES_MAX = 50_000;

export class Transcript {
  readonly #lines: TranscriptLine[] = [];
  readonly #print = new Fingerprint();
  #dropped = 0;

  add(at: number, who: string, text: string): void {
    this.#print.add(`${at} ${who} ${text}\n`);
    this.#lines.push({ at, who, text });
    if (this.#lines.length > LINES_MAX) {
      this.#lines.splice(0, LINES_MAX / 2);
      this.#dropped += LINES_MAX / 2;
    }
  }

  /** The same for two runs only if they told the same story. */
  get fingerprint(): string {
    return this.#print.toString();
  }

  lines(from = 0, to = Infinity): readonly string[] {
    const chosen = this.#lines.filter(({ at }) => at >= from && at <= to);
    const width = Math.max(4, ...chosen.map(({ who }) => who.length));
    const head = this.#dropped > 0 ? [`(${this.#dropped} earlier lines are not kept)`] : [];
    return [
      ...head,
      ...chosen.map(({ at, who, text }) => `${(at / 1000).toFixed(3).padStart(9)}s  ${who.padEnd(width)}  ${text}`),
    ];
  }
}
