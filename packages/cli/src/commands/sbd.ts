/**
 * `systole sbd`: the watchdog of this node, and the shared disks through which nodes are told to die. What is on the disks
 * is read and written by the daemon's own program, a process for each disk, so that one that hangs does not hold us up.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SelfFencingReport } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import { type Document, parseDocument } from 'yaml';
import { table } from '../render/table.ts';
import { type Context, DEFAULT_CONFIG } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';

const DISKS_MAX = 3;
/** A disk that takes longer is of no use. */
const ANSWER_MS = 10_000;

interface Times {
  readonly watchdogS: number;
  readonly allocateS: number;
  readonly loopS: number;
  readonly msgwaitS: number;
}

interface Slot {
  readonly slot: number;
  readonly node: string;
  readonly watcher?: { readonly isArmed: boolean; readonly deathS: number };
  readonly letter?: { readonly message: string; readonly from: string };
}

interface Found {
  readonly disk: string;
  readonly header?: Times & { readonly uuid: string };
  readonly slots?: readonly Slot[];
  readonly problem?: string;
}

// --- the disks ---------------------------------------------------------------------------------------------------

function errandProgram(): string {
  const places = ['../../../daemon/src/host/disk/errand-process.ts', '../../daemon/src/errand-process.js'];
  const found = places.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path));
  if (found === undefined) throw new SystoleError('notFound', 'the daemon’s programs are not installed here');
  return found;
}

function sendOut(disks: readonly string[], errand: object): Promise<readonly Found[]> {
  const program = errandProgram();
  return Promise.all(
    disks.map(
      (disk) =>
        new Promise<Found>((resolve) => {
          const options = { timeout: ANSWER_MS, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const;
          execFile(process.execPath, [program, disk, JSON.stringify(errand)], options, (error, stdout, stderr) => {
            if (error === null) resolve({ disk, ...(JSON.parse(stdout) as object) });
            else
              resolve({
                disk,
                problem: stderr.trim() === '' ? `did not answer within ${ANSWER_MS} ms` : stderr.trim(),
              });
          });
        }),
    ),
  );
}

// --- the node's file ---------------------------------------------------------------------------------------------

interface NodeFile {
  readonly path: string;
  readonly document: Document;
}

function readNodeFile({ options }: Context): NodeFile {
  const path = options.config ?? process.env['SYSTOLE_CONFIG'] ?? DEFAULT_CONFIG;
  try {
    return { path, document: parseDocument(readFileSync(path, 'utf8')) };
  } catch (error) {
    const text = `this machine is no node of a cluster: ${(error as Error).message}`;
    throw new SystoleError('notFound', text, { cause: error });
  }
}

function writeNodeFile(context: Context, { path, document }: NodeFile): void {
  writeFileSync(path, document.toString());
  context.answer(settingsOf(document), `${path} is written; it counts when the daemon starts: systole cluster restart`);
}

const devicesOf = (document: Document): readonly string[] => {
  const devices = (document.toJS() as { readonly disks?: { readonly devices?: readonly string[] } }).disks?.devices;
  return devices ?? [];
};

/** Settings by the shell's name, and where they stand in the file. */
const places: Readonly<Record<string, readonly string[]>> = {
  'watchdog-device': ['watchdog'],
  'watchdog-timeout': ['watchdog_timeout'],
  start: ['disks', 'start'],
  'timeout-action': ['disks', 'timeout_action'],
};

const settingsOf = (document: Document): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(
    Object.entries(places).flatMap(([name, place]) => {
      const value = document.getIn(place);
      return value === undefined ? [] : [[name, value]];
    }),
  ),
  devices: devicesOf(document),
});

// --- commands ----------------------------------------------------------------------------------------------------

export async function status(context: Context): Promise<number> {
  const live = await liveReport(context);
  const file = live === undefined ? readNodeFile(context).document : undefined;
  const disks = live?.disks.map(({ disk }) => disk) ?? (file === undefined ? [] : devicesOf(file));
  const found = await sendOut(disks, { type: 'describe' });
  const lines = [
    live === undefined ? 'The daemon here is not running, or runs without these; from its file:' : undefined,
    watchdogText(live, file),
    disks.length === 0 ? 'disks: none' : undefined,
    ...found.map((one) => diskText(one, live)),
  ];
  context.answer({ daemon: live, disks: found }, lines.filter((line) => line !== undefined).join('\n'));
  return found.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

function watchdogText(live: SelfFencingReport | undefined, file: Document | undefined): string {
  const device = live?.watchdog?.device ?? (file?.get('watchdog') as string | undefined);
  if (device === undefined) return 'watchdog: none';
  if (live === undefined) return `watchdog: ${device}, not armed`;
  const { countdownS } = live.watchdog ?? {};
  return `watchdog: ${device}, armed, ${countdownS === undefined ? 'countdown unknown' : `${countdownS} s`}`;
}

async function liveReport(context: Context): Promise<SelfFencingReport | undefined> {
  try {
    return (await context.client.status()).selfFencing;
  } catch (error) {
    if (error instanceof SystoleError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

function diskText({ disk, header, slots = [], problem }: Found, live: SelfFencingReport | undefined): string {
  if (header === undefined) return `disk ${disk}: ${problem ?? 'unknown'}`;
  const row = live?.disks.find((one) => one.disk === disk);
  const watched = row === undefined ? '' : row.isSeen ? ', watched' : ', NOT READ by the daemon';
  const rows = slots.map(({ slot, node, letter, watcher }) => [
    String(slot),
    node,
    letter === undefined ? 'no message' : `${letter.message}${letter.from === '' ? '' : ` (${letter.from})`}`,
    watcher === undefined
      ? 'watchdog not noted'
      : watcher.isArmed
        ? `dead within ${watcher.deathS} s`
        : 'no watchdog, or it has left',
  ]);
  const head = `disk ${disk}: watchdog ${header.watchdogS} s, msgwait ${header.msgwaitS} s${watched}`;
  return rows.length === 0 ? `${head}\n  no slots are taken` : `${head}\n${table(rows, '  ')}`;
}

export function configure(context: Context, args: readonly string[]): void {
  const file = readNodeFile(context);
  const pairs = args.filter((word) => word !== 'show').map(pair);
  if (pairs.length === 0) {
    const settings = settingsOf(file.document);
    context.answer(settings, () =>
      Object.entries(settings)
        .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
        .join('\n'),
    );
    return;
  }
  for (const [name, value] of pairs) {
    const place = places[name];
    if (place === undefined)
      throw new UsageError(`there is no setting "${name}"; there are ${Object.keys(places).join(', ')}`);
    if (place[0] === 'disks' && devicesOf(file.document).length === 0) {
      throw new SystoleError('refused', `${name} is for nodes with disks: systole sbd device add DEVICE first`);
    }
    if (value === '') file.document.deleteIn(place);
    else file.document.setIn(place, value);
  }
  writeNodeFile(context, file);
}

function pair(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`expected NAME=VALUE, found "${word}"`);
  return [word.slice(0, at), word.slice(at + 1)];
}

const timeNames: Readonly<Record<string, keyof Times>> = {
  'watchdog-timeout': 'watchdogS',
  'allocate-timeout': 'allocateS',
  'loop-timeout': 'loopS',
  'msgwait-timeout': 'msgwaitS',
};

function readTimes(words: readonly string[]): Times {
  const given: Record<string, number> = {};
  for (const [name, value] of words.map(pair)) {
    const field = timeNames[name];
    if (field === undefined)
      throw new UsageError(`there is no time "${name}"; there are ${Object.keys(timeNames).join(', ')}`);
    if (!/^\d{1,5}$/.test(value)) throw new UsageError(`${name}: "${value}" is no number of seconds`);
    given[field] = Number(value);
  }
  const watchdogS = given['watchdogS'] ?? 5;
  return { watchdogS, allocateS: 2, loopS: 1, msgwaitS: 2 * watchdogS, ...given };
}

export async function addDevices(context: Context, words: readonly string[]): Promise<void> {
  const file = readNodeFile(context);
  const added = words.filter((word) => !word.includes('='));
  const times = readTimes(words.filter((word) => word.includes('=')));
  const devices = [...new Set([...devicesOf(file.document), ...added])];
  if (added.length === 0) throw new UsageError('which disks?');
  if (added.some((path) => !isAbsolute(path))) throw new UsageError('name disks by their whole path');
  if (devices.length > DISKS_MAX) throw new SystoleError('refused', `${devices.length} disks; ${DISKS_MAX} at most`);
  if (times.msgwaitS < 2 * times.watchdogS) {
    context.remark(
      'msgwait is less than twice the watchdog’s time: only watchers that note their own time are waited for',
    );
  }
  for (const { disk, header, problem } of await sendOut(added, { type: 'describe' })) {
    if (header !== undefined) {
      context.remark(`${disk} has slots already; it keeps them, and its times`);
    } else if (problem?.includes('has not been initialised') !== true) {
      throw new SystoleError('failed', `${disk}: ${problem ?? 'unknown'}`);
    } else if (await context.confirm(`The beginning of ${disk} is overwritten. Is nothing else on it?`)) {
      const [made] = await sendOut([disk], { type: 'create', times, uuid: randomBytes(16).toString('hex') });
      if (made?.problem !== undefined) throw new SystoleError('failed', `${disk}: ${made.problem}`);
    } else {
      throw new SystoleError('refused', `${disk} is left alone`);
    }
  }
  file.document.setIn(['disks', 'devices'], devices);
  writeNodeFile(context, file);
}

export function removeDevices(context: Context, removed: readonly string[]): void {
  const file = readNodeFile(context);
  const devices = devicesOf(file.document);
  const unknown = removed.find((path) => !devices.includes(path));
  if (unknown !== undefined) throw new SystoleError('notFound', `${unknown} is not one of ${devices.join(', ')}`);
  const left = devices.filter((path) => !removed.includes(path));
  if (left.length === 0) file.document.delete('disks');
  else file.document.setIn(['disks', 'devices'], left);
  writeNodeFile(context, file);
}

export async function message(context: Context, [node = '', text = '']: readonly string[]): Promise<number> {
  const disks = devicesOf(readNodeFile(context).document);
  if (disks.length === 0) throw new SystoleError('notFound', 'this node has no disks: systole sbd device add DEVICE');
  if (!['clear', 'test'].includes(text) && !(await context.confirm(`${node} is told to ${text}. Go on?`))) return 1;
  const letter = { message: text, from: hostname() };
  const found = await sendOut(disks, { type: 'post', node, letter });
  const written = found.filter(({ problem }) => problem === undefined).length;
  const problems = found.flatMap(({ disk, problem }) => (problem === undefined ? [] : [`${disk}: ${problem}`]));
  context.answer(found, [`written to ${written} of ${disks.length} disks`, ...problems].join('\n'));
  return written > disks.length / 2 ? 0 : 1;
}

export async function purge(context: Context): Promise<void> {
  const file = readNodeFile(context);
  if (!(await context.confirm('Without watchdog and disks this node can only be fenced from outside. Go on?'))) return;
  for (const name of ['watchdog', 'watchdog_timeout', 'disks']) file.document.delete(name);
  writeNodeFile(context, file);
}
