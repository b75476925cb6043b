/** What a person needs to look into a broken law: the seed, the law, the smallest plan, and the end of its transcript. */
import type { Violation } from './laws/law.ts';
import { describeFault, type Plan } from './plan.ts';
import { run, type RunResult, type Subject } from './run.ts';
import { shrink } from './shrink.ts';

/** Runs spent on making a plan smaller. */
const SHRINK_RUNS_MAX = 150;
/** So much of the transcript before the end is told, and so many lines of it. */
const TOLD_MS = 8000;
const LINES_MAX = 120;

export interface Failure {
  readonly law: string;
  /** The smallest plan that still breaks it. */
  readonly plan: Plan;
  readonly lines: readonly string[];
}

export interface LookOptions {
  readonly subject: Subject;
  readonly mayShrink: boolean;
  readonly isLate: () => boolean;
}

export function looked(
  { plan, violation, transcript }: RunResult,
  { subject, mayShrink, isLate }: LookOptions,
): Failure {
  if (violation === undefined) throw new RangeError('no law was broken');
  const { law } = violation;
  const fails = (candidate: Plan): boolean => run(candidate, subject).violation?.law === law;
  const smallest = mayShrink ? shrink(plan, fails, { runsMax: SHRINK_RUNS_MAX, isLate }) : plan;
  const small = smallest === plan ? undefined : run(smallest, subject);
  const end = small?.violation?.at ?? violation.at;
  const told = (small?.transcript ?? transcript).lines(end - TOLD_MS, end);
  const lines = [
    '',
    `seed ${plan.seed}: law ${law} broken at ${violation.at / 1000} s`,
    `  ${violation.text}`,
    ...(mayShrink ? [`shrunk from ${plan.entries.length} to ${smallest.entries.length} faults`] : []),
    describePlan(smallest),
    ...told.slice(-LINES_MAX),
  ];
  return { law, plan: smallest, lines };
}

/** The same for failures that are alike but for who, when and how many. */
export const kindOf = ({ law, text }: Violation): string => `${law} ${text.replace(/\d+/g, '#').slice(0, 120)}`;

export function describePlan({ seed, settings, faultsMs, entries }: Plan): string {
  const { nodes, links, quorum, fencing, watchdog, noQuorumPolicy, resources } = settings;
  const how = fencing ? (watchdog === true ? 'by watchdog' : 'on') : 'off';
  const head = `seed ${seed}: ${nodes} nodes, ${links} links, quorum ${quorum}, fencing ${how}, no-quorum-policy ${noQuorumPolicy}, ${resources.map(({ id }) => id).join(' ')}; faults for ${faultsMs / 1000} s`;
  return [head, ...entries.map(({ at, fault }) => `  +${(at / 1000).toFixed(3)}s ${describeFault(fault)}`)].join('\n');
}
