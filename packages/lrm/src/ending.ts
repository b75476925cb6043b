/** How a run ended, before it is judged. */
import type { Epoch, ProcessEnded } from '@systole/kernel';
import { executionStatus, exitCode, type OperationResult } from '@systole/ra';

export interface Ending {
  readonly result: OperationResult;
  /** What the agent wrote: standard error if there was any, else standard output. */
  readonly output: string;
  /** Absent if it never began. */
  readonly startedAt?: Epoch;
  readonly execMs?: number;
}

export const cancelled: OperationResult = { status: executionStatus.cancelled, exitCode: exitCode.ok };
export const fine: OperationResult = { status: executionStatus.done, exitCode: exitCode.ok };

export const withoutRun = (result: OperationResult): Ending => ({ result, output: '' });

export const afterRun = (result: OperationResult, ended: ProcessEnded): Ending => ({
  result,
  output: ended.stderr.trim() === '' ? ended.stdout : ended.stderr,
  startedAt: ended.startedAt,
  execMs: ended.durationMs,
});
