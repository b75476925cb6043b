/**
 * A program that can write no further than the first KiB of a file, as on a disk that is nearly full: there the kernel
 * writes a part, and fails only at the next write. Run in a process of its own, for such a limit cannot be lifted again.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a module's text so limited; answers with what it printed. */
export async function shortOfRoom(program: string): Promise<string> {
  const script = 'ulimit -f 2; exec "$0" --input-type=module -e "$1"'; // blocks of 512 bytes
  const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, program]);
  return stdout;
}
