/** Long answers go through a pager where somebody reads them on a terminal. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './context.ts';
import { readSettings } from './settings.ts';

/** The screen, as far as it is known. */
export interface Screen {
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
}

/** Whether a text and the prompt after it are more than a screen. */
export function isLong(text: string, { rows = 0, columns = 80 }: Screen): boolean {
  if (rows < 2) return false;
  let used = 1;
  for (const line of stripVTControlCharacters(text).trimEnd().split('\n')) {
    used += Math.max(1, Math.ceil(line.length / Math.max(1, columns)));
    if (used > rows) return true;
  }
  return false;
}

/** The pager to use: as set, as the environment says, less if it is here; undefined for none. */
export function pagerCommand(
  setting: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (environment['TERM'] === 'dumb') return undefined;
  const chosen = setting !== '' ? setting : (environment['PAGER'] ?? '');
  if (chosen === 'cat' || chosen === 'no' || chosen === 'none') return undefined;
  if (chosen !== '') return chosen;
  return isOnPath('less', environment['PATH'] ?? '') ? 'less' : undefined;
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this one
    }
  });
}

/** Shows a text by a pager. @returns false if none is wanted or it did not run: then the text is to be printed. */
export function page(terminal: Terminal, text: string): boolean {
  if (!terminal.isInteractive || !terminal.isTerminal || !isLong(text, process.stdout)) return false;
  const command = pagerCommand(readSettings().pager, process.env);
  if (command === undefined) return false;
  // Ctrl-C is the pager's while it runs; the signal comes to us as well, and is told to us later.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  // Colours; no clearing of the screen; no waiting at the end of what fits after all.
  const env = { LESS: 'FRX', ...process.env };
  const { status, error } = terminal.lend(() =>
    spawnSync(command, { shell: true, input: text, stdio: ['pipe', 'inherit', 'inherit'], env }),
  );
  setImmediate(() => process.off('SIGINT', ignore));
  // A pager that was left before its end has closed its input: that is no failure.
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'EPIPE') return false;
  return status !== 127 && status !== 126;
}
