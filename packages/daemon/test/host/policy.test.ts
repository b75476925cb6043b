import { emptyCib } from '@systole/cib';
import { epoch } from '@systole/kernel';
import { expect, test } from 'vitest';
import { Policy } from '../../src/host/policy.ts';
import type { PolicyAnswer } from '../../src/host/policy-protocol.ts';

const at = epoch(1_767_225_600_000);

/** A policy engine whose thread runs `code`, with the answers that it gave. */
function policyRunning(code: string): { readonly policy: Policy; readonly answers: PolicyAnswer[] } {
  const answers: PolicyAnswer[] = [];
  const program = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return { policy: new Policy((answer) => answers.push(answer), program), answers };
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
    policy.ask({ scheduleId: 7, cib: emptyCib, at });
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
      parentPort.postMessage({ scheduleId, outcome: { type: 'failed', message: 'told' } });
    });
  `);
  try {
    policy.ask({ scheduleId: 1, cib: emptyCib, at });
    policy.ask({ scheduleId: 2, cib: emptyCib, at });
    await expect.poll(() => answers.length, { timeout: 5000 }).toBe(2);
    expect(answers.map(({ scheduleId }) => scheduleId)).toEqual([1, 2]);
    expect(answers[1]?.outcome).toEqual({ type: 'failed', message: 'told' });
  } finally {
    await policy.close();
  }
});
