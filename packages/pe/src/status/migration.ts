/**
 * Live migrations that the histories show: done, half done, failed. A complete one is `migrate_to` on the source,
 * `migrate_from` on the target, `stop` on the source. Without the second it is partial (and may go on), without the
 * third the source is dangling (and must be stopped). Any newer result on a node outdates what a migration says of it.
 *
 * Semantics: Pacemaker's unpack_migrate_to_success() and its neighbours.
 */
import type { OperationRecord } from '@systole/cib';
import { type DraftNode, type DraftPrimitive, findNode, type Reader } from '../expand/draft.ts';
import { addActive, markFailed } from './active.ts';
import { compareRecords } from './order.ts';

const notRunning = 7;
const unknownExit = 193;

const recordsOf = (reader: Reader, resource: string, node: string): readonly OperationRecord[] =>
  reader.recorded.get(node)?.get(resource)?.operations ?? [];

/** The one record that fits; several say nothing certain (a probe's and a monitor's), so none is taken. */
function findRecord(
  reader: Reader,
  resource: string,
  operation: string,
  node: string,
  peer: string | undefined,
  exitCode: number | undefined,
): OperationRecord | undefined {
  const matching = recordsOf(reader, resource, node).filter(
    (one) =>
      one.operation === operation &&
      (peer === undefined || (operation === 'migrate_to' ? one.migrateTarget : one.migrateSource) === peer),
  );
  const found = matching.length === 1 ? matching[0] : undefined;
  if (found === undefined || exitCode === undefined) return found;
  return found.exitCode === exitCode && found.status === 0 ? found : undefined;
}

const isUnknownOn = (reader: Reader, resource: string, node: string): boolean =>
  recordsOf(reader, resource, node).every((one) => one.exitCode === unknownExit);

const decisive: ReadonlySet<string> = new Set(['start', 'stop', 'migrate_to', 'migrate_from']);

const hasNewerChange = (reader: Reader, resource: string, node: string, than: OperationRecord): boolean =>
  recordsOf(reader, resource, node).some(
    (one) => one !== than && decisive.has(one.operation) && compareRecords(one, than) > 0,
  );

function foundStoppedAfter(reader: Reader, resource: string, node: string, than: OperationRecord): boolean {
  const monitor = findRecord(reader, resource, 'monitor', node, undefined, notRunning);
  return monitor !== undefined && compareRecords(monitor, than) > 0;
}

/** Whether a node's history tells something newer than the migration. */
function hasNewerState(
  reader: Reader,
  resource: string,
  node: string,
  to: OperationRecord | undefined,
  from: OperationRecord | undefined,
): boolean {
  const event = from ?? to;
  if (event === undefined) return false;
  // Results on one node have numbers, which tell their order better than clocks do.
  const isSource = node.toLowerCase() === (event.migrateSource ?? '').toLowerCase();
  const compared = event !== to && to !== undefined && isSource ? to : event;
  return hasNewerChange(reader, resource, node, compared) || foundStoppedAfter(reader, resource, node, compared);
}

interface Ends {
  readonly source: string;
  readonly target: string;
}

/** The names of both nodes, if the record has them and agrees with where it was found. */
function endsOf(
  record: OperationRecord,
  place: { readonly source?: DraftNode; readonly target?: DraftNode },
): Ends | undefined {
  const { migrateSource: source, migrateTarget: target } = record;
  if (source === undefined || target === undefined) return undefined;
  const fits = (node: DraftNode | undefined, name: string): boolean =>
    node === undefined || node.name.toLowerCase() === name.toLowerCase();
  return fits(place.source, source) && fits(place.target, target) ? { source, target } : undefined;
}

/** `migrate_to` succeeded on `node`: what became of the other half? */
export function readMigrationSent(
  reader: Reader,
  instance: DraftPrimitive,
  node: DraftNode,
  record: OperationRecord,
): void {
  const ends = endsOf(record, { source: node });
  if (ends === undefined) return;
  const { source, target } = ends;
  const hasLeft = hasNewerChange(reader, instance.id, source, record);
  const from = findRecord(reader, instance.id, 'migrate_from', target, source, undefined);
  if (from !== undefined && hasLeft) return;
  const isOutdated = hasNewerState(reader, instance.id, target, record, from);
  if (hasLeft && isOutdated) return;
  if (from !== undefined && from.exitCode === 0 && from.status === 0) {
    instance.role = 'Stopped';
    instance.danglingSources.unshift(node);
    return;
  }
  instance.role = 'Started';
  const targetNode = findNode(reader, target);
  const mayBeThere = !isOutdated && targetNode?.isOnline === true;
  const cannotGoOn = (): void => {
    markFailed(instance);
    instance.allowsMigration = false;
  };
  if (from !== undefined && from.status !== -1) {
    if (mayBeThere) addActive(reader, instance, targetNode, true);
    else cannotGoOn();
    return;
  }
  // Cleaned up there: a probe will tell.
  if (targetNode?.isOnline === true && isUnknownOn(reader, instance.id, target)) return;
  if (mayBeThere) {
    addActive(reader, instance, targetNode, false);
    const sourceNode = findNode(reader, source);
    if (sourceNode?.isOnline === true) instance.partialMigration = { source: sourceNode, target: targetNode };
  } else if (!hasLeft) {
    cannotGoOn();
  }
}

/** `migrate_to` failed: it may be active on both sides. */
export function readFailedSending(
  reader: Reader,
  instance: DraftPrimitive,
  node: DraftNode,
  record: OperationRecord,
): void {
  const ends = endsOf(record, { source: node });
  if (ends === undefined) return;
  const { source, target } = ends;
  instance.role = 'Started';
  const from = findRecord(reader, instance.id, 'migrate_from', target, source, 0);
  const isThere =
    !isUnknownOn(reader, instance.id, target) && !hasNewerState(reader, instance.id, target, record, from);
  if (isThere) {
    const targetNode = findNode(reader, target);
    if (targetNode?.isOnline === true) addActive(reader, instance, targetNode, false);
  } else if (!hasNewerChange(reader, instance.id, source, record)) {
    instance.danglingSources.unshift(node);
  }
}

/** `migrate_from` failed: it may still be active on the source. */
export function readFailedArrival(
  reader: Reader,
  instance: DraftPrimitive,
  node: DraftNode,
  record: OperationRecord,
): void {
  const ends = endsOf(record, { target: node });
  if (ends === undefined) return;
  const { source, target } = ends;
  instance.role = 'Started';
  const to = findRecord(reader, instance.id, 'migrate_to', source, target, 0);
  if (isUnknownOn(reader, instance.id, source) || hasNewerState(reader, instance.id, source, to, record)) return;
  const sourceNode = findNode(reader, source);
  if (sourceNode?.isOnline === true) addActive(reader, instance, sourceNode, true);
}
