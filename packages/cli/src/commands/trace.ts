/** `systole resource trace`: lets the agent of a resource write down what it does. */
import type { Operation } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import type { Item, ItemOf } from '../language/items.ts';
import { addUnit } from '../language/units.ts';
import { changeConfiguration } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { readValue, withValue } from '../shell/values.ts';
import { findResource } from './values.ts';

export const trace = (context: Context, args: readonly string[]): Promise<void> => setTrace(context, args, '1');
export const untrace = (context: Context, args: readonly string[]): Promise<void> => setTrace(context, args, undefined);

/** With an operation named, only that one is traced, and a resource that runs need not be restarted for its monitor. */
async function setTrace(context: Context, args: readonly string[], value: string | undefined): Promise<void> {
  const [id = '', operation, interval] = args;
  const word = value === undefined ? 'untrace' : 'trace';
  let touchesStart = operation === undefined || operation === 'start';
  await changeConfiguration(context, `resource ${word} ${args.join(' ')}`, (draft) => {
    const item = findResource(draft, id);
    if (item.kind !== 'primitive')
      throw new SystoleError('refused', `only primitives can be traced; ${id} is a ${item.kind}`);
    touchesStart ||= value === undefined && readValue(item, 'parameters', TRACE) !== undefined;
    const whole =
      operation === undefined || value === undefined ? withValue(item, 'parameters', TRACE, undefined) : item;
    if (operation === undefined && value !== undefined) draft.update(withValue(item, 'parameters', TRACE, value));
    else draft.update(withTracedOperation(whole as ItemOf<'primitive'>, { operation, interval }, value));
  });
  if (value === undefined) return;
  context.remark(
    touchesStart
      ? `${id} is restarted for this, as for every change of its parameters, unless its agent can reload`
      : `traces are written below ${TRACE_FOLDER} on the node that runs ${id}`,
  );
}

const TRACE = 'trace_ra';
/** Where OCF agents write their traces. */
const TRACE_FOLDER = '/var/lib/heartbeat/trace_ra';

function withTracedOperation(
  item: ItemOf<'primitive'>,
  { operation, interval }: { readonly operation: string | undefined; readonly interval: string | undefined },
  value: string | undefined,
): Item {
  const isMeant = (each: Operation): boolean =>
    (operation === undefined || each.name === operation) &&
    (interval === undefined || addUnit(each.interval ?? '0') === addUnit(interval));
  const { operations } = item.value;
  const has = operations.list.some(isMeant);
  if (!has && value !== undefined && operation === 'monitor')
    throw new SystoleError(
      'notFound',
      `${item.id} has no operation monitor${interval === undefined ? '' : ` every ${interval}`}`,
    );
  const list =
    has || value === undefined || operation === undefined
      ? operations.list
      : [...operations.list, { name: operation, interval: '0s', parameters: [], meta: [] }];
  const changed = list.map((each) => {
    if (!isMeant(each)) return each;
    const others = each.parameters
      .map((set) => ({ ...set, pairs: set.pairs.filter((pair) => pair.name !== TRACE) }))
      .filter((set) => set.pairs.length > 0 || set.rule !== undefined || set.idRef !== undefined);
    return { ...each, parameters: value === undefined ? others : [...others, { pairs: [{ name: TRACE, value }] }] };
  });
  return { ...item, value: { ...item.value, operations: { ...operations, list: changed } } };
}
