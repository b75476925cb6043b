/** Outcomes that can be expected are values. Exceptions are for the outside world and for our own mistakes. */

export interface Ok<Value> {
  readonly ok: true;
  readonly value: Value;
}

export interface Fail<Error> {
  readonly ok: false;
  readonly error: Error;
}

export type Result<Value, Error> = Ok<Value> | Fail<Error>;

export const ok = <Value>(value: Value): Ok<Value> => ({ ok: true, value });
export const fail = <Error>(error: Error): Fail<Error> => ({ ok: false, error });
