/** What a cluster in trouble decided from is kept as files, and each decision can be made again from its file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cib } from '@systole/cib';
import { schedule, type Transition, transitionDigest } from '@systole/pe';
import { planFor, run, shipped } from '@systole/simulator';
import { expect, test } from 'vitest';
import { InputStore, listInputs, readInput } from '../../packages/daemon/src/host/policy-inputs.ts';

interface Decided {
  readonly cib: Cib;
  readonly at: number;
  readonly transition: Transition;
}

function decisionsOf(seed: number): readonly Decided[] {
  const decided: Decided[] = [];
  run(planFor(seed), {
    ...shipped,
    schedule: (cib, at) => {
      const outcome = shipped.schedule(cib, at);
      if (outcome.type === 'transition') decided.push({ cib, at, transition: outcome.transition });
      return outcome;
    },
  });
  return decided;
}

test.for([3, 8, 11])('every decision of seed %i is made again from what was kept', async (seed) => {
  const folder = mkdtempSync(join(tmpdir(), 'systole-stored-'));
  try {
    const decided = decisionsOf(seed);
    const store = new InputStore(folder, { countMax: decided.length, bytesMax: 1e9 });
    for (const [number, { cib, at, transition }] of decided.entries())
      await store.keep({
        format: 'systole-input/1',
        transition: `tr_${number}`,
        number,
        node: 'n1',
        at,
        cause: '',
        release: '',
        decision: transitionDigest(transition),
        cib,
      });

    expect(await listInputs(folder)).toHaveLength(decided.length);
    expect(decided.filter(({ transition }) => transition.actions.length > 0).length).toBeGreaterThan(10);
    for (const [number, { transition }] of decided.entries()) {
      const kept = await readInput(folder, `tr_${number}`);
      if (kept === undefined) throw new Error(`${number} is not kept`);
      const again = schedule(kept.cib, { now: kept.at }).transition;
      expect(again).toEqual(transition);
      expect(transitionDigest(again)).toBe(kept.decision);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
