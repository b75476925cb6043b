/** What a caller may do about a failure decides its code; scripts rely on codes, so a code never changes its meaning. */
export type ErrorCode =
  | 'invalid' // the request or input is wrong: correct it
  | 'notFound' // nothing of that name
  | 'refused' // understood, and not allowed in this state
  | 'conflict' // based on a state that has changed since
  | 'permission' // this user may not
  | 'noQuorum' // this partition may not act
  | 'timedOut' // no answer in time; the outcome is unknown
  | 'unavailable' // no daemon, or the daemon is not ready
  | 'failed'; // tried, and did not work

/** A failure that a person or program outside will read: what happened, where, and what to do next. */
export class SystoleError extends Error {
  override readonly name = 'SystoleError';
  readonly code: ErrorCode;
  /** Facts for programs: ids, places, expected and actual values. Plain JSON. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}
