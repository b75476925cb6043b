import { expect, test } from 'vitest';
import { constraintsOf, dummy, type ClusterParts } from '../support/cluster.ts';

const read = (constraints: string, parts: Partial<ClusterParts> = {}) =>
  constraintsOf({ resources: dummy('web') + dummy('db'), constraints, ...parts }).tickets;

test('a ticket that nobody has heard of is not granted', () => {
  const [rule] = read('<rsc_ticket id="t" rsc="web" ticket="site-a"/>');
  expect(rule).toMatchObject({ ticket: 'site-a', isGranted: false, lossPolicy: 'stop' });
});

test('the state of a ticket comes from the status', () => {
  const tickets = '<ticket_state id="site-a" granted="true" standby="true"/>';
  const [rule] = read('<rsc_ticket id="t" rsc="web" ticket="site-a"/>', { tickets });
  expect(rule).toMatchObject({ isGranted: true, isStandby: true });
});

test('what only the promoted role needs is demoted when the ticket is lost', () => {
  expect(read('<rsc_ticket id="t" rsc="web" rsc-role="Promoted" ticket="x"/>')[0]?.lossPolicy).toBe('demote');
});

test('fencing as the loss policy is stop while fencing is not enabled, with a message', () => {
  const parts = {
    resources: dummy('web'),
    constraints: '<rsc_ticket id="t" rsc="web" ticket="x" loss-policy="fence"/>',
  };
  const { tickets, messages } = constraintsOf(parts);
  expect(tickets[0]?.lossPolicy).toBe('stop');
  expect(messages[0]?.text).toContain('fencing is not enabled');
  const fencing = constraintsOf({ ...parts, options: { 'fencing-enabled': 'true' } });
  expect(fencing.tickets[0]?.lossPolicy).toBe('fence');
});

test('every member of a set needs the ticket', () => {
  const set = '<resource_set id="s"><resource_ref id="web"/><resource_ref id="db"/></resource_set>';
  expect(read(`<rsc_ticket id="t" ticket="x">${set}</rsc_ticket>`).map(({ resource }) => resource.id)).toEqual([
    'web',
    'db',
  ]);
});
