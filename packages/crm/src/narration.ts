/** The cluster's story, for log and timeline: what happened as a sentence with its fields. Nothing is decided here. */
import { type Cib, formatVersion } from '@systole/cib';
import type { DepartedMember, Report } from './contract.ts';
import type { ChangeMessage, Fenced, ResultMessage } from './messages.ts';

export const report = (
  level: Report['level'],
  event: string,
  text: string,
  fields: Readonly<Record<string, unknown>> = {},
): Report => ({ type: 'report', level, event, text, fields });

/** `monitor (every 10 s) of www on n1`: an operation as people say it. */
export function operationName(from: string, { resource, record }: ResultMessage): string {
  const { operation, intervalMs } = record;
  const name = intervalMs > 0 ? `${operation} (every ${intervalMs / 1000} s)` : operation;
  return `${name} of ${resource} on ${from}`;
}

export function memberDeparted({ name, cause }: DepartedMember): Report {
  const fields = { node: name, cause };
  if (cause === 'left') return report('info', 'node.left', `${name} has left`, fields);
  const text = `${name} is lost (${cause}): it must be fenced before its resources are recovered`;
  return report('warn', 'node.lost', text, fields);
}

export function operationEnded(from: string, message: ResultMessage): Report {
  const { resource, record, hasSucceeded } = message;
  const { operation, intervalMs, exitCode, exitReason } = record;
  const isProbe = operation === 'monitor' && intervalMs === 0;
  const reason = exitReason === undefined || exitReason === '' ? '' : `: ${exitReason}`;
  const fields = { resource, node: from, operation, intervalMs, exitCode, status: record.status };
  const name = operationName(from, message);
  if (hasSucceeded) {
    const level = isProbe || intervalMs > 0 ? 'debug' : 'info';
    return report(level, 'operation.done', `${name} done`, fields);
  }
  if (isProbe) {
    return report('info', 'resource.found', `${resource} on ${from}: probe says ${exitCode}${reason}`, fields);
  }
  return report('warn', 'resource.failed', `${name} failed with ${exitCode}${reason}`, fields);
}

export function nodeFenced({ target, action, devices, executor }: Fenced): Report {
  const by = devices.length === 0 ? '' : ` by ${devices.join(', ')}`;
  const text = `${target} was fenced (${action})${by}${executor === undefined ? '' : ` from ${executor}`}`;
  return report('warn', 'node.fenced', text, { node: target, action, devices });
}

export function configurationChanged(from: string, { user, command, change }: ChangeMessage, cib: Cib): Report {
  const version = formatVersion(cib.version);
  const what = command ?? `${change.edits.length} edits`;
  return report('info', 'cib.changed', `CIB ${version} by ${user} on ${from}: ${what}`, { user, version });
}
