/** Sends the same errand to several disks at once and waits for all that answer in time. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Errand, Findings } from './errand.ts';

/** A disk that has not answered by then is of no use now; as sbd has it. */
const answerMs = 3000;
/** A process that has not even begun by then will not; that is a busy machine's fault and not the disk's. */
const beginMs = 15_000;

export interface Outcome {
  readonly disk: string;
  readonly found?: Findings;
  /** Why there is none. */
  readonly problem?: string;
}

/** `program`: the errand's, whose place only a module of the caller's own bundle knows (rolldown.config.ts). */
export function sendOut(
  program: URL,
  disks: readonly string[],
  errandFor: Errand | ((disk: string) => Errand),
): Promise<readonly Outcome[]> {
  return Promise.all(
    disks.map((disk) => sendTo(program, disk, typeof errandFor === 'function' ? errandFor(disk) : errandFor)),
  );
}

function sendTo(program: URL, disk: string, errand: Errand): Promise<Outcome> {
  return new Promise((resolve) => {
    const giveUp = (problem: string): void => {
      // It may sit in the kernel and hear no signal: it is left behind.
      child.kill('SIGKILL');
      child.unref();
      resolve({ disk, problem });
    };
    let late = setTimeout(() => giveUp(`was not asked within ${beginMs} ms: this machine is busy`), beginMs);
    const child = execFile(
      process.execPath,
      [fileURLToPath(program), disk, JSON.stringify(errand)],
      { maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        clearTimeout(late);
        if (error === null) resolve({ disk, found: JSON.parse(stdout) as Findings });
        else resolve({ disk, problem: stderr.trim() === '' ? error.message : stderr.trim() });
      },
    );
    // Its first word says that it has begun.
    child.stdout?.once('data', () => {
      clearTimeout(late);
      late = setTimeout(() => giveUp(`did not answer within ${answerMs} ms`), answerMs);
    });
  });
}
