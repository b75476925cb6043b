/** The laws are tested too: nodes that are broken on purpose must be caught, each by the law that is there for it. */
import { type Fault, looked, type Plan, type PlanEntry, planFor, run } from '@systole/simulator';
import { describe, expect, test } from 'vitest';
import { type MutantName, mutants } from './mutants.ts';

const base = planFor(1).settings;

/** Three nodes, one service, and faults at whole seconds. */
function plan(
  faults: readonly (readonly [at: number, fault: Fault])[],
  settings: Partial<Plan['settings']> = {},
): Plan {
  const resources = [
    { id: 'web0', kind: 'primitive', members: [], stickiness: 1, migrationThreshold: 0, prefers: 2 } as const,
  ];
  return {
    seed: 1,
    settings: {
      ...base,
      nodes: 3,
      links: 1,
      multicast: false,
      fencing: true,
      watchdog: false,
      noQuorumPolicy: 'freeze',
      quorum: 'majority',
      resources,
      loadMs: 200,
      isSealed: false,
      ...settings,
    },
    faultsMs: 12_000,
    entries: faults.map(([at, fault]) => ({ at: at * 1000, fault })),
  };
}

/** The node that runs the service is cut off, and its policy is to go on. */
const cutOff = plan([[3, { kind: 'partition', side: [2], forMs: 8000 }]]);
const cutOffForGood = (settings: Partial<Plan['settings']>): Plan =>
  plan([[3, { kind: 'partition', side: [2], forMs: 20_000 }]], settings);
/** A power cut of all, while the disks are slow. */
const powerCut = plan([
  [2, { kind: 'diskSlow', node: 1, flushMs: 2000, forMs: 8000 }],
  [2, { kind: 'diskSlow', node: 2, flushMs: 2000, forMs: 8000 }],
  [2, { kind: 'diskSlow', node: 3, flushMs: 2000, forMs: 8000 }],
  [4, { kind: 'powerAll', forMs: 1000 }],
]);
const standby = plan([
  [2, { kind: 'operator', command: { type: 'standby', node: 2 } }],
  [5, { kind: 'operator', command: { type: 'online', node: 2 } }],
  [8, { kind: 'operator', command: { type: 'move', resource: 'web0', node: 3 } }],
]);
const evenSplit = plan([[3, { kind: 'partition', side: [1, 2], forMs: 8000 }]], { nodes: 4 });
const deadDevices = plan([
  [1, { kind: 'fence', fault: { kind: 'fails', device: 'fence1' }, forMs: 11_000 }],
  [1, { kind: 'fence', fault: { kind: 'fails', device: 'fence2' }, forMs: 11_000 }],
  [3, { kind: 'partition', side: [2], forMs: 8000 }],
]);

/** The two are parted, and who holds the arbiter's vote stands still for longer than its lease. */
const arbiterMovesOn = plan(
  [
    [1, { kind: 'partition', side: [1], forMs: 12_000 }],
    [3, { kind: 'pause', node: 2, forMs: 5000 }],
  ],
  { nodes: 2, quorum: 'arbiter', fencing: false, noQuorumPolicy: 'stop' },
);

const cases: readonly { readonly mutant: MutantName; readonly plan: Plan; readonly law: RegExp }[] = [
  { mutant: 'a fence device is not asked, and its success assumed', plan: cutOff, law: /S8|S1/ },
  { mutant: 'a stop is not awaited', plan: standby, law: /S1/ },
  { mutant: 'a change is acknowledged before it is on disk', plan: powerCut, law: /S6/ },
  { mutant: 'a restart forgets the CIB', plan: plan([[4, { kind: 'powerAll', forMs: 1000 }]]), law: /S6/ },
  { mutant: 'half of the votes are enough', plan: evenSplit, law: /S3|S4/ },
  { mutant: 'every partition is quorate', plan: cutOff, law: /S1|S3|S4|S7/ },
  { mutant: 'a fence device that fails is taken for one that works', plan: deadDevices, law: /S8|S1/ },
  { mutant: 'a node that should reset itself goes on', plan: cutOffForGood({ noQuorumPolicy: 'suicide' }), law: /S9/ },
  {
    mutant: 'the watchdog is fed as long as the daemon lives',
    plan: cutOffForGood({ watchdog: true }),
    law: /S9|S8|S1/,
  },
  {
    mutant: "the arbiter's vote is believed in beyond its lease",
    plan: arbiterMovesOn,
    law: /S3/,
  },
  { mutant: 'a queue has no bound', plan: cutOff, law: /S11/ },
];

describe('a broken node is caught', () => {
  test.for(cases)('$mutant', ({ mutant, plan: given, law }) => {
    const { violation } = run(given, mutants[mutant]);

    expect(violation?.law).toMatch(law);
  });
});

describe('a broken law', () => {
  test('is told with its seed, the smallest plan and the end of the transcript', () => {
    const noise: readonly PlanEntry[] = [3, 6, 7, 9].map((at) => ({ at: at * 1000 + 17, fault: { kind: 'replay' } }));
    const subject = mutants['a stop is not awaited'];
    const given = { ...standby, entries: [...standby.entries, ...noise].toSorted((a, b) => a.at - b.at) };
    const {
      law,
      plan: smallest,
      lines,
    } = looked(run(given, subject), {
      subject,
      mayShrink: true,
      isLate: () => false,
    });

    expect(law).toBe('S1');
    expect(smallest.entries).toHaveLength(1);
    expect(lines.join('\n')).toContain(`seed 1: law S1 broken at`);
    expect(lines.join('\n')).toContain('operator command');
    expect(lines.at(-1)).toMatch(/LAW S1 BROKEN: web0 runs on n2 and n3 at once/);
    expect(run(smallest, subject).violation?.law).toBe('S1');
  });
});
