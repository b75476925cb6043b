/** The shell's own settings, in the user's folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Settings {
  readonly editor: string;
  readonly pager: string;
  /** `color`, `plain`, or `auto`: colours on a terminal, unless NO_COLOR is set. */
  readonly output: string;
  /** Wait after every change. */
  readonly wait: string;
  readonly format: string;
}

export const defaultSettings: Settings = { editor: '', pager: '', output: 'auto', wait: 'no', format: 'text' };
export const settingNames: readonly string[] = Object.keys(defaultSettings);

const file = (): string =>
  join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'systole', 'settings.json');

/** Defaults where nothing was saved, or what was saved cannot be read. */
export function readSettings(): Settings & Readonly<Record<string, string>> {
  let saved: unknown;
  try {
    saved = JSON.parse(readFileSync(file(), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    saved = {};
  }
  const values: Record<string, string> = { ...defaultSettings };
  for (const name of settingNames) {
    const value = (saved as Readonly<Record<string, unknown>>)[name];
    if (typeof value === 'string') values[name] = value;
  }
  return values as unknown as Settings & Readonly<Record<string, string>>;
}

export const isYes = (text: string): boolean => /^(?:yes|true|on|1)$/i.test(text);

const allowed: Readonly<Record<string, readonly string[]>> = {
  output: ['auto', 'color', 'plain'],
  wait: ['yes', 'no'],
  format: ['text', 'json'],
};

/** What a setting may be; undefined: anything. */
export const valuesOf = (name: string): readonly string[] | undefined => allowed[name];

/** Colours, as the settings and NO_COLOR say. */
export function wantsColours(isTerminal: boolean): boolean {
  const { output } = readSettings();
  if (output === 'plain') return false;
  return output === 'color' || (isTerminal && process.env['NO_COLOR'] === undefined);
}

export function writeSettings(settings: Settings): void {
  mkdirSync(dirname(file()), { recursive: true });
  writeFileSync(file(), `${JSON.stringify(settings, null, 2)}\n`);
}
