/** The world for `simulate`: files, standard streams, the clock, and the running cluster. */
import type { Cib } from '@systole/cib';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { SimulateHost } from './simulate.ts';

/** `liveCib` asks the daemon; without one `--live` says that it cannot. */
export function simulateHost(liveCib?: () => Promise<Cib>): SimulateHost {
  return {
    readFile: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
    writeFile: (path, text) => {
      writeFileSync(path, text);
    },
    write: (text) => {
      process.stdout.write(text);
    },
    writeError: (text) => {
      process.stderr.write(text);
    },
    lines: () => createInterface({ input: process.stdin }),
    liveCib: liveCib ?? (() => Promise.reject(new Error('no cluster is running here'))),
    now: () => Date.now(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}
