/**
 * Faults that need several things at once, which chance alone brings together too seldom: each seed has few of them or none,
 * at times of their own, beside what else is planned. Each was added where a broken variant of the code went uncaught.
 */
import { between, pick, share } from './draw.ts';
import { type ClusterSettings, type Fault, hasArbiter, type PlanEntry } from './plan.ts';

/** What happens, and how long after the first of it. */
type Rare = (
  seed: number,
  settings: ClusterSettings,
  index: number,
) => readonly (readonly [ms: number, fault: Fault])[];

/** How many seeds have them at all, and how they are made. */
const kinds: Readonly<Record<string, { readonly share: number; readonly make: Rare }>> = {
  /** Nobody has on disk what all have; then the power is gone. */
  blackout: {
    share: 0.12,
    make: (seed, _settings, index) => {
      const stallMs = pick([200, 1000, 3000], seed, 'blackoutStall', index);
      return [[0, { kind: 'powerAll', stallMs, forMs: pick([100, 1000, 5000], seed, 'blackout', index) }]];
    },
  },
  stun: {
    share: 0.35,
    make: (seed, { nodes }, index) => {
      if (nodes < 2) return [];
      const leadMs = between(0, 400, seed, 'stunLead', index);
      const forMs = between(500, 2500, seed, 'stun', index);
      return [[0, { kind: 'stun', leadMs, forMs, cutMs: pick([200, 600, 2000, 10_000], seed, 'stunCut', index) }]];
    },
  },
  /** The cluster's key is changed, and then, by hand, the arbiter's. */
  arbiterKey: {
    share: 0.4,
    make: (_seed, settings) =>
      hasArbiter(settings) ? [[0, { kind: 'operator', command: { type: 'rotateKey' } }]] : [],
  },
  /** Another link is added, and the one before taken away. */
  relink: {
    share: 0.12,
    make: (seed, { links }, index) => {
      const add: Fault = { kind: 'operator', command: { type: 'addLink', link: links } };
      const remove: Fault = {
        kind: 'operator',
        command: { type: 'removeLink', link: pick([0, links], seed, 'unlink', index) },
      };
      return [
        [0, add],
        [between(1000, 9000, seed, 'unlinkAt', index), remove],
      ];
    },
  },
  /** A node in maintenance is updated: its services go on without it, and somebody ends the maintenance too early. */
  leftInMaintenance: {
    share: 0.12,
    make: (seed, { nodes }, index) => {
      const node = between(1, nodes, seed, 'maintained', index);
      const which = share(seed, 'maintainedAlone', index) < 0.7 ? { node } : {};
      const leaveAt = between(200, 1500, seed, 'maintainedLeave', index);
      const offAt = leaveAt + between(200, 4000, seed, 'maintainedOff', index);
      return [
        [0, { kind: 'operator', command: { type: 'maintenance', isOn: true, ...which } }],
        [leaveAt, { kind: 'leave', node, forMs: pick([3000, 8000], seed, 'maintainedAway', index) }],
        [offAt, { kind: 'operator', command: { type: 'maintenance', isOn: false, ...which } }],
      ];
    },
  },
};

export function rareFaultsFor(seed: number, settings: ClusterSettings, faultsMs: number): readonly PlanEntry[] {
  return Object.entries(kinds).flatMap(([kind, { share: enabled, make }]) => {
    if (share(seed, 'rare', kind) >= enabled) return [];
    const count = between(1, 3, seed, 'rareCount', kind);
    return Array.from({ length: count }, (_, index): readonly PlanEntry[] => {
      const at = between(500, faultsMs, seed, 'rareAt', kind, index);
      return make(seed, settings, index).map(([ms, fault]) => ({ at: at + ms, fault }));
    })
      .flat()
      .filter(({ at }) => at < faultsMs);
  });
}
