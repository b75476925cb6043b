/** What `explain` says, on small clusters in which one thing is wrong. */
import { importCib } from '@systole/cib';
import { schedule } from '@systole/pe';
import { describe, expect, test } from 'vitest';
import { explainResource, renderExplanation } from '../src/render/explain.ts';

const now = Date.UTC(2026, 6, 1, 12);

interface Parts {
  readonly resources: string;
  readonly constraints?: string;
  readonly options?: string;
  readonly cib?: string;
  readonly history?: string;
}

const dummy = (id: string, inner = ''): string =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;

function explained(name: string, parts: Parts, node?: string): string {
  const { resources, constraints = '', options = '', cib = 'have-quorum="1"', history = '' } = parts;
  const state = (id: number, lrm: string): string =>
    `<node_state id="${id}" uname="n${id}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="${id}"><lrm_resources>${lrm}</lrm_resources></lrm></node_state>`;
  const imported = importCib(`<cib validate-with="pacemaker-3.9" ${cib}><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-f" name="fencing-enabled" value="false"/>${options}</cluster_property_set></crm_config>
    <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>${resources}</resources><constraints>${constraints}</constraints>
    </configuration><status>${state(1, history)}${state(2, '')}</status></cib>`);
  if (!imported.ok) throw new Error(imported.error.message);
  return renderExplanation(explainResource(schedule(imported.value.cib, { now, explains: true }), name), node);
}

const started = (id: string): string =>
  `<lrm_resource id="${id}" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="${id}_last_0" operation_key="${id}_start_0" operation="start" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x" call-id="5" rc-code="0" op-status="0" interval="0"/></lrm_resource>`;

describe('an explanation', () => {
  test('of what runs nowhere names the ban of each node that is available', () => {
    const ban = '<rsc_location id="no" rsc="web" node="n1" score="-INFINITY"/>';
    const constraints = `${ban}<rsc_location id="nor" rsc="web" node="n2" score="-INFINITY"/>`;
    expect(explained('web', { resources: dummy('web'), constraints })).toContain(
      'web will not run: it is allowed on none of the nodes that are available: n1 (location no), n2 (location nor)',
    );
  });

  test('of what a ticket keeps away names the ticket', () => {
    const constraints = '<rsc_ticket id="t" rsc="web" ticket="site-a" loss-policy="stop"/>';
    expect(explained('web', { resources: dummy('web'), constraints })).toContain('ticket site-a is not granted');
  });

  test('says once what is the same of several nodes', () => {
    const text = explained('web', {
      resources: dummy('web'),
      options: '<nvpair id="s" name="stop-all-resources" value="true"/>',
    });
    expect(text).toContain('n1, n2: score 0');
    expect(text).toContain('probe: nobody knows whether it runs on n1, n2');
  });

  test('says what should be done and cannot', () => {
    const text = explained('web', { resources: dummy('web'), cib: 'have-quorum="0"' });
    expect(text).toContain('! it should start, and cannot: this partition has no quorum');
  });

  test('names no quorum that nobody asks for', () => {
    const options = '<nvpair id="q" name="no-quorum-policy" value="ignore"/>';
    expect(explained('web', { resources: dummy('web'), cib: 'have-quorum="0"', options })).not.toContain('quorum');
  });

  test('shows a node without room as one where it must not run', () => {
    const needs = dummy('web', '<utilization id="u"><nvpair id="u-c" name="cpu" value="1"/></utilization>');
    const options = '<nvpair id="p" name="placement-strategy" value="utilization"/>';
    expect(explained('web', { resources: needs, options })).toMatch(
      /n1, n2: must not \(-INFINITY\)\n\s+-INFINITY {2}too little capacity/,
    );
  });

  test('of a move says where it goes, and for one node only that node', () => {
    const constraints = '<rsc_location id="to" rsc="web" node="n2" score="7"/>';
    const text = explained('web', { resources: dummy('web'), constraints, history: started('web') }, 'n2');
    expect(text).toContain('stopped on n1: it moves to n2');
    expect(text).toContain('7  location to');
    expect(text).not.toContain('  n1: ');
  });
});
