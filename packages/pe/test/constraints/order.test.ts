import { describe, expect, test } from 'vitest';
import type { OrderEnd, OrderRelation } from '../../src/constraints/constraint.ts';
import { constraintsOf, dummy, meta } from '../support/cluster.ts';

const three = dummy('web') + dummy('db') + dummy('log');
const end = (one: OrderEnd): string => (one.type === 'gate' ? one.gate.name : `${one.action} ${one.resource.id}`);
const brief = ({ first, then, effects }: OrderRelation): string => `${end(first)} → ${end(then)}: ${effects.join(' ')}`;
const read = (constraints: string, resources = three): readonly string[] =>
  constraintsOf({ resources, constraints }).orders.map(brief);

describe('an order', () => {
  test('that is mandatory blocks what comes after, and is undone in the opposite direction', () => {
    expect(read('<rsc_order id="o" first="db" then="web"/>')).toEqual([
      'start db → start web: ordered firstImpliesThen unrunnableFirstBlocks',
      'stop web → stop db: ordered thenImpliesFirst',
    ]);
  });

  test('that is optional (or has the score 0) only sorts what is done anyway', () => {
    const both = ['start db → start web: ordered', 'stop web → stop db: ordered'];
    expect(read('<rsc_order id="o" first="db" then="web" kind="Optional"/>')).toEqual(both);
    expect(read('<rsc_order id="o" first="db" then="web" score="0"/>')).toEqual(both);
  });

  test('that is not symmetrical has one direction', () => {
    expect(read('<rsc_order id="o" first="db" then="web" symmetrical="false"/>')).toEqual([
      'start db → start web: ordered asymmetric',
    ]);
  });

  test('that serializes has no opposite', () => {
    expect(read('<rsc_order id="o" first="db" then="web" kind="Serialize"/>')).toEqual([
      'start db → start web: serialized',
    ]);
  });

  test('takes the action of its second end from the first where it does not say', () => {
    expect(read('<rsc_order id="o" first="db" first-action="stop" then="web" symmetrical="false"/>')).toEqual([
      'stop db → stop web: ordered asymmetric',
    ]);
  });
});

const set = (id: string, members: readonly string[], attributes = ''): string =>
  `<resource_set id="${id}" ${attributes}>${members.map((member) => `<resource_ref id="${member}"/>`).join('')}</resource_set>`;

describe('an order with sets', () => {
  test('goes through a sequential set in its order, and back', () => {
    const constraint = `<rsc_order id="o" kind="Optional">${set('s', ['db', 'web', 'log'])}</rsc_order>`;
    expect(read(constraint)).toEqual([
      'start db → start web: ordered',
      'start web → start log: ordered',
      'stop web → stop db: ordered',
      'stop log → stop web: ordered',
    ]);
  });

  test('opens a gate where one of several is enough', () => {
    const constraint = `<rsc_order id="o">${set('s', ['db', 'log'], 'sequential="false" require-all="false"')}${set('t', ['web'])}</rsc_order>`;
    const { orders, gates } = constraintsOf({ resources: three, constraints: constraint });
    expect(gates).toEqual([{ name: 'one-or-more:s', required: 1 }]);
    expect(orders.map(brief)).toEqual([
      'start db → one-or-more:s: minRunnable firstImpliesThenGraphed',
      'start log → one-or-more:s: minRunnable firstImpliesThenGraphed',
      'one-or-more:s → start web: ordered firstImpliesThen unrunnableFirstBlocks',
      'stop web → stop db: ordered thenImpliesFirst',
      'stop web → stop log: ordered thenImpliesFirst',
    ]);
  });
});

test('a clone with clone-min opens a gate for what comes after it', () => {
  const clone = `<clone id="pool">${meta('pool', { 'clone-min': 2 })}${dummy('db')}</clone>`;
  const { gates, orders } = constraintsOf({
    resources: clone + dummy('web'),
    constraints: '<rsc_order id="o" first="pool" then="web"/>',
  });
  expect(gates).toEqual([{ name: 'clone-one-or-more:o', required: 2 }]);
  expect(orders.map(brief)).toContain('start db:0 → clone-one-or-more:o: minRunnable firstImpliesThenGraphed');
});
