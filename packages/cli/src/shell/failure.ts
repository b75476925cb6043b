/** Failures and exit statuses. Scripts rely on the numbers: `interfaces.md` lists them. */
import { type ErrorCode, SystoleError } from '@systole/kernel';
import { formatProblem, LanguageProblem, LanguageProblems } from '../language/problem.ts';

export const exitStatus = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  notFound: 3,
  noPermission: 4,
  noQuorum: 5,
  timedOut: 6,
  noDaemon: 7,
} as const;

/** The command line was wrong: which command, and how it is used. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid: exitStatus.failed,
  notFound: exitStatus.notFound,
  refused: exitStatus.failed,
  conflict: exitStatus.failed,
  permission: exitStatus.noPermission,
  noQuorum: exitStatus.noQuorum,
  timedOut: exitStatus.timedOut,
  unavailable: exitStatus.noDaemon,
  failed: exitStatus.failed,
};

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** For people: the message with place and advice. */
  readonly text: string;
}

/** @returns undefined for what is a mistake of ours, which is not to be dressed up. */
export function describeFailure(error: unknown): Failure | undefined {
  if (error instanceof UsageError) {
    const hint = error.hint === undefined ? '' : `\n${error.hint}`;
    return {
      status: exitStatus.wrongUse,
      code: 'usage',
      message: error.message,
      text: `error: ${error.message}${hint}`,
    };
  }
  if (error instanceof LanguageProblem || error instanceof LanguageProblems) return describeProblems(error);
  if (error instanceof SystoleError) {
    const text = `error: ${error.message}${advice(error)}`;
    return { status: statusOf[error.code], code: error.code, message: error.message, details: error.details, text };
  }
  return undefined;
}

function describeProblems(error: LanguageProblem | LanguageProblems): Failure {
  const problems = error instanceof LanguageProblem ? [error] : error.problems;
  const isMissing = problems.every((problem) => problem.code === 'notFound');
  return {
    status: isMissing ? exitStatus.notFound : exitStatus.failed,
    code: problems[0]?.code ?? 'invalid',
    message: error.message,
    details: {
      problems: problems.map(({ message, place, hint }) => ({
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(place === undefined ? {} : { source: place.source, line: place.line, column: place.column }),
      })),
    },
    text: problems.map(formatProblem).join('\n'),
  };
}

/** What to do next, where that is known. */
function advice(error: SystoleError): string {
  if (error.code === 'unavailable')
    return '\n  Is the daemon running here? systemctl status systoled; or name its socket: --socket PATH';
  // A refusal of the daemon has its advice in it; this one is of the socket's own permissions.
  if (error.code === 'permission' && error.cause !== undefined)
    return "\n  The socket's group decides who may: add yourself to it, or use sudo";
  if (error.code === 'noQuorum')
    return '\n  This part of the cluster may not act now: systole quorum status says who is missing';
  if (error.code === 'conflict') return conflictText(error.details);
  return '';
}

interface Conflict {
  readonly path: string;
  readonly expected?: unknown;
  readonly found?: unknown;
}

/** Conflicts told at most. */
const CONFLICTS_TOLD = 10;

function conflictText(details: Readonly<Record<string, unknown>>): string {
  const conflicts = details['conflicts'];
  if (!Array.isArray(conflicts)) return '';
  const lines = (conflicts as readonly Conflict[])
    .slice(0, CONFLICTS_TOLD)
    .map((each) => `\n  ${subjectOf(each)}: ${stateOf(each.expected)} when you began, ${stateOf(each.found)} now`);
  return `${lines.join('')}\n  Somebody else changed the same thing: history changes says who. Then try again; in configure, refresh drops your edits first`;
}

/** The name of what differs, and in what it is: `batch-limit in cib-bootstrap-options`. */
function subjectOf({ path, expected, found }: Conflict): string {
  const ids = [...path.matchAll(/\[([^\]]+)\]/g)].map(([, id = '']) => id);
  const value = (found ?? expected) as { readonly name?: unknown } | undefined;
  const own = typeof value === 'object' && typeof value.name === 'string' ? value.name : undefined;
  if (own === undefined && ids.length === 0) return path;
  const name = own ?? ids.at(-1);
  const owner = ids.length > 1 ? ids[0] : undefined;
  const field = /\.([A-Za-z]+)$/.exec(path)?.[1];
  return [
    name ?? path,
    ...(field === undefined ? [] : [field]),
    ...(owner === undefined || owner === name ? [] : [`in ${owner}`]),
  ].join(' ');
}

function stateOf(value: unknown): string {
  if (value === undefined) return 'not there';
  const inner: unknown = typeof value === 'object' && value !== null && 'value' in value ? value.value : undefined;
  const text = JSON.stringify(typeof inner === 'string' ? inner : value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
