/** What must make no difference makes none: how datagrams travel, and a node more. */
import { type ClusterSettings, type Plan, planFor, run, shipped } from '@systole/simulator';
import { describe, expect, test } from 'vitest';

/** A cluster of three under a plan of which only the operator's commands are left. */
function calm(seed: number, settings: Partial<ClusterSettings>): Plan {
  const plan = planFor(seed);
  const commands = Array.from({ length: 4 }, (_, index) => {
    const resource = plan.settings.resources[index % plan.settings.resources.length]?.id ?? 'web0';
    const command =
      index % 2 === 0
        ? ({ type: 'move', resource, node: 1 + (index % 3) } as const)
        : ({ type: 'standby', node: 1 + ((seed + index) % 3) } as const);
    return { at: 3000 * (index + 1), fault: { kind: 'operator', command } as const };
  });
  const fixed = { nodes: 3, quorum: 'majority', fencing: true, watchdog: false, isSealed: false, loadMs: 0 } as const;
  const resources = plan.settings.resources.map((each) => ({
    ...each,
    ...(each.prefers === undefined ? {} : { prefers: 1 + (each.prefers % 3) }),
  }));
  return {
    ...plan,
    settings: { ...plan.settings, ...fixed, resources, links: 1, multicast: false, ...settings },
    faultsMs: 20_000,
    entries: commands,
  };
}

describe('the same cluster under the same commands', () => {
  test.for([11, 12, 13, 14])('runs the same in the same places, however its datagrams travel (seed %i)', (seed) => {
    const plain = run(calm(seed, {}), shipped);
    expect(plain.violation).toBeUndefined();
    expect(plain.placement.length).toBeGreaterThan(0);
    for (const other of [{ multicast: true }, { links: 2 }, { links: 2, multicast: true }, { isSealed: true }])
      expect(run(calm(seed, other), shipped).placement).toEqual(plain.placement);
  });

  test.for([15, 16])('keeps the laws with a node more (seed %i)', (seed) => {
    const plan = planFor(seed);
    const larger = {
      ...plan,
      settings: { ...plan.settings, nodes: plan.settings.nodes + 1, quorum: 'majority' },
    } as const;
    expect(run(larger, shipped).violation).toBeUndefined();
  });
});
