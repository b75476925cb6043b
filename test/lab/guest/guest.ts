/**
 * A program of ours in a guest with a kernel of its own (`run`), as the tests see it: what it finds out, as lines of JSON
 * `{"found": …, "value": …}`, and when it is over.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../support/repository.ts';

export interface Guest extends AsyncDisposable {
  /** Fulfilled when the guest has said this, with what it found. @rejects if it ends before. */
  found(what: string): Promise<unknown>;
  /** Fulfilled when the guest is no more: with its program's exit status, 125 if it was reset. */
  readonly ended: Promise<number | null>;
  /** All that was found so far. */
  readonly all: ReadonlyMap<string, unknown>;
  /** Everything that was printed so far. */
  readonly text: () => string;
}

/** `program`: its path in the checkout, and its arguments. */
export function startGuest(
  program: readonly string[],
  { seconds, disk }: { readonly seconds: number; readonly disk?: string },
): Guest {
  const [path = '', ...rest] = program;
  const options = ['-t', String(seconds), ...(disk === undefined ? [] : ['-d', disk])];
  const child = spawn(join(import.meta.dirname, 'run'), [...options, process.execPath, join(root, path), ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const all = new Map<string, unknown>();
  const waiting = new Map<string, (value: unknown) => void>();
  const hear = (line: string): void => {
    said.push(line);
    if (!line.startsWith('{"found"')) return;
    const { found, value } = JSON.parse(line) as { readonly found: string; readonly value: unknown };
    all.set(found, value);
    waiting.get(found)?.(value);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', hear);
  // Not when it exits, but when all it has said is read.
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const text = (): string => said.join('\n');
  return {
    ended,
    all,
    text,
    found: (what) =>
      all.has(what)
        ? Promise.resolve(all.get(what))
        : new Promise((resolve, reject) => {
            waiting.set(what, resolve);
            void ended.then((code) => reject(new Error(`the guest ended (${code}) before "${what}":\n${text()}`)));
          }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) child.kill();
      await ended;
    },
  };
}
