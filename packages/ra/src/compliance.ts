/**
 * Puts an agent through its contract and says what it keeps of it. Behind `systole ra test AGENT`, and run on our own
 * agents by our own tests.
 *
 * An agent is worth running only if the cluster can believe it: start when started and stop when stopped succeed, a probe
 * tells stopped from started, and what has been started is there when start returns. Each check says what was done,
 * what came of it, and why it matters when it fails. The suite starts and stops the resource: it is not for a resource
 * that is in service.
 *
 * How a command is run is given: this package starts no processes.
 */
import type { ProcessEnded } from '@systole/kernel';
import { type AgentName, formatAgentName } from './agent-name.ts';
import { type AgentCommand, agentCommand, describeCommand } from './command.ts';
import type { OperationContext } from './environment.ts';
import { exitCode, exitCodeWord } from './exit-code.ts';
import { parseLsbInfo } from './lsb-info.ts';
import { type AgentDescription, parseDescription } from './metadata.ts';
import type { AgentPlaces, LocatedAgent } from './places.ts';
import { operationResult } from './result.ts';

export interface Finding {
  /** What was looked at, in words. */
  readonly check: string;
  /** A `warning` is a promise half kept: the agent works, but not everywhere or not well. */
  readonly verdict: 'kept' | 'broken' | 'warning';
  /** What came of it, and why it matters. */
  readonly text: string;
  readonly durationMs?: number;
}

export interface Trial {
  readonly agent: AgentName;
  readonly located: LocatedAgent;
  readonly places: AgentPlaces;
  readonly parameters: Readonly<Record<string, string>>;
  /** Beside what the suite says itself; `promotable` makes it promote and demote. */
  readonly meta: Readonly<Record<string, string>>;
  readonly node: string;
  readonly timeoutMs: number;
  readonly run: (
    command: AgentCommand,
    timeoutMs: number,
  ) => Promise<Pick<ProcessEnded, 'outcome' | 'stdout' | 'stderr' | 'durationMs'>>;
  /** The script's text, for classes that describe themselves by comments. */
  readonly script?: string;
}

interface Tried {
  readonly exitCode: number;
  readonly reason: string;
  readonly durationMs: number;
  readonly hasTimedOut: boolean;
}

/** All findings, in the order of the checks. Stops early only where going on would mean nothing. */
export async function* checkAgent(trial: Trial): AsyncGenerator<Finding> {
  const description = yield* checkDescription(trial);
  const offers = (action: string): boolean => description?.actions.some(({ name }) => name === action) === true;
  const step = (action: string, intervalMs = 0): Promise<Tried> => attempt(trial, action, intervalMs);

  if (trial.located.kind === 'ocf') {
    yield judge('an action that does not exist', await step('no-such-action'), [exitCode.unimplemented], {
      tolerated: [exitCode.arguments],
      why: 'the cluster tells "cannot" from "failed" by it',
    });
    if (offers('validate-all')) {
      yield judge('validate-all of these parameters', await step('validate-all'), [exitCode.ok], {
        why: 'with them nothing else can work',
      });
    }
  }

  const before = await step('monitor');
  yield judge('a probe before anything was started', before, [exitCode.notRunning], {
    why: 'the cluster asks every node; an agent that finds a stopped resource running makes it recover for nothing',
  });
  if (before.exitCode === exitCode.ok || before.exitCode === exitCode.promoted) {
    yield {
      check: 'the state at the begin',
      verdict: 'broken',
      text: 'the resource runs already, or its agent says so whatever is the case; nothing more is tried',
    };
    return;
  }
  yield judge('stop when stopped', await step('stop'), [exitCode.ok], { why: 'a stop that fails has its node fenced' });

  const started = await step('start');
  yield judge('start', started, [exitCode.ok]);
  if (started.exitCode !== exitCode.ok) {
    yield judge('stop after the failed start', await step('stop'), [exitCode.ok], {
      why: 'a stop that fails has its node fenced',
    });
    return;
  }
  const running = [exitCode.ok] as const;
  yield judge('monitor right after start', await step('monitor', 10_000), running, {
    why: 'start has to return when the resource serves, not before',
  });
  yield judge('a probe while it runs', await step('monitor'), running, {
    why: 'a node that comes back finds its resources by it',
  });
  yield judge('start when started', await step('start'), [exitCode.ok], {
    why: 'an answer that was lost is asked for again',
  });
  yield judge('monitor after the second start', await step('monitor', 10_000), running);

  if (offers('reload-agent') || offers('reload')) {
    const action = offers('reload-agent') ? 'reload-agent' : 'reload';
    yield judge(action, await step(action), [exitCode.ok]);
    yield judge(`monitor after ${action}`, await step('monitor', 10_000), running);
  }
  if (offers('notify')) {
    yield judge('notify', await step('notify'), [exitCode.ok], { tolerated: [exitCode.unimplemented] });
  }
  if (trial.meta['promotable'] === 'true') yield* checkPromotion(step);

  yield judge('stop', await step('stop'), [exitCode.ok], { why: 'a stop that fails has its node fenced' });
  yield judge('a probe after stop', await step('monitor'), [exitCode.notRunning], {
    why: 'stop has to return when the resource is gone, not before: it is started elsewhere next',
  });
  yield judge('stop once more', await step('stop'), [exitCode.ok], { why: 'a stop that fails has its node fenced' });
}

async function* checkPromotion(step: (action: string, intervalMs?: number) => Promise<Tried>): AsyncGenerator<Finding> {
  yield judge('promote', await step('promote'), [exitCode.ok]);
  yield judge('monitor when promoted', await step('monitor', 10_000), [exitCode.promoted], {
    why: 'the cluster knows by it which instance is promoted',
  });
  yield judge('promote when promoted', await step('promote'), [exitCode.ok]);
  yield judge('demote', await step('demote'), [exitCode.ok]);
  yield judge('monitor when demoted', await step('monitor', 10_000), [exitCode.ok]);
  yield judge('demote when demoted', await step('demote'), [exitCode.ok]);
}

async function attempt(trial: Trial, operation: string, intervalMs: number): Promise<Tried> {
  const context: OperationContext = {
    agent: trial.agent,
    resource: 'systole-ra-test',
    operation,
    intervalMs,
    timeoutMs: trial.timeoutMs,
    parameters: trial.parameters,
    meta: trial.meta,
    node: trial.node,
    nodeId: '1',
  };
  const ended = await trial.run(agentCommand(context, trial.located, trial.places), trial.timeoutMs);
  const result = operationResult(trial.located.kind, operation, ended, trial.timeoutMs);
  const last = ended.stderr.trim().split('\n').at(-1) ?? '';
  return {
    exitCode: result.exitCode,
    reason: result.exitReason ?? last,
    durationMs: ended.durationMs,
    hasTimedOut: ended.outcome.type === 'timedOut',
  };
}

function judge(
  check: string,
  tried: Tried,
  wanted: readonly number[],
  more: { readonly tolerated?: readonly number[]; readonly why?: string } = {},
): Finding {
  const said = tried.hasTimedOut ? 'did not finish in time' : `${exitCodeWord(tried.exitCode)} (${tried.exitCode})`;
  const { durationMs } = tried;
  if (!tried.hasTimedOut && wanted.includes(tried.exitCode)) return { check, verdict: 'kept', text: said, durationMs };
  const expected = wanted.map((code) => `${exitCodeWord(code)} (${code})`).join(' or ');
  const parts = [said, `expected ${expected}`, tried.reason, more.why ?? ''].filter((part) => part !== '');
  const isTolerated = !tried.hasTimedOut && more.tolerated?.includes(tried.exitCode) === true;
  return { check, verdict: isTolerated ? 'warning' : 'broken', text: parts.join('; '), durationMs };
}

/** The agent's own description. Its findings do not stop the suite: an agent may run well and describe itself badly. */
async function* checkDescription(trial: Trial): AsyncGenerator<Finding, AgentDescription | undefined> {
  const check = 'its own description';
  if (trial.located.kind === 'lsb') {
    const info = trial.script === undefined ? undefined : parseLsbInfo(trial.script);
    const verdict = info === undefined ? 'warning' : 'kept';
    yield {
      check,
      verdict,
      text: info === undefined ? 'no block INIT INFO in the script' : 'the block INIT INFO is there',
    };
    return undefined;
  }
  const command = describeCommand(trial.agent, trial.located, trial.places);
  if (command === undefined) return undefined;
  const ended = await trial.run(command, trial.timeoutMs);
  const { durationMs, outcome } = ended;
  if (outcome.type !== 'exited' || outcome.code !== 0) {
    yield { check, verdict: 'broken', text: `meta-data ended with ${JSON.stringify(outcome)}`, durationMs };
    return undefined;
  }
  const parsed = parseDescription(ended.stdout);
  if (!parsed.ok) {
    yield { check, verdict: 'broken', text: parsed.error, durationMs };
    return undefined;
  }
  const problems = descriptionProblems(trial.agent, parsed.value);
  yield problems.length === 0
    ? { check, verdict: 'kept', text: `${formatAgentName(trial.agent)} describes itself`, durationMs }
    : { check, verdict: 'warning', text: problems.join('; '), durationMs };
  return parsed.value;
}

function descriptionProblems(agent: AgentName, description: AgentDescription): readonly string[] {
  const needed = agent.class === 'ocf' ? ['start', 'stop', 'monitor', 'meta-data'] : [];
  const missing = needed.filter((name) => !description.actions.some((action) => action.name === name));
  const untimed = description.actions.filter(({ name, timeoutMs }) => needed.includes(name) && timeoutMs === undefined);
  const silent = description.parameters.filter((one) => one.longDescription === '' && one.shortDescription === '');
  const unknownTypes = description.parameters.filter(
    ({ type }) =>
      ![
        'string',
        'integer',
        'boolean',
        'select',
        'time',
        'duration',
        'timeout',
        'percentage',
        'port',
        'version',
        'epoch_time',
        'score',
        'second',
        'nonnegative_integer',
      ].includes(type),
  );
  const list = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(', ');
  return [
    ...(description.name === agent.type ? [] : [`it calls itself "${description.name}"`]),
    ...(missing.length === 0 ? [] : [`it does not offer ${missing.join(', ')}`]),
    ...(untimed.length === 0 ? [] : [`it advises no timeout for ${list(untimed)}`]),
    ...(silent.length === 0 ? [] : [`it does not say what ${list(silent)} mean`]),
    ...(unknownTypes.length === 0
      ? []
      : [`types nobody knows: ${unknownTypes.map(({ name, type }) => `${name} ${type}`).join(', ')}`]),
    ...(description.shortDescription === '' ? ['it has no short description'] : []),
  ];
}
