/**
 * A process that ended as the result of an operation: two numbers that are independent of each other, what became of
 * the attempt and what the agent said, and the agent's own reason.
 */
import type { ProcessEnded } from '@systole/kernel';
import { executionStatus, type ExecutionStatus, exitCode, ocfExitCode } from './exit-code.ts';
import type { LocatedAgent } from './places.ts';

export interface OperationResult {
  readonly status: ExecutionStatus;
  readonly exitCode: number;
  readonly exitReason?: string;
}

const reasonPrefix = 'ocf-exit-reason:';

/** The last non-empty reason that an agent gave on standard error, anywhere in a line. */
export function exitReason(stderr: string): string | undefined {
  for (const line of stderr.split('\n').toReversed()) {
    const at = line.lastIndexOf(reasonPrefix);
    const reason = at === -1 ? '' : line.slice(at + reasonPrefix.length).trim();
    if (reason !== '') return reason;
  }
  return undefined;
}

/** What a process that ended says about an operation, in the words of the one who asked for it. */
export function operationResult(
  kind: LocatedAgent['kind'],
  operation: string,
  ended: Pick<ProcessEnded, 'outcome' | 'stderr'>,
  timeoutMs: number,
): OperationResult {
  const { outcome } = ended;
  const said = kind === 'ocf' || kind === 'systemd' ? exitReason(ended.stderr) : undefined;
  switch (outcome.type) {
    case 'exited':
      return {
        // Every unit has the same program, so only the program's answer can say that the unit is missing.
        status:
          kind === 'systemd' && outcome.code === exitCode.installed
            ? executionStatus.notInstalled
            : executionStatus.done,
        exitCode: ocfExitCode(kind, operation, outcome.code),
        ...(said === undefined ? {} : { exitReason: said }),
      };
    case 'signalled':
      return {
        status: executionStatus.error,
        exitCode: exitCode.generic,
        exitReason: `${operation} was ended by signal ${outcome.signal}`,
      };
    case 'timedOut':
      return {
        status: executionStatus.timedOut,
        exitCode: exitCode.generic,
        exitReason: `${operation} did not finish within ${timeoutMs} ms`,
      };
    case 'notStarted':
      return notStarted(outcome.code, outcome.message);
  }
}

/** A program that could not be run. The path was there, so a missing file is its interpreter. */
function notStarted(code: string, message: string): OperationResult {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
      return { status: executionStatus.done, exitCode: exitCode.installed, exitReason: message };
    case 'EACCES':
    case 'EPERM':
    case 'EISDIR':
      return { status: executionStatus.done, exitCode: exitCode.permission, exitReason: message };
    default:
      return { status: executionStatus.error, exitCode: exitCode.generic, exitReason: message };
  }
}
