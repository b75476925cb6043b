/** Runs one command on the daemon's own process runner and waits for its end. */
import type { ProcessEnded } from '@systole/kernel';
import type { AgentCommand } from '@systole/ra';
import { ProcessRunner } from '../../packages/daemon/src/host/processes.ts';

let count = 0;

export function runCommand(command: AgentCommand, timeoutMs: number): Promise<ProcessEnded> {
  return new Promise((resolve) => {
    const runner = new ProcessRunner(resolve);
    runner.start({
      type: 'startProcess',
      id: `run ${(count += 1)}`,
      ...command,
      timeoutMs,
      killAfterMs: 1000,
      outputLimitBytes: 256 * 1024,
    });
  });
}
