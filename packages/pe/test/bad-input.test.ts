/** Configurations that are wrong, contradict themselves or go round in circles: a decision and a message, never a crash. */
import { importCib } from '@systole/cib';
import { type Decision, schedule, simulate } from '@systole/pe';
import { describe, expect, test } from 'vitest';
import { dummy, meta, noon } from './support/cluster.ts';

function decide(resources: string, constraints = ''): Decision {
  const text = `<cib have-quorum="true" validate-with="pacemaker-3.9"><configuration><crm_config>
    <cluster_property_set id="o"><nvpair id="o-f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="alpha"/><node id="2" uname="beta"/></nodes><resources>${resources}</resources>
    <constraints>${constraints}</constraints></configuration><status>${['alpha', 'beta']
      .map(
        (name, at) =>
          `<node_state id="${at + 1}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member"/>`,
      )
      .join('')}</status></cib>`;
  const imported = importCib(text);
  if (!imported.ok) throw new Error(imported.error.message);
  return schedule(imported.value.cib, { now: noon });
}

const texts = (decision: Decision): string => decision.messages.map(({ text }) => text).join('\n');
const starts = (decision: Decision): readonly string[] =>
  decision.transition.actions.filter((one) => one.kind === 'rsc' && one.operation === 'start').map((one) => one.key);

describe('a decision is made, and the mistake is named', () => {
  test('where a clone asks for a thousand million instances', () => {
    const decision = decide(`<clone id="c">${meta('c', { 'clone-max': 1_000_000_000 })}${dummy('web')}</clone>`);
    expect(texts(decision)).toContain('c: 1000000000 instances are more than 10000');
    expect(starts(decision)).toHaveLength(2);
  });

  test('where orders go round in a circle', () => {
    const order = (first: string, then: string): string =>
      `<rsc_order id="${first}-${then}" first="${first}" then="${then}" kind="Mandatory"/>`;
    const decision = decide(dummy('a') + dummy('b') + dummy('c'), order('a', 'b') + order('b', 'c') + order('c', 'a'));
    expect(texts(decision)).toMatch(/wait for each other/);
  });

  test('where colocations go round in a circle', () => {
    const together = (one: string, other: string): string =>
      `<rsc_colocation id="${one}-${other}" rsc="${one}" with-rsc="${other}" score="INFINITY"/>`;
    const decision = decide(dummy('a') + dummy('b'), together('a', 'b') + together('b', 'a'));
    expect(decision.transition.actions.length).toBeGreaterThan(0);
  });

  test('where a resource must and must not run on a node', () => {
    const at = (id: string, score: string): string =>
      `<rsc_location id="${id}" rsc="a" node="alpha" score="${score}"/>`;
    const decision = decide(dummy('a'), at('must', 'INFINITY') + at('never', '-INFINITY'));
    expect(decision.placement.places[0]?.node?.name).toBe('beta');
  });

  test('where a constraint names what does not exist', () => {
    const decision = decide(dummy('a'), '<rsc_colocation id="k" rsc="a" with-rsc="nix" score="INFINITY"/>');
    expect(texts(decision)).toContain('nix');
    expect(starts(decision)).toEqual(['a_start_0']);
  });

  test('where a primitive is made from a template that is not there', () => {
    const decision = decide(`${dummy('a')}<primitive id="b" template="gone"/>`);
    expect(texts(decision)).toContain('there is no template "gone"');
    expect(starts(decision)).toEqual(['a_start_0']);
  });

  test('where two resources have one id', () => {
    expect(starts(decide(dummy('a') + dummy('a'))).length).toBeGreaterThan(0);
  });

  test('where numbers and words are nonsense', () => {
    const odd = {
      priority: 'lots',
      'resource-stickiness': '1e9',
      'migration-threshold': '-5',
      'failure-timeout': 'soon',
    };
    const decision = decide(
      dummy('a', meta('a', { ...odd, 'multiple-active': 'party', requires: 'luck', 'target-role': 'Boss' })),
    );
    expect(starts(decision)).toEqual(['a_start_0']);
  });
});

test('an empty cluster needs nothing', () => {
  const imported = importCib(
    '<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>',
  );
  if (!imported.ok) throw new Error(imported.error.message);
  const { decision, after } = simulate(imported.value.cib, { now: noon });
  expect(decision.transition.actions).toEqual([]);
  expect(after).toEqual({ nodes: [], resources: [] });
});
