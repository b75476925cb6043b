/** What the commands of agents may ask of the node, and what they answer with. */
import type { NodeRow, ResourceRow, StatusReport } from '@systole/api';
import type { Cib, Configuration } from '@systole/cib';
import type { Answer } from '@systole/crm';
import type { NodeRequest } from '../node/index.ts';

export interface Desk {
  /** The node that is asked. */
  readonly self: string;
  readonly cib: Cib;
  readonly isQuorate: boolean;
  /** The CIB is the cluster's present one; while the node starts it is what was left on its disk. */
  readonly isCurrent: boolean;
  /** Read from the CIB by the policy engine; costs a few milliseconds. */
  readonly status: () => StatusReport;
  readonly request: (request: NodeRequest) => Promise<Answer>;
}

/** A command as it was called. */
export interface AgentCall {
  readonly program: string;
  /** `OCF_RESOURCE_INSTANCE` of the caller; empty outside an agent. */
  readonly instance: string;
  readonly argv: readonly string[];
}

export interface Said {
  readonly code: number;
  /** Lines without their ends. */
  readonly out: readonly string[];
  readonly errors: readonly string[];
}

/** Exit codes of Pacemaker's programs that agents look at, by their meaning. */
export const exits = {
  ok: 0,
  error: 1,
  unsupported: 3,
  usage: 64,
  disconnected: 102,
  noSuch: 105,
  quorum: 110,
  timeout: 124,
} as const;

export const say = (...out: readonly string[]): Said => ({ code: exits.ok, out, errors: [] });
export const complain = (code: number, ...errors: readonly string[]): Said => ({ code, out: [], errors });

/** An answer of the node as an exit code: 0, or the code that fits and the reason. */
export function saidOf(answer: Answer, ...out: readonly string[]): Said {
  if (answer.ok) return say(...out);
  const code =
    answer.code === 'notFound'
      ? exits.noSuch
      : answer.code === 'noQuorum'
        ? exits.quorum
        : answer.code === 'timedOut'
          ? exits.timeout
          : answer.code === 'invalid'
            ? exits.usage
            : exits.error;
  return complain(code, answer.message);
}

export type { Cib, Configuration, NodeRow, ResourceRow, StatusReport };
