/** The lines that were typed, kept for the next time. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userFolder } from '../commands/shadow.ts';

/** So many lines are remembered. */
export const HISTORY_LINES = 1000;

const historyFile = (): string => join(userFolder(), 'history');

/** Newest first. */
export function readHistory(): string[] {
  if (!existsSync(historyFile())) return [];
  const lines = readFileSync(historyFile(), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const kept = lines.slice(-HISTORY_LINES);
  if (lines.length > 2 * HISTORY_LINES) writeFileSync(historyFile(), `${kept.join('\n')}\n`, { mode: 0o600 });
  return kept.toReversed();
}

/** Lines with passwords are not kept. */
export function remember(line: string): void {
  if (line.trim() === '' || /passw|secret/i.test(line)) return;
  mkdirSync(userFolder(), { recursive: true, mode: 0o700 });
  appendFileSync(historyFile(), `${line}\n`, { mode: 0o600 });
}

/** A statement on one line. */
export const onOneLine = (text: string): string => text.replace(/\s*\\?\r?\n\s*/g, ' ').trim();
