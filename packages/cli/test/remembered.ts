/** A cluster that remembers three transitions, and what they were decided from; no daemon, no sockets. */
import type { EventRow, GatheredPart, InputRow, StoredInput } from '@systole/api';
import { type Cib, importCib } from '@systole/cib';
import { schedule, transitionDigest } from '@systole/pe';
import { Context } from '../src/shell/context.ts';
import { readOptions } from '../src/shell/options.ts';

export const begin = 1_767_225_600_000;

const node = (id: number, name: string, operation = ''): string =>
  `<node_state id="${id}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="${id}"><lrm_resources><lrm_resource id="web" class="ocf" provider="systole" type="dummy">${operation}</lrm_resource></lrm_resources></lrm></node_state>`;
const probed = (code: number): string =>
  `<lrm_rsc_op id="web_last_0" operation_key="web_monitor_0" operation="monitor" interval="0" call-id="1" rc-code="${code}" op-status="0" transition-key="1:1:7:x"/>`;

/** `web` runs nowhere unless it was `found` on n1; where it may run, `score` says. */
export function cib(epoch: number, score: string, found = 7): Cib {
  const imported =
    importCib(`<cib validate-with="pacemaker-3.0" epoch="${epoch}" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
    <configuration>
      <crm_config>
        <cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
        <cluster_property_set id="systole-facts"><nvpair id="f1" name="have-watchdog" value="true"/></cluster_property_set>
      </crm_config>
      <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
      <resources><primitive id="web" class="ocf" provider="systole" type="dummy"/></resources>
      <constraints><rsc_location id="l" rsc="web" node="n2" score="${score}"/></constraints>
    </configuration>
    <status>${node(1, 'n1', probed(found))}${node(2, 'n2', probed(7))}</status></cib>`);
  if (!imported.ok) throw new Error(imported.error.message);
  return imported.value.cib;
}

export function stored(number: number, given: Cib): StoredInput {
  const at = begin + number * 60_000;
  return {
    format: 'systole-input/1',
    transition: `tr_${number}`,
    number,
    node: 'n1',
    at,
    cause: 'the weather',
    release: '0.1.0',
    decision: transitionDigest(schedule(given, { now: at }).transition),
    cib: given,
  };
}

const event = (at: number, name: string, text: string, fields: EventRow['fields'] = {}): EventRow => ({
  number: at,
  at,
  level: name === 'resource.failed' ? 'warn' : 'info',
  subsystem: 'crm',
  event: name,
  text,
  fields,
});

const told = (number: number): readonly EventRow[] => {
  const at = begin + number * 60_000;
  const id = `tr_${number}`;
  const cause = 'the weather';
  return [
    event(at, 'transition.started', `transition ${number}: 1 actions, because of ${cause}`, {
      transition: id,
      actions: 1,
      cause,
    }),
    event(at + 5, 'resource.failed', `start of web on n2 failed with ${number}`, { resource: 'web', node: 'n2' }),
    event(at + 10, 'transition.ended', `transition ${number} complete`, {
      transition: id,
      outcome: 'complete',
      done: 1,
    }),
  ];
};

export const inputs = [stored(1, cib(4, '100')), stored(2, cib(5, 'INFINITY')), stored(3, cib(6, '-INFINITY', 0))];

/** n1 led, and keeps what is `kept`. */
export function played(kept: readonly StoredInput[] = inputs, options: readonly string[] = []) {
  const said: string[] = [];
  const remarks: string[] = [];
  const terminal = {
    out: (text: string) => said.push(text),
    error: (text: string) => remarks.push(text),
    isInteractive: false,
    isTerminal: false,
    ask: () => Promise.resolve('no'),
    lend: <Value>(given: () => Value): Value => given(),
    readInput: () => '',
  };
  const context = new Context(readOptions(['history', ...options]).options, terminal, '/nowhere');
  const rows = kept.map(({ transition: id, number, at }, index): InputRow => ({
    transition: id,
    number,
    at,
    bytes: 1234,
    serial: index + 1,
  }));
  const answer = (...parts: readonly GatheredPart[]) => Promise.resolve({ parts, missing: [] });
  const client = {
    status: () =>
      Promise.resolve({
        quorate: true,
        nodes: ['n1', 'n2'].map((name) => ({ name, state: 'online', kind: 'member' })),
      }),
    cib: () => Promise.resolve(cib(9, '7')),
    gather: (what: string) =>
      what === 'inputs'
        ? answer({ node: 'n1', inputs: rows }, { node: 'n2', inputs: [] })
        : answer({ node: 'n1', events: [1, 2, 3].flatMap(told) }, { node: 'n2', events: [] }),
    gatherInput: (id: string) => {
      const input = kept.find((each) => each.transition === id);
      return answer({ node: 'n1', ...(input === undefined ? {} : { input }) }, { node: 'n2' });
    },
  };
  Object.defineProperty(context, 'client', { value: client });
  return { context, said, remarks };
}
