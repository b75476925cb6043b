import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cib, emptyCib, importCib } from '@systole/cib';
import { epoch } from '@systole/kernel';
import { schedule, transitionDigest } from '@systole/pe';
import { expect, test } from 'vitest';
import { Policy } from '../../src/host/policy.ts';
import { inputBounds, listInputs, readInput } from '../../src/host/policy-inputs.ts';
import type { NotKept, PolicyAnswer } from '../../src/host/policy-protocol.ts';

const at = epoch(1_767_225_600_000);

/** A policy engine whose thread runs `code`, with the answers that it gave. */
function policyRunning(code: string): { readonly policy: Policy; readonly answers: PolicyAnswer[] } {
  const program = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return policyWith('/nowhere', program);
}

function policyWith(folder: string, program?: URL) {
  const answers: PolicyAnswer[] = [];
  const lost: NotKept[] = [];
  const policy = new Policy({
    answered: (answer) => answers.push(answer),
    notKept: (notKept) => lost.push(notKept),
    setup: { node: 'n1', release: '1.2.3', folder, bounds: inputBounds },
    ...(program === undefined ? {} : { program }),
  });
  return { policy, answers, lost };
}

test('a policy engine that cannot start is started once a question, not for ever', async () => {
  const starts = new Int32Array(new SharedArrayBuffer(4));
  const channel = new BroadcastChannel('policy-starts');
  channel.addEventListener('message', () => void Atomics.add(starts, 0, 1));
  const { policy, answers } = policyRunning(
    `new BroadcastChannel('policy-starts').postMessage(1); await new Promise((go) => setTimeout(go, 20)); throw new Error('no file');`,
  );
  try {
    await expect.poll(() => starts[0]).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(starts[0]).toBe(1);
    policy.ask({ type: 'ask', scheduleId: 7, cib: emptyCib, at });
    await expect.poll(() => answers.length, { timeout: 5000 }).toBe(1);
    expect(answers[0]?.outcome.type).toBe('failed');
    expect(starts[0]).toBe(2);
  } finally {
    channel.close();
    await policy.close();
  }
});

test('after a crash the next question is answered by a new engine', async () => {
  const { policy, answers } = policyRunning(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ scheduleId }) => {
      if (scheduleId === 1) throw new Error('a mistake');
      parentPort.postMessage({ type: 'answer', scheduleId, outcome: { type: 'failed', message: 'told' } });
    });
  `);
  try {
    policy.ask({ type: 'ask', scheduleId: 1, cib: emptyCib, at });
    policy.ask({ type: 'ask', scheduleId: 2, cib: emptyCib, at });
    await expect.poll(() => answers.length, { timeout: 5000 }).toBe(2);
    expect(answers.map(({ scheduleId }) => scheduleId)).toEqual([1, 2]);
    expect(answers[1]?.outcome).toEqual({ type: 'failed', message: 'told' });
  } finally {
    await policy.close();
  }
});

/** A failure that expires, a rule with a date: the instant decides as well. */
function cibWithWork(): Cib {
  const imported =
    importCib(`<cib validate-with="pacemaker-3.0" epoch="7" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
    <configuration>
      <crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
      <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
      <resources><primitive id="db" class="ocf" provider="systole" type="dummy">
        <instance_attributes id="p"><nvpair id="p1" name="passwd" value="geheim"/></instance_attributes>
        <operations><op id="m" name="monitor" interval="10s"/></operations>
      </primitive></resources>
      <constraints><rsc_location id="l" rsc="db"><rule id="r" score="100">
        <expression id="e" attribute="#uname" operation="eq" value="n2"/>
        <date_expression id="d" operation="gt" start="2025-12-31T23:59:00Z"/>
      </rule></rsc_location></constraints>
    </configuration>
    <status>
      <node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources/></lrm></node_state>
      <node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="2"><lrm_resources/></lrm></node_state>
    </status></cib>`);
  if (!imported.ok) throw new Error(imported.error.message);
  return imported.value.cib;
}

const keep = (scheduleId: number, transitionId: string) =>
  ({ type: 'keepInput', scheduleId, transitionId, number: 4, cause: 'a test' }) as const;

test('the input of what is carried out is kept, and decides the same again', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'systole-policy-'));
  const folder = join(parent, 'policy-inputs');
  const { policy, answers, lost } = policyWith(folder);
  try {
    const cib = cibWithWork();
    policy.ask({ type: 'ask', scheduleId: 3, cib, at });
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(1);
    policy.warm(emptyCib, at); // takes nobody's place
    policy.keep(keep(3, 'tr_kept'));
    await expect.poll(() => listInputs(folder), { timeout: 10_000 }).toHaveLength(1);

    const kept = await readInput(folder, 'tr_kept');
    expect(kept).toMatchObject({ transition: 'tr_kept', number: 4, node: 'n1', at, cause: 'a test', release: '1.2.3' });
    if (kept === undefined) throw new Error('not kept');
    const { transition, recheck } = schedule(kept.cib, { now: kept.at });
    const settings = recheck === undefined ? transition.settings : { ...transition.settings, recheckBy: recheck.at };
    expect(answers[0]?.outcome).toEqual({ type: 'transition', transition: { ...transition, settings } });
    expect(transitionDigest(transition)).toBe(kept.decision);
    expect(transition.actions.length).toBeGreaterThan(2);
    // It can fail: another instant decides otherwise.
    expect(transitionDigest(schedule(kept.cib, { now: kept.at - 600_000 }).transition)).not.toBe(kept.decision);
    expect(lost).toEqual([]);
  } finally {
    await policy.close();
    rmSync(parent, { recursive: true });
  }
});

test('the input that the engine fails on is kept with what it failed with', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'systole-policy-'));
  const folder = join(parent, 'policy-inputs');
  const { policy, answers } = policyWith(folder);
  try {
    const { configuration, ...rest } = cibWithWork();
    const cib = { ...rest, configuration: { ...configuration, resources: [{ kind: 'nonsense' }] } } as unknown as Cib;
    policy.ask({ type: 'ask', scheduleId: 3, cib, at });
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(1);
    expect(answers[0]?.outcome.type).toBe('failed');
    policy.keep({ ...keep(3, 'tr_failed'), number: 0 });
    await expect.poll(() => listInputs(folder), { timeout: 10_000 }).toHaveLength(1);
    const kept = await readInput(folder, 'tr_failed');
    expect(kept).toMatchObject({ number: 0, cib: { configuration: { resources: [{ kind: 'nonsense' }] } } });
    expect(answers[0]?.outcome).toMatchObject({ message: kept?.failure });
    expect(kept?.decision).toBeUndefined();
  } finally {
    await policy.close();
    rmSync(parent, { recursive: true });
  }
});

test('an input that cannot be kept is told, and the engine goes on', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'systole-policy-'));
  const folder = join(parent, 'policy-inputs');
  writeFileSync(folder, 'not a folder');
  const { policy, answers, lost } = policyWith(folder);
  try {
    policy.ask({ type: 'ask', scheduleId: 1, cib: cibWithWork(), at });
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(1);
    policy.keep(keep(1, 'tr_lost'));
    policy.keep(keep(2, 'tr_never'));
    await expect.poll(() => lost.length, { timeout: 10_000 }).toBe(2);
    const problems = new Map(lost.map(({ transitionId, problem }) => [transitionId, problem]));
    expect(problems.get('tr_lost')).toMatch(/EEXIST|ENOTDIR/);
    expect(problems.get('tr_never')).toMatch(/started again/);

    policy.ask({ type: 'ask', scheduleId: 5, cib: cibWithWork(), at });
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(2);
  } finally {
    await policy.close();
    rmSync(parent, { recursive: true });
  }
});
