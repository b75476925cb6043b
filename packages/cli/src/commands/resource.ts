/** `systole resource`, except moving (`move.ts`) and values (`values.ts`). */
import type { ResourceRow, StatusReport } from '@systole/api';
import { namedResources, type OperationRecord } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { Draft } from '../language/draft.ts';
import { fromConfiguration, type Item, membersOf } from '../language/items.ts';
import { printItems } from '../language/print.ts';
import { didYouMean } from '../language/suggest.ts';
import { table } from '../render/table.ts';
import { formatSpan, formatTime } from '../render/time.ts';
import { changeConfiguration, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';
import { readValue, withValue } from '../shell/values.ts';
import { waitUntilIdle } from '../shell/wait.ts';
import { findResource } from './values.ts';

/** A restart waits so long for the stop, unless `--wait` says otherwise. */
const RESTART_WAIT_MS = 600_000;

// --- looking ---------------------------------------------------------------------------------------------------

export async function status(context: Context, args: readonly string[]): Promise<number> {
  const { resources } = await context.client.status();
  const rows = args.length === 0 ? resources : args.flatMap((id) => rowsOf(resources, id));
  context.answer(
    rows,
    table(
      rows.map((row) => [
        row.id,
        row.role,
        row.nodes.join(', '),
        row.within === undefined ? '' : `in ${row.within}`,
        row.flags.join(', '),
      ]),
    ),
  );
  return exitStatus.done;
}

/** The instances that are meant by a name: of that resource, or of the group or clone. */
function rowsOf(resources: StatusReport['resources'], id: string): readonly ResourceRow[] {
  const rows = resources.filter((row) => row.id === id || row.id.replace(/:\d+$/, '') === id || row.within === id);
  if (rows.length > 0) return rows;
  const names = resources.flatMap((row) => [row.id, row.within ?? row.id]);
  throw new SystoleError('notFound', `there is no resource "${id}"${didYouMean(id, names)}`);
}

export async function locate(context: Context, args: readonly string[]): Promise<number> {
  const [id = ''] = args;
  const rows = rowsOf((await context.client.status()).resources, id);
  const places = rows.flatMap((row) => row.nodes.map((node) => ({ resource: row.id, node, role: row.role })));
  const text =
    places.length === 0
      ? `${id} runs nowhere`
      : places.map((place) => `${place.resource} is ${place.role} on ${place.node}`).join('\n');
  context.answer(places, text);
  return places.length === 0 ? exitStatus.failed : exitStatus.done;
}

export async function constraints(context: Context, args: readonly string[]): Promise<void> {
  const [id = ''] = args;
  const items = fromConfiguration((await context.client.cib()).configuration);
  if (!items.some((item) => item.id === id))
    throw new SystoleError(
      'notFound',
      `there is no resource "${id}"${didYouMean(
        id,
        items.map((item) => item.id),
      )}`,
    );
  const found = items.filter((item) => item.kind === 'constraint' && namedResources(item.value).includes(id));
  context.answer(
    found.map((item) => item.value),
    found.length === 0 ? `nothing constrains ${id}` : printItems(found, items),
  );
}

export async function operations(context: Context, args: readonly string[]): Promise<void> {
  const [id, node] = args;
  const cib = await context.client.cib();
  const rows = cib.status.nodes
    .filter((state) => node === undefined || state.name === node)
    .flatMap((state) =>
      state.history
        .filter((history) => id === undefined || history.id === id || history.id.replace(/:\d+$/, '') === id)
        .flatMap((history) =>
          history.operations.map((record) => ({ resource: history.id, node: state.name ?? state.id, record })),
        ),
    )
    .toSorted((a, b) => (a.record.lastChange ?? 0) - (b.record.lastChange ?? 0));
  if (rows.length === 0 && id !== undefined)
    throw new SystoleError('notFound', `nothing is known of operations of "${id}"`);
  context.answer(
    rows.map(({ resource, node: where, record }) => ({ resource, node: where, ...record })),
    table(rows.map(({ resource, node: where, record }) => operationRow(resource, where, record))),
  );
}

function operationRow(resource: string, node: string, record: OperationRecord): readonly string[] {
  const every = record.intervalMs > 0 ? ` every ${formatSpan(record.intervalMs)}` : '';
  return [
    record.lastChange === undefined ? '' : formatTime(record.lastChange * 1000),
    node,
    resource,
    `${record.operation}${every}`,
    outcome(record),
    record.execMs === undefined ? '' : formatSpan(record.execMs),
    record.exitReason ?? '',
  ];
}

const statusWords: Readonly<Record<number, string>> = {
  [-1]: 'running',
  1: 'cancelled',
  2: 'timed out',
  3: 'not supported',
  4: 'failed',
  5: 'agent failed',
  6: 'no agent',
  7: 'no fence device',
};
const exitWords: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'error',
  2: 'wrong parameters',
  3: 'unimplemented',
  4: 'no permission',
  5: 'not installed',
  6: 'not configured',
  7: 'not running',
  8: 'promoted',
  9: 'promoted and failed',
};

const outcome = (record: OperationRecord): string =>
  record.status === 0 || record.status === 4
    ? (exitWords[record.exitCode] ?? `exit code ${record.exitCode}`)
    : (statusWords[record.status] ?? `status ${record.status}`);

// --- starting and stopping -------------------------------------------------------------------------------------

export const start = (context: Context, ids: readonly string[]): Promise<void> =>
  setRole(context, 'start', ids, 'Started');
export const stop = (context: Context, ids: readonly string[]): Promise<void> =>
  setRole(context, 'stop', ids, 'Stopped');
export const promote = (context: Context, ids: readonly string[]): Promise<void> =>
  setRole(context, 'promote', ids, 'Promoted');
export const demote = (context: Context, ids: readonly string[]): Promise<void> =>
  setRole(context, 'demote', ids, 'Unpromoted');

async function setRole(context: Context, word: string, ids: readonly string[], role: string): Promise<void> {
  await changeConfiguration(
    context,
    `resource ${word} ${ids.join(' ')}`,
    (draft) => {
      for (const id of ids) {
        const item = findResource(draft, id);
        if (role === 'Promoted' || role === 'Unpromoted') needPromotable(item);
        draft.update(withRole(draft, item, role));
      }
    },
    ids,
  );
}

/** Stops only if the cluster would do nothing else because of it. */
export async function safeStop(context: Context, ids: readonly string[]): Promise<void> {
  const cib = await liveCib(context);
  const draft = new Draft(cib.configuration);
  const own = new Set<string>();
  for (const id of ids) {
    const item = findResource(draft, id);
    draft.update(withValue(item, 'meta', 'target-role', 'Stopped'));
    for (const name of withContents(draft, item)) own.add(name);
  }
  const { disturbances } = await import('../render/plan.ts');
  const isOwn = (text: string): boolean =>
    [...own].some((name) => new RegExp(`^stop ${name.replace(/[.]/g, '\\.')}(?::\\d+)? `).test(`${text} `));
  const others = disturbances(cib, { ...cib, configuration: draft.finish() }).filter((text) => !isOwn(text));
  if (others.length > 0) {
    throw new SystoleError('refused', `stopping ${ids.join(', ')} would also: ${others.join('; ')}`);
  }
  await stop(context, ids);
}

function withContents(draft: Draft, item: Item): readonly string[] {
  const inner = membersOf(item).flatMap((id) => {
    const member = draft.find(id);
    return member === undefined ? [] : withContents(draft, member);
  });
  return [item.id, ...inner];
}

/** `Started` is what is wanted of a promotable clone only if it was stopped before; it may be promoted again. */
const withRole = (draft: Draft, item: Item, role: string): Item => {
  const outer = draft.containerOf(item.id);
  const isInherited = outer !== undefined && readValue(outer, 'meta', 'target-role') !== undefined;
  const removes = role === 'Started' && !isInherited;
  return withValue(item, 'meta', 'target-role', removes ? undefined : role);
};

function needPromotable(item: Item): void {
  const isPromotable =
    item.kind === 'clone' && /^(?:true|yes|on|y|1)$/i.test(readValue(item, 'meta', 'promotable') ?? '');
  if (!isPromotable) throw new SystoleError('refused', `${item.id} is not a promotable clone`);
}

/** Stops, waits, and takes the stop back. What was wanted before is wanted again, whatever happens meanwhile. */
export async function restart(context: Context, ids: readonly string[]): Promise<void> {
  const cib = await context.client.cib();
  const draft = new Draft(cib.configuration);
  const roles = new Map(ids.map((id) => [id, readValue(findResource(draft, id), 'meta', 'target-role')]));
  for (const [id, role] of roles) {
    if (role?.toLowerCase() === 'stopped')
      throw new SystoleError('refused', `${id} is stopped; start it with resource start ${id}`);
  }
  // The first half waits by itself.
  const { waitMs, ...options } = context.options;
  const immediate = context.withOptions(options);
  const stopped = await changeConfiguration(
    immediate,
    `resource restart ${ids.join(' ')} (stop)`,
    (edit) => {
      for (const id of ids) edit.update(withValue(findResource(edit, id), 'meta', 'target-role', 'Stopped'));
    },
    ids,
  );
  if (stopped === undefined) return;
  try {
    await waitUntilIdle(context, waitMs ?? RESTART_WAIT_MS);
  } finally {
    await changeConfiguration(context, `resource restart ${ids.join(' ')} (start)`, (edit) => {
      for (const id of ids) edit.update(withValue(findResource(edit, id), 'meta', 'target-role', roles.get(id)));
    });
  }
}

// --- managing --------------------------------------------------------------------------------------------------

export const manage = (context: Context, ids: readonly string[]): Promise<void> =>
  setMeta(context, 'manage', ids, 'is-managed', undefined);
export const unmanage = (context: Context, ids: readonly string[]): Promise<void> =>
  setMeta(context, 'unmanage', ids, 'is-managed', 'false');

export const maintenance = (context: Context, args: readonly string[]): Promise<void> => {
  const [id = '', state = 'on'] = args;
  const isOn = /^(?:on|true|yes)$/i.test(state);
  if (!isOn && !/^(?:off|false|no)$/i.test(state)) throw new UsageError(`maintenance is on or off, not "${state}"`);
  return setMeta(context, `maintenance ${isOn ? 'on' : 'off'}`, [id], 'maintenance', isOn ? 'true' : undefined);
};

const setMeta = async (
  context: Context,
  word: string,
  ids: readonly string[],
  name: string,
  value: string | undefined,
): Promise<void> => {
  await changeConfiguration(context, `resource ${word} ${ids.join(' ')}`, (draft) => {
    for (const id of ids) draft.update(withValue(findResource(draft, id), 'meta', name, value));
  });
};

// --- failures --------------------------------------------------------------------------------------------------

export const cleanUp = (context: Context, args: readonly string[]): Promise<void> => forget(context, args, false);
export const refresh = (context: Context, args: readonly string[]): Promise<void> => forget(context, args, true);

async function forget(context: Context, args: readonly string[], isWhole: boolean): Promise<void> {
  const [given, node] = args;
  const { waitIfAsked } = await import('../shell/wait.ts');
  const { nodes, resources } = await context.client.status();
  // One argument may be a node as well.
  const isNode =
    node === undefined &&
    given !== undefined &&
    nodes.some((each) => each.name === given) &&
    !resources.some((row) => row.id === given);
  const resource = isNode ? undefined : given;
  const where = isNode ? given : node;
  const ids = resource === undefined ? [undefined] : [...new Set(rowsOf(resources, resource).map((row) => row.id))];
  for (const id of ids) {
    await context.client.cleanUp({
      isWhole,
      ...(id === undefined ? {} : { resource: id }),
      ...(where === undefined ? {} : { node: where }),
    });
  }
  await waitIfAsked(context);
  context.answer({ resources: ids, node: where ?? null }, '');
}

export async function failCount(context: Context, args: readonly string[]): Promise<void> {
  const [id = '', action = '', node, value] = args;
  const report = await context.client.status();
  const failures = report.failures.filter(
    (failure) =>
      (failure.resource === id || failure.resource.replace(/:\d+$/, '') === id) &&
      (node === undefined || failure.node === node),
  );
  if (action === 'show') {
    rowsOf(report.resources, id);
    const rows = failures.map((failure) => [
      failure.node,
      failure.operation,
      failure.count >= 1_000_000 ? 'INFINITY' : String(failure.count),
    ]);
    context.answer(failures, rows.length === 0 ? `${id} has no failures` : table(rows));
    return;
  }
  if (action === 'delete') return await forget(context, node === undefined ? [id] : [id, node], false);
  if (node === undefined || value === undefined) throw new UsageError('failcount set needs a node and a number');
  const count = /^(?:INFINITY|\d+)$/i.test(value) ? value.toUpperCase() : undefined;
  if (count === undefined) throw new UsageError(`"${value}" is not a number of failures`);
  await context.client.setAttributes({ node, values: { [`fail-count-${id}#monitor_0`]: count } });
}
