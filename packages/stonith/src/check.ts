/** Whether something that a peer sent is a message of ours. Foreign data never reaches the fencer unchecked. */
import { fail, ok, type Result } from '@systole/kernel';
import type { FencingEvent } from './contract.ts';
import { fenceActions, type FencerMessage, fenceOutcomes } from './message.ts';

/** More than any message holds: 500 events of history with their reasons. */
export const listLengthMax = 500;
export const textLengthMax = 4096;

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string' && value.length <= textLengthMax;
const flag: Check = (value) => typeof value === 'boolean';
const duration: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const delay: Check = (value) => value === -1 || duration(value);
const list =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= listLengthMax && value.every(item);
const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const object =
  (fields: Fields): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name])) &&
    Object.keys(value).every((name) => name in fields);

const action = oneOf(fenceActions);

const event = object({
  id: text,
  target: text,
  action,
  state: oneOf(['pending', 'ok', 'failed'] satisfies readonly FencingEvent['state'][]),
  outcome: optional(oneOf(fenceOutcomes)),
  devices: list(text),
  executor: optional(text),
  originator: text,
  client: text,
  startedAt: duration,
  endedAt: optional(duration),
  reason: text,
});

const offered = object({
  id: text,
  isVerified: flag,
  isUnfencing: flag,
  timeoutMs: object({ off: optional(duration), reboot: optional(duration), on: optional(duration) }),
  delayMs: duration,
  supports: list(action),
  isRebootOff: flag,
});

const kinds: Readonly<Record<FencerMessage['kind'], Check>> = {
  query: object({ kind: text, operation: text, target: text, action, timeoutMs: duration, allowsSelf: flag }),
  queryAnswer: object({ kind: text, operation: text, devices: list(offered) }),
  perform: object({
    kind: text,
    operation: text,
    step: duration,
    target: text,
    action,
    device: text,
    timeoutMs: duration,
    delayMs: delay,
    completes: flag,
  }),
  performed: object({
    kind: text,
    operation: text,
    step: duration,
    outcome: oneOf(['ok', 'failed', 'timedOut']),
    reason: text,
  }),
  announcement: object({ kind: text, event }),
  history: object({ kind: text, wantsAnswer: flag, events: list(event) }),
  historyCleaned: object({ kind: text, target: optional(text) }),
  resetYourself: object({ kind: text, reason: text }),
};

export function checkMessage(value: unknown): Result<FencerMessage, string> {
  const kind = typeof value === 'object' && value !== null ? (value as { readonly kind?: unknown }).kind : undefined;
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return fail('no kind of message that fencers send');
  const isValid = kinds[kind as FencerMessage['kind']](value);
  return isValid ? ok(value as FencerMessage) : fail(`a message "${kind}" with fields that are wrong or missing`);
}
