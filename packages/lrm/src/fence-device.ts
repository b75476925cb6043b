/**
 * A resource of class stonith runs nowhere: started means that this node looks after the device. Start and recurring
 * monitors have the fencer try it; a probe never touches it, since the device belongs to all nodes.
 */
import { executionStatus, exitCode, type OperationResult } from '@systole/ra';
import type { Execute } from './contract.ts';

/** The result, where nobody has to be asked. */
export function resultWithoutAsking(
  { operation, intervalMs }: Execute,
  isStarted: boolean,
): OperationResult | undefined {
  const done = (code: number): OperationResult => ({ status: executionStatus.done, exitCode: code });
  if (operation === 'stop') return done(exitCode.ok);
  if (operation === 'monitor' && intervalMs === 0) return done(isStarted ? exitCode.ok : exitCode.notRunning);
  if (operation === 'start' || operation === 'monitor') return undefined;
  return { status: executionStatus.unsupported, exitCode: exitCode.unimplemented };
}

/** The fencer's answer as a result. */
export const resultOfAnswer = (isOk: boolean, reason: string): OperationResult =>
  isOk
    ? { status: executionStatus.done, exitCode: exitCode.ok }
    : { status: executionStatus.error, exitCode: exitCode.generic, exitReason: reason };
