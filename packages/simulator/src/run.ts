/** Runs a plan: the world, the laws after every event, then the wait for the cluster to settle. */
import type { Cib } from '@systole/cib';
import { type Epoch, epoch } from '@systole/kernel';
import type { ScheduleOutcome } from '@systole/crm';
import type { WorldEvent } from './events.ts';
import { safetyLaws } from './laws/all.ts';
import type { Violation } from './laws/law.ts';
import { Settlement } from './laws/settles.ts';
import type { MakeNode } from './life.ts';
import { WALL_ORIGIN } from './machine.ts';
import type { Plan } from './plan.ts';
import { tell } from './tell.ts';
import { Transcript } from './transcript.ts';
import { World } from './world.ts';

/** The parts under test; broken variants of them are how the laws are tested. */
export interface Subject {
  readonly makeNode: MakeNode;
  readonly schedule: (cib: Cib, at: Epoch) => ScheduleOutcome;
}

export interface RunResult {
  readonly plan: Plan;
  /** The first broken law. */
  readonly violation: Violation | undefined;
  readonly transcript: Transcript;
  /** The same for two runs only if they told the same story. */
  readonly fingerprint: string;
  readonly virtualMs: number;
  readonly events: number;
}

/** Longest way from the end of the faults to rest: boots, fencing with its time-outs, failure time-outs, a recheck. */
export const SETTLE_MAX_MS = 150_000;
/** It must stay at rest so long. */
const REST_MS = 5000;
/** A run that has not been set up by then never will. */
const SETUP_MAX_MS = 70_000;

export function run(plan: Plan, subject: Subject): RunResult {
  const transcript = new Transcript();
  const laws = safetyLaws(plan.settings);
  const settlement = new Settlement();
  let violation: Violation | undefined;
  const broken = (law: string, text: string): void => {
    if (violation !== undefined) return;
    violation = { law, at: world.now, text };
    transcript.add(world.now, '', `LAW ${law} BROKEN: ${text}`);
  };
  let began = false;
  const early: WorldEvent[] = [];
  const see = (event: WorldEvent): void => {
    if (!began) {
      early.push(event);
      return;
    }
    tell(event, world, transcript);
    settlement.see(event, world.now);
    for (const law of laws) {
      const text = law.see(event, world);
      if (text !== undefined) broken(law.id, text);
    }
  };
  const world = new World({ plan, makeNode: subject.makeNode, schedule: subject.schedule, see });
  began = true;
  for (const event of early.splice(0)) see(event);

  const leftToDo = (cib: Cib): readonly string[] => {
    const outcome = subject.schedule(cib, epoch(WALL_ORIGIN + world.now));
    if (outcome.type === 'failed') return [`the policy engine fails: ${outcome.message}`];
    return outcome.transition.actions
      .filter(({ kind }) => kind !== 'pseudo')
      .map(({ operation, key, node }) => `${key || operation} on ${node}`);
  };
  // Faults, to their end.
  while (violation === undefined && !world.isQuiet) {
    if (world.startedAt === undefined && world.now > SETUP_MAX_MS) {
      broken('L1', 'the cluster was not set up: no quorate node knew all the others');
      break;
    }
    if (!world.agenda.step(world.now + 60_000)) continue;
  }
  // Rest.
  const quietAt = world.now;
  let restSince: number | undefined;
  let missing: string | undefined = 'nothing was looked at';
  while (violation === undefined) {
    const until = world.now + 500;
    while (violation === undefined && world.agenda.step(until)) continue;
    if (violation !== undefined) break;
    missing = settlement.missing(world, leftToDo);
    restSince = missing === undefined ? (restSince ?? world.now) : undefined;
    if (restSince !== undefined && world.now - restSince >= REST_MS) break;
    if (world.now - quietAt > SETTLE_MAX_MS)
      broken(
        'L1',
        `${SETTLE_MAX_MS / 1000} s after all faults have stopped: ${missing ?? 'the cluster does not stay at rest'}`,
      );
  }
  return {
    plan,
    violation,
    transcript,
    fingerprint: transcript.fingerprint,
    virtualMs: world.now,
    events: world.agenda.ran,
  };
}
