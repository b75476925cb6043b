/** The real terminal. */
import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { Terminal } from './context.ts';

/** Writes all of it before it returns, so that nothing is lost when the program ends; waits out a full pipe. */
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      // The reader has gone, as `| head` does: nobody is left to tell.
      else if (code === 'EPIPE') process.exit(0);
      else throw error;
    }
  }
}

export const terminal: Terminal = {
  out: (text) => writeAll(1, text),
  error: (text) => writeAll(2, text),
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  isTerminal: process.stdout.isTTY,
  ask: async (question, answers) => {
    const { createInterface } = await import('node:readline/promises');
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      for (;;) {
        const given = (await reader.question(`${question} (${answers.join('/')}) `)).trim().toLowerCase();
        if (given === '') return answers[0] ?? '';
        const answer = answers.find((each) => each.startsWith(given));
        if (answer !== undefined) return answer;
      }
    } finally {
      reader.close();
    }
  },
  lend: (run) => run(),
  readInput: () => readFileSync(0, 'utf8'),
};
