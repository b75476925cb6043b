/** Which of two recorded operations is the newer. Semantics: Pacemaker's pe__is_newer_op(). */
import type { OperationRecord } from '@systole/cib';
import { wholeNumber } from '../config/values.ts';

/** Negative if `a` is older, positive if it is newer, 0 if it cannot be told. */
export function compareRecords(a: OperationRecord, b: OperationRecord): number {
  const isSameNode = (a.onNode ?? '').toLowerCase() === (b.onNode ?? '').toLowerCase();
  if (isSameNode && a.id === b.id) return 0;
  if (a.callId === -1 && b.callId === -1) return 0;
  if (isSameNode && a.callId >= 0 && a.callId < b.callId) return -1;
  if (isSameNode && b.callId >= 0 && a.callId > b.callId) return 1;
  if (a.callId >= 0 && b.callId >= 0) {
    const [timeA, timeB] = [a.lastChange ?? -1, b.lastChange ?? -1];
    if (timeA >= 0 && timeA < timeB) return -1;
    return timeB >= 0 && timeA > timeB ? 1 : 0;
  }
  return compareTransitions(a, b);
}

/** One of the two is pending: the transition that each belongs to tells their order, if it is of the same DC. */
function compareTransitions(a: OperationRecord, b: OperationRecord): number {
  const [left, right] = [transitionOf(a), transitionOf(b)];
  if (left === undefined || right === undefined) return 0;
  if (left.dc !== right.dc || left.number === right.number) return b.callId === -1 ? -1 : Number(a.callId === -1);
  if ((left.number >= 0 && left.number < right.number) || right.number === -1) return -1;
  return (right.number >= 0 && left.number > right.number) || left.number === -1 ? 1 : 0;
}

function transitionOf(record: OperationRecord): { readonly dc: string; readonly number: number } | undefined {
  const [, key] = record.transitionMagic?.split(';') ?? [];
  const parts = key?.split(':');
  if (parts === undefined || parts.length < 3) return undefined;
  const [, transition, third, fourth] = parts;
  return { dc: (fourth ?? third ?? '').toLowerCase(), number: wholeNumber(transition) ?? -1 };
}
