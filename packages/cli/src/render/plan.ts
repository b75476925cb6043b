/** What a change of the configuration would do: its statements, and what the cluster would do about it. */
import type { Cib } from '@systole/cib';
import { type Change, schedule, summarize } from '@systole/pe';
import { fromConfiguration } from '../language/items.ts';
import { readValue } from '../shell/values.ts';
import { diffItems } from './diff.ts';

/** The configuration's difference, then what the cluster would do. */
export function renderPlan(before: Cib, after: Cib): string {
  const text = diffItems(fromConfiguration(before.configuration), fromConfiguration(after.configuration));
  const changes = plannedChanges(after).map((change) => changeText(change, after));
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
  const anyway = new Set(plannedChanges(before).map((change) => changeText(change, before)));
  return plannedChanges(after)
    .filter((change) => disturbing.has(change.change))
    .map((change) => changeText(change, after))
    .filter((text) => !anyway.has(text));
}

/** With the CIB it was planned from, a stop is explained by what is configured there. */
export function changeText(change: Change, cib?: Cib): string {
  const why = (cib && whyStopped(change, cib)) ?? change.reason;
  const reason = why === undefined ? '' : `, because ${why}`;
  const blocked = change.blocked === true ? ' (blocked)' : '';
  if (change.change === 'fence') return `fence ${change.node ?? ''} (${change.fence ?? ''})${reason}`;
  const role = (name: string | undefined): string => (name === undefined ? '' : ` (${name})`);
  const from = change.from === undefined ? '' : `${change.from}${role(change.from_role)}`;
  const to = change.to === undefined ? '' : `${change.to}${role(change.to_role)}`;
  const where = from === to || to === '' ? ` on ${from}` : from === '' ? ` on ${to}` : ` from ${from} to ${to}`;
  return `${change.change} ${change.rsc ?? ''}${where}${blocked}${reason}`;
}

/** The scheduler says only that no node is left for it; a person wants to know what took them away. */
function whyStopped({ change, rsc }: Change, cib: Cib): string | undefined {
  if (change !== 'stop' || rsc === undefined) return undefined;
  const id = rsc.replace(/:\d+$/, '');
  const items = fromConfiguration(cib.configuration);
  const item = items.find((each) => each.id === id);
  if (item === undefined) return 'it is no longer configured';
  return readValue(item, 'meta', 'target-role')?.toLowerCase() === 'stopped' ? 'its target-role is Stopped' : undefined;
}
