/** What a change of the configuration would do: its statements, and what the cluster would do about it. */
import type { Cib } from '@systole/cib';
import { type Change, schedule, summarize } from '@systole/pe';
import { fromConfiguration } from '../language/items.ts';
import { diffItems } from './diff.ts';

/** The configuration's difference, then what the cluster would do. */
export function renderPlan(before: Cib, after: Cib): string {
  const text = diffItems(fromConfiguration(before.configuration), fromConfiguration(after.configuration));
  const changes = plannedChanges(after).map(changeText);
  const plan = changes.length === 0 ? 'the cluster would do nothing' : changes.map((line) => `  ${line}`).join('\n');
  return `${text === '' ? 'the configuration stays as it is\n' : text}\n${changes.length === 0 ? plan : `the cluster would:\n${plan}`}\n`;
}

const plannedChanges = (cib: Cib): readonly Change[] => summarize(schedule(cib, { now: Date.now() }));

/** Kinds of changes that a user of the service would notice. */
const disturbing = new Set<Change['change']>([
  'stop',
  'restart',
  'recover',
  'move',
  'migrate',
  'demote',
  're-promote',
  'fence',
]);

/** What runs now and would be stopped or moved by the change, in words; what would happen anyway does not count. */
export function disturbances(before: Cib, after: Cib): readonly string[] {
  const anyway = new Set(plannedChanges(before).map(changeText));
  return plannedChanges(after)
    .filter((change) => disturbing.has(change.change))
    .map(changeText)
    .filter((text) => !anyway.has(text));
}

export function changeText(change: Change): string {
  const reason = change.reason === undefined ? '' : `, because ${change.reason}`;
  const blocked = change.blocked === true ? ' (blocked)' : '';
  if (change.change === 'fence') return `fence ${change.node ?? ''} (${change.fence ?? ''})${reason}`;
  const role = (name: string | undefined): string => (name === undefined ? '' : ` (${name})`);
  const from = change.from === undefined ? '' : `${change.from}${role(change.from_role)}`;
  const to = change.to === undefined ? '' : `${change.to}${role(change.to_role)}`;
  const where = from === to || to === '' ? ` on ${from}` : from === '' ? ` on ${to}` : ` from ${from} to ${to}`;
  return `${change.change} ${change.rsc ?? ''}${where}${blocked}${reason}`;
}
