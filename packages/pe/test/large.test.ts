/**
 * Clusters that are much larger in one direction than any should be: a decision, and not by way of the program's stack.
 * How long it takes is for `npm run bench -- pe` to say; here only the runner's own limit stands against minutes.
 */
import { importCib } from '@systole/cib';
import { schedule } from '@systole/pe';
import { expect, test } from 'vitest';
import { dummy, meta, noon, situationOf } from './support/cluster.ts';
import { decided } from './support/decided.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const each = (count: number, text: (at: number) => string): string => numbers(count).map(text).join('');
const starts = (actions: readonly string[]): number => actions.filter((action) => action.startsWith('start ')).length;

test('a long row of orders is followed to its end, forwards and backwards', () => {
  const count = 1200;
  const resources = each(count, (at) => dummy(`p${at}`));
  const forwards = each(count - 1, (at) => `<rsc_order id="o${at}" first="p${at}" then="p${at + 1}"/>`);
  const backwards = each(count - 1, (at) => `<rsc_order id="o${at}" first="p${at + 1}" then="p${at}"/>`);
  for (const constraints of [forwards, backwards]) {
    const { actions, circles } = decided({ resources, constraints });
    expect(starts(actions)).toBe(count);
    expect(circles).toEqual([]);
  }
});

test('what cannot start holds back a long row behind it', () => {
  const count = 1200;
  const resources = dummy('p0', meta('p0', { 'target-role': 'Stopped' })) + each(count, (at) => dummy(`p${at + 1}`));
  const constraints = each(
    count,
    (at) =>
      `<rsc_order id="o${at}" first="p${at}" then="p${at + 1}"/>` +
      `<rsc_colocation id="c${at}" rsc="p${at + 1}" with-rsc="p${at}" score="INFINITY"/>`,
  );
  expect(starts(decided({ resources, constraints }).actions)).toBe(0);
});

test('all members of a group of hundreds start where the last of them would like to', () => {
  const count = 400;
  const { actions } = decided({
    resources: `<group id="g">${each(count, (at) => dummy(`p${at}`))}</group>${dummy('w')}`,
    constraints:
      `<rsc_colocation id="c" rsc="w" with-rsc="p${count - 1}" score="INFINITY"/>` +
      '<rsc_location id="l" rsc="w" node="c" score="1"/>',
  });
  const nodes = new Set(actions.filter((action) => action.startsWith('start ')).map((action) => action.at(-1)));
  expect(starts(actions)).toBe(count + 1);
  expect([...nodes]).toEqual(['c']);
});

test('interleaved clones go instance by instance on hundreds of nodes', () => {
  const count = 150;
  const clone = (id: string): string =>
    `<clone id="${id}">${meta(id, { interleave: 'true' })}${dummy(`${id}-p`)}</clone>`;
  const { actions } = decided({
    nodes: numbers(count).map((at) => `n${at}`),
    resources: clone('a') + clone('b'),
    constraints: '<rsc_order id="o" first="a" then="b"/><rsc_colocation id="c" rsc="b" with-rsc="a" score="INFINITY"/>',
  });
  expect(starts(actions)).toBe(2 * count);
});

test('a clone that asks for thousands of instances gets no more than it may have', () => {
  const resources = `<clone id="c">${meta('c', { 'clone-max': 20_000 })}${dummy('p')}</clone>`;
  const { instances, messages } = situationOf({ resources });
  expect(instances.length).toBe(10_001);
  expect(messages.map(({ text }) => text).join('\n')).toContain('20000 instances are more than 10000');
});

test('thousands of resources are all started, spread over the nodes', () => {
  const count = 2000;
  const states = each(
    2,
    (at) => `<node_state id="${at}" uname="n${at}" in_ccm="true" crmd="online" join="member" expected="member"/>`,
  );
  const imported = importCib(
    `<cib have-quorum="true"><configuration><crm_config><cluster_property_set id="o"><nvpair id="o-f" name="stonith-enabled"
    value="false"/></cluster_property_set></crm_config><nodes>${each(2, (at) => `<node id="${at}" uname="n${at}"/>`)}</nodes>
    <resources>${each(count, (at) => dummy(`p${at}`))}</resources><constraints/></configuration><status>${states}</status></cib>`,
  );
  if (!imported.ok) throw new Error(imported.error.message);
  const { placement } = schedule(imported.value.cib, { now: noon });
  const perNode = Map.groupBy(placement.places, ({ node }) => node?.name);
  expect([...perNode].map(([name, places]) => [name, places.length])).toEqual([
    ['n0', count / 2],
    ['n1', count / 2],
  ]);
});
