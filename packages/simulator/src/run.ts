/** Runs a plan: the world, the laws after every event, the wait for the cluster to settle, and its end in order. */
import type { Cib } from '@systole/cib';
import { type Epoch, epoch } from '@systole/kernel';
import type { ScheduleOutcome } from '@systole/crm';
import { share } from './draw.ts';
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
  /** What ran where when the cluster had come to rest: `n1 web0 started`. */
  readonly placement: readonly string[];
  readonly virtualMs: number;
  readonly events: number;
}

/** Longest way from the end of the faults to rest: boots, fencing with its time-outs, failure time-outs, a recheck. */
export const SETTLE_MAX_MS = 150_000;
/** It must stay at rest so long. */
const REST_MS = 5000;
/** One seed in eight is watched so long at rest: long enough for anything that comes round again. */
const LONG_REST_MS = 60_000;
const LONG_REST_SHARE = 0.125;
/** All nodes are told to leave at once: the last of them is gone after so long at most. */
const SHUTDOWN_MAX_MS = 60_000;
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
    // Most of what happens is datagrams; what becomes of them is what laws and transcripts are about.
    if (event.type === 'seen' && event.seen.effect.type === 'transmit') return;
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
  const isFine = (): boolean => violation === undefined;
  /** Runs on for so long, or until a law breaks. */
  const pass = (ms: number): void => {
    const until = world.now + ms;
    while (isFine() && world.agenda.step(until)) continue;
  };

  /** Faults, to their end. */
  const endure = (): void => {
    while (isFine() && !world.isQuiet) {
      if (world.startedAt === undefined && world.now > SETUP_MAX_MS)
        broken('L1', 'the cluster was not set up: no quorate node knew all the others');
      else world.agenda.step(world.now + 60_000);
    }
  };

  /** Until everything is as it must be in the end, and stays so. */
  const settle = (): void => {
    const quietAt = world.now;
    const restMs = share(plan.seed, 'rest') < LONG_REST_SHARE ? LONG_REST_MS : REST_MS;
    let restSince: number | undefined;
    while (isFine()) {
      pass(500);
      const missing = settlement.missing(world, leftToDo);
      restSince = missing === undefined ? (restSince ?? world.now) : undefined;
      if (restSince !== undefined && world.now - restSince >= restMs) return;
      const patienceMs = SETTLE_MAX_MS + restMs;
      if (world.now - quietAt > patienceMs) {
        const what = missing ?? 'the cluster does not stay at rest';
        broken('L1', `${patienceMs / 1000} s after all faults have stopped: ${what}`);
      }
    }
  };

  /** All leave at once, in order. Without fencing a service whose stop has failed keeps its node for ever. */
  const shutDown = (): void => {
    if (!plan.settings.fencing) return;
    const toldAt = world.now;
    if (isFine()) world.shutDown();
    while (isFine()) {
      pass(200);
      const left = settlement.leftBehind(world);
      if (left === undefined) return;
      if (world.now - toldAt > SHUTDOWN_MAX_MS)
        broken('L2', `${SHUTDOWN_MAX_MS / 1000} s after all nodes were told to leave: ${left}`);
    }
  };

  endure();
  settle();
  const placement = world.machines.flatMap(({ id, name }) =>
    world.services.running(id).map(([instance, { state }]) => `${name} ${instance} ${state}`),
  );
  shutDown();
  return {
    plan,
    violation,
    transcript,
    fingerprint: transcript.fingerprint,
    placement,
    virtualMs: world.now,
    events: world.agenda.ran,
  };
}
