/**
 * What commands work with: the daemon, the terminal, the options. One context lives as long as the program; in the
 * interactive shell it also keeps the configuration being edited.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { Client } from '@systole/api/client';
import type { Cib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import type { Session } from '../language/session.ts';
import { UsageError } from './failure.ts';
import type { Lens } from './lens.ts';
import type { GlobalOptions } from './options.ts';
import { page } from './pager.ts';
import { socketTransport } from './transport.ts';

export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** Somebody is there who can answer. */
  readonly isInteractive: boolean;
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Asks until one of `answers` (or its first letter) is given; the first is the default. */
  ask(question: string, answers: readonly string[]): Promise<string>;
  /** All of standard input. */
  readInput(): string;
  /** Runs what starts another program that takes the terminal, and returns when that has ended. */
  lend<Value>(run: () => Value): Value;
}

export const DEFAULT_SOCKET = '/run/systole/systole.sock';
export const DEFAULT_CONFIG = '/etc/systole/systole.yaml';

export class Context {
  options: GlobalOptions;
  readonly terminal: Terminal;
  /** The configuration being edited in an interactive shell or a script; absent when nothing is being edited. */
  session: { readonly session: Session; cib: Cib; readonly shadow?: string } | undefined;
  /** The command that runs has said something on standard output. */
  hasAnswered = false;
  /** The version that the command that runs has committed. */
  committed: string | undefined;
  /** Somebody types line by line: what is not committed stays until he says what becomes of it. */
  isShell = false;
  /** What commands of the history look at. */
  lens: Lens = {};
  /** The shadow copy in use. */
  shadow: string | undefined;
  readonly #socket: string;
  #client: Client | undefined;

  constructor(options: GlobalOptions, terminal: Terminal, socket: string) {
    this.options = options;
    this.terminal = terminal;
    this.#socket = socket;
    this.shadow = process.env['SYSTOLE_SHADOW'] || process.env['CIB_shadow'] || undefined;
  }

  /** The same work with other options: the same daemon, terminal and edits. */
  withOptions(options: GlobalOptions): Context {
    const other = new Context(options, this.terminal, this.#socket);
    other.session = this.session;
    other.shadow = this.shadow;
    other.lens = this.lens;
    other.isShell = this.isShell;
    return other;
  }

  get client(): Client {
    this.#client ??= new Client(socketTransport(this.#socket));
    return this.#client;
  }

  get isJson(): boolean {
    return this.options.format === 'json';
  }

  out(text: string): void {
    this.hasAnswered = true;
    const whole = text.endsWith('\n') || text === '' ? text : `${text}\n`;
    if (this.isJson || !page(this.terminal, whole)) this.terminal.out(whole);
  }

  /** Facts for programs, or text for people. */
  answer(facts: unknown, text: string | (() => string)): void {
    if (this.isJson) this.out(JSON.stringify(facts));
    else this.out(typeof text === 'function' ? text() : text);
  }

  /** Remarks go to standard error, so that what is piped on stays clean. */
  remark(text: string): void {
    if (!this.isJson) this.terminal.error(`${text}\n`);
  }

  /** True if the question was answered with yes, or need not be asked. Without anybody to ask: no. */
  async confirm(question: string): Promise<boolean> {
    if (this.options.isForced) return true;
    if (!this.terminal.isInteractive) {
      throw new SystoleError('refused', `${question} Nobody is there to ask; say --force if you mean it`);
    }
    return (await this.terminal.ask(question, ['no', 'yes'])) === 'yes';
  }
}

/** Where the daemon listens: as told, as the environment says, as the node's file says, or the usual place. */
export async function findSocket(options: GlobalOptions): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  const fromEnvironment = process.env['SYSTOLE_SOCKET'];
  if (options.config === undefined && fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const file =
    options.config ?? process.env['SYSTOLE_CONFIG'] ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  return file === undefined ? DEFAULT_SOCKET : await socketOf(file);
}

/** The socket that a node's file names, by the same rule as the daemon has. */
async function socketOf(file: string): Promise<string> {
  const settings = await readSettings(file);
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(dirname(resolve(file)), path));
  if (settings.api?.socket !== undefined) return absolute(settings.api.socket);
  return join(absolute(settings.run ?? '/run/systole'), 'systole.sock');
}

interface NodeFile {
  readonly run?: string;
  readonly api?: { readonly socket?: string };
}

/** The daemon checks its file; here only two of its settings count. */
async function readSettings(file: string): Promise<NodeFile> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
  try {
    if (text.trimStart().startsWith('{')) return JSON.parse(text) as NodeFile;
    const { parse } = await import('yaml');
    return (parse(text) ?? {}) as NodeFile;
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
}
