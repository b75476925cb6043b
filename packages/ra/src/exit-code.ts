/**
 * What an agent's exit code says, in OCF's numbers, whatever the class. LSB has two readings of one number: `status`
 * and everything else.
 *
 * Semantics: OCF resource agent API 1.1; LSB Core 5.0, "Init Script Actions"; Pacemaker's services library.
 */
import type { LocatedAgent } from './places.ts';

export const exitCode = {
  ok: 0,
  generic: 1,
  /** Invalid parameters on this node. */
  arguments: 2,
  unimplemented: 3,
  permission: 4,
  installed: 5,
  /** Invalid parameters everywhere. */
  configured: 6,
  notRunning: 7,
  promoted: 8,
  failedPromoted: 9,
  degraded: 190,
  degradedPromoted: 191,
  /** Never ran, or has not ended. */
  unknown: 193,
} as const;

/** What became of an attempt, apart from what the agent said. Numbers as in the status section. */
export const executionStatus = {
  pending: -1,
  done: 0,
  cancelled: 1,
  timedOut: 2,
  unsupported: 3,
  error: 4,
  errorHard: 5,
  errorFatal: 6,
  notInstalled: 7,
  notConnected: 8,
  invalid: 9,
  noFenceDevice: 10,
  noSecrets: 11,
} as const;

export type ExecutionStatus = (typeof executionStatus)[keyof typeof executionStatus];

const known: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 190, 191]);

const lsbStatus: Readonly<Record<number, number>> = {
  0: exitCode.ok,
  1: exitCode.notRunning, // dead, pid file left
  2: exitCode.notRunning, // dead, lock file left
  3: exitCode.notRunning,
  150: exitCode.installed,
  151: exitCode.permission,
};

/** The OCF reading of `code`, for an operation in the words of the one who asked (`monitor`, not `status`). */
export function ocfExitCode(kind: LocatedAgent['kind'], operation: string, code: number): number {
  switch (kind) {
    case 'ocf':
    case 'systemd':
      return known.has(code) ? code : exitCode.generic;
    case 'lsb':
      if (operation === 'monitor' || operation === 'status') return lsbStatus[code] ?? exitCode.generic;
      return code >= 0 && code <= 7 ? code : exitCode.generic;
    case 'fence':
    case 'external':
      return code === 0 ? exitCode.ok : exitCode.generic;
  }
}

const words: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'error',
  2: 'invalid parameter',
  3: 'unimplemented feature',
  4: 'insufficient privileges',
  5: 'not installed',
  6: 'not configured',
  7: 'not running',
  8: 'promoted',
  9: 'promoted (failed)',
  190: 'degraded',
  191: 'degraded (promoted)',
  193: 'unknown',
};

/** An exit code in words. */
export const exitCodeWord = (code: number): string => words[code] ?? `exit code ${code}`;

const statusWords: Readonly<Record<number, string>> = {
  [-1]: 'pending',
  0: 'complete',
  1: 'cancelled',
  2: 'timed out',
  3: 'unsupported',
  4: 'error',
  5: 'not on this node',
  6: 'not anywhere',
  7: 'not installed',
  8: 'not connected',
  9: 'invalid',
  10: 'no fence device',
  11: 'no secrets',
};

export const executionStatusWord = (status: number): string => statusWords[status] ?? `status ${status}`;
