/**
 * Starts programs by the C library's posix_spawn, through the optional package koffi. The new program borrows the daemon's
 * memory until it has replaced itself, so its start costs the same however large the daemon is; why that matters is in
 * `launch.ts`.
 *
 * The kernel's signal that a child has ended (SIGCHLD) reaches Node's own watcher too; each asks for the processes that it has
 * started, and for no others. One signal may stand for several ends.
 */
import { constants } from 'node:os';
import { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { type Launch, launchByFork, notStarted, type ProgramEnd } from './launch.ts';

/** From <fcntl.h>, <spawn.h> and <sys/wait.h> of Linux and glibc. */
const readWrite = 2;
const closeOnExec = 0o2000000;
const spawnFlags = 0x04 | 0x08 | 0x80; // default signal handling, no signal blocked, a session of its own
const doNotWait = 1;
/** More than the C library's structures and sets of signals take: 80, 336 and 128 bytes. */
const structureBytes = 512;

type Call = (...values: readonly unknown[]) => number;

interface Library {
  readonly pipe2: Call;
  readonly open: Call;
  readonly close: Call;
  readonly waitpid: Call;
  readonly spawn: Call;
  readonly actionsInit: Call;
  readonly actionsDup: Call;
  readonly actionsChangeFolder: Call;
  readonly actionsDestroy: Call;
  readonly attributesInit: Call;
  readonly attributesFlags: Call;
  readonly attributesDefaults: Call;
  readonly attributesMask: Call;
}

/** The fast way, or undefined and why it is not to be had here. */
export async function nativeLaunch(): Promise<{ readonly launch?: Launch; readonly problem?: string }> {
  if (!isMainThread) return { problem: 'only the main thread hears of ended processes' };
  try {
    return { launch: launchBy(await loadLibrary()) };
  } catch (error) {
    return { problem: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

async function loadLibrary(): Promise<Library> {
  const { default: koffi } = await import('koffi');
  const c = koffi.load('libc.so.6');
  const call = (declaration: string): Call => c.func(declaration);
  return {
    pipe2: call('int pipe2(_Out_ int *, int)'),
    open: call('int open(const char *, int)'),
    close: call('int close(int)'),
    waitpid: call('int waitpid(int, _Out_ int *, int)'),
    spawn: call('int posix_spawn(_Out_ int *, const char *, void *, void *, const char **, const char **)'),
    actionsInit: call('int posix_spawn_file_actions_init(void *)'),
    actionsDup: call('int posix_spawn_file_actions_adddup2(void *, int, int)'),
    actionsChangeFolder: call('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
    actionsDestroy: call('int posix_spawn_file_actions_destroy(void *)'),
    attributesInit: call('int posix_spawnattr_init(void *)'),
    attributesFlags: call('int posix_spawnattr_setflags(void *, int16)'),
    attributesDefaults: call('int posix_spawnattr_setsigdefault(void *, void *)'),
    attributesMask: call('int posix_spawnattr_setsigmask(void *, void *)'),
  };
}

function launchBy(c: Library): Launch {
  const running = new Map<number, (end: ProgramEnd) => void>();
  process.on('SIGCHLD', () => {
    for (const [pid, ended] of running) {
      const status = [0];
      const answer = c.waitpid(pid, status, doNotWait);
      if (answer === 0) continue;
      running.delete(pid);
      ended(
        answer === pid ? endOf(status[0] ?? 0) : { type: 'notStarted', code: 'ECHILD', message: 'its end is lost' },
      );
    }
  });

  return (program, ended) => {
    if (!program.path.includes('/')) return launchByFork(program, ended); // to be looked for
    const argv = [program.path, ...program.arguments];
    const environment = Object.entries(program.environment).map(([name, value]) => `${name}=${value}`);
    const impossible = [...argv, ...environment].find((word) => word.includes('\0'));
    if (impossible !== undefined) {
      return notStarted(ended, 'ERR_INVALID_ARG_VALUE', `a NUL in ${JSON.stringify(impossible)}`);
    }
    const opened: number[] = [];
    const actions = Buffer.alloc(structureBytes);
    const attributes = Buffer.alloc(structureBytes);
    c.actionsInit(actions);
    try {
      const pipe = (): readonly [number, number] => {
        const ends = [-1, -1];
        if (c.pipe2(ends, closeOnExec) !== 0) throw new Error('no pipe is to be had: too many files are open');
        opened.push(...ends);
        return ends as [number, number];
      };
      const input = program.isTold ? pipe() : undefined;
      const output = pipe();
      const errors = pipe();
      const silence = input === undefined ? c.open('/dev/null', readWrite | closeOnExec) : -1;
      if (input === undefined) opened.push(silence);
      c.actionsDup(actions, input?.[0] ?? silence, 0);
      c.actionsDup(actions, output[1], 1);
      c.actionsDup(actions, errors[1], 2);
      if (program.workingDirectory !== undefined) c.actionsChangeFolder(actions, program.workingDirectory);
      c.attributesInit(attributes);
      c.attributesDefaults(attributes, Buffer.alloc(structureBytes, 0xff));
      c.attributesMask(attributes, Buffer.alloc(structureBytes));
      c.attributesFlags(attributes, spawnFlags);
      const pid = [0];
      // null: C's lists end so.
      const failure = c.spawn(pid, program.path, actions, attributes, [...argv, null], [...environment, null]);
      // A script that does not name its interpreter: the shell is meant, and Node tries it.
      if (failure === constants.errno.ENOEXEC) return launchByFork(program, ended);
      if (failure !== 0) {
        const code = getSystemErrorName(-failure);
        return notStarted(ended, code, `spawn ${program.path} ${code}`);
      }
      running.set(pid[0] ?? 0, ended);
      const ours = [output[0], errors[0], ...(input === undefined ? [] : [input[1]])];
      for (const kept of ours) opened.splice(opened.indexOf(kept), 1);
      return {
        pid: pid[0],
        stdin: input === undefined ? undefined : new Socket({ fd: input[1], readable: false, writable: true }),
        stdout: new Socket({ fd: output[0], readable: true, writable: false }),
        stderr: new Socket({ fd: errors[0], readable: true, writable: false }),
      };
    } catch (error) {
      return notStarted(ended, 'EMFILE', (error as Error).message);
    } finally {
      c.actionsDestroy(actions);
      for (const one of opened) if (one >= 0) c.close(one);
    }
  };
}

/** What waitpid says of a process that is no more. */
function endOf(status: number): ProgramEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { type: 'exited', code: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { type: 'signalled', signal: name ?? `signal ${signal}` };
}
