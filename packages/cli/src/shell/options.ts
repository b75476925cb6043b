/** Options that every command understands. They may stand anywhere on the command line, before `--`. */
import { parseDuration } from '@systole/kernel';
import { UsageError } from './failure.ts';

export interface GlobalOptions {
  readonly socket?: string;
  readonly config?: string;
  readonly format: 'text' | 'json';
  /** Wait until the cluster is idle, at most so long. */
  readonly waitMs?: number;
  /** Do not ask. */
  readonly isForced: boolean;
  /** Show what would change, and change nothing. */
  readonly isDryRun: boolean;
  /** A script to run. */
  readonly file?: string;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

/** Long enough for anything that ends; `--wait=SECONDS` says otherwise. */
const WAIT_MS = 3_600_000;

export const optionHelp: readonly (readonly [string, string])[] = [
  ['--socket PATH', "the daemon's socket, if it is not the usual one"],
  ['--config FILE', "the node's file, which names the socket"],
  ['--format text|json', 'how to answer; --json is short for json'],
  ['--wait[=SECONDS], -w', 'return when the cluster is idle again'],
  ['--dry-run, -n', 'show what would change and what the cluster would do; change nothing'],
  ['--force, -F', 'do not ask'],
  ['--file FILE, -f', 'run the commands of a file (- for standard input)'],
  ['--help, -h', 'explain a command'],
  ['--version', 'print the version'],
];

/** Options that take a value, by their names. */
const withValue: Readonly<Record<string, 'socket' | 'config' | 'format' | 'file'>> = {
  '--socket': 'socket',
  '--config': 'config',
  '--format': 'format',
  '--file': 'file',
  '-f': 'file',
};

/** Whether the next word is this option's value. */
export const takesValue = (option: string): boolean => Object.hasOwn(withValue, option);

/** Splits a command line into options and words. @throws UsageError */
export function readOptions(
  args: readonly string[],
  defaults: { readonly format?: 'text' | 'json'; readonly waits?: boolean } = {},
): {
  readonly options: GlobalOptions;
  readonly words: readonly string[];
} {
  const words: string[] = [];
  const values: { socket?: string; config?: string; format?: string; file?: string } = {};
  let waitMs: number | undefined = defaults.waits === true ? WAIT_MS : undefined;
  let isForced = false;
  let isDryRun = false;
  let wantsHelp = false;
  let wantsVersion = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
    const name = equals === -1 ? arg : arg.slice(0, equals);
    const key = Object.hasOwn(withValue, name) ? withValue[name] : undefined;
    if (arg === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (key !== undefined) {
      if (equals === -1) at += 1;
      const value = equals === -1 ? args[at] : arg.slice(equals + 1);
      if (value === undefined) throw new UsageError(`${name} needs a value`);
      values[key] = value;
    } else if (name === '--wait' || arg === '-w') waitMs = equals === -1 ? WAIT_MS : readWait(arg.slice(equals + 1));
    else if (arg === '--json') values.format = 'json';
    else if (arg === '--force' || arg === '-F') isForced = true;
    else if (arg === '--dry-run' || arg === '-n') isDryRun = true;
    else if (arg === '--help' || arg === '-h') wantsHelp = true;
    else if (arg === '--version') wantsVersion = true;
    else words.push(arg);
  }
  const { format = defaults.format ?? 'text', ...others } = values;
  if (format !== 'text' && format !== 'json') throw new UsageError(`--format is text or json, not "${format}"`);
  const options: GlobalOptions = {
    ...others,
    format,
    ...(waitMs === undefined ? {} : { waitMs }),
    isForced,
    isDryRun,
    wantsHelp,
    wantsVersion,
  };
  return { options, words };
}

function readWait(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new UsageError(`--wait: ${duration.error}`);
  return duration.value;
}
