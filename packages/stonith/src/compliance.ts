/**
 * Puts a fence agent through its contract. Behind `systole ra test stonith:AGENT`, and run on our own agents by our
 * own tests.
 *
 * The one promise everything rests on: success means that it is so. The suite switches a plug off, on and off again and
 * each time asks the agent itself what it sees; and it asks for a plug that does not exist, which must never succeed. It
 * really switches: the plug must be one that may lose its power.
 *
 * How a command is run is given: this package starts no processes.
 */
import type { ProcessEnded } from '@systole/kernel';
import {
  type AgentCommand,
  type AgentDescription,
  type AgentPlaces,
  describeCommand,
  fenceCommand,
  type Finding,
  type LocatedAgent,
  parseDescription,
} from '@systole/ra';
import type { FenceDevice } from './contract.ts';
import { listedTargets, portOf, targetArgument } from './device.ts';

export interface FenceTrial {
  readonly device: FenceDevice;
  readonly located: LocatedAgent;
  readonly places: AgentPlaces;
  /** The node that is switched. */
  readonly target: string;
  readonly timeoutMs: number;
  readonly run: (
    command: AgentCommand,
    timeoutMs: number,
  ) => Promise<Pick<ProcessEnded, 'outcome' | 'stdout' | 'stderr' | 'durationMs'>>;
}

/** What `status` may say of a plug. */
type Power = 'on' | 'off' | 'unknown';

interface Tried {
  readonly code: number | undefined;
  readonly text: string;
  readonly stdout: string;
  readonly durationMs: number;
}

/** A node's name that no device knows. */
const noSuchNode = 'systole-no-such-node';

export async function* checkFenceAgent(trial: FenceTrial): AsyncGenerator<Finding> {
  const description = yield* checkDescription(trial);
  const offers = (action: string): boolean =>
    description === undefined || description.actions.some(({ name }) => name === action);
  const act = (action: string, target: string | undefined = trial.target): Promise<Tried> =>
    attempt(trial, description, action, target);
  const power = async (): Promise<Power> => {
    const { code } = await act('status');
    return code === 0 ? 'on' : code === 2 ? 'off' : 'unknown';
  };

  yield judge('monitor', await act('monitor', undefined), 'the device answers');
  if (offers('list')) {
    const listed = await act('list', undefined);
    const port = portOf(trial.device, trial.target);
    yield listed.code === 0 && listedTargets(listed.stdout).includes(port)
      ? kept('list', `it names ${port}`, listed)
      : {
          check: 'list',
          verdict: 'warning',
          text: `it does not name ${port}; ${listed.text}; name the nodes by pcmk_host_list`,
        };
  }
  const stranger = await act('off', noSuchNode);
  yield stranger.code !== 0
    ? kept('off of a plug that does not exist', 'refused', stranger)
    : {
        check: 'off of a plug that does not exist',
        verdict: 'broken',
        text: 'it claims success: a node of that name would be taken for dead',
      };

  for (const round of ['off', 'off once more', 'on', 'on once more', 'off again'] as const) {
    const action = round.startsWith('off') ? 'off' : 'on';
    if (action === 'on' && !offers('on')) continue;
    const tried = await act(action);
    yield judge(round, tried, 'done');
    const seen = offers('status') ? await power() : 'unknown';
    const check = `status after ${round}`;
    if (seen === action) yield { check, verdict: 'kept', text: `the plug is ${seen}` };
    else if (seen === 'unknown')
      yield { check, verdict: 'warning', text: 'it cannot say whether the plug has power: success is only its word' };
    else if (tried.code === 0) {
      yield {
        check,
        verdict: 'broken',
        text: `${action} claims success, but status says ${seen}: what ran there would be started twice`,
      };
    }
  }
  if (offers('reboot')) {
    yield judge('reboot', await act('reboot'), 'done');
    const seen = await power();
    if (offers('status') && seen !== 'on') {
      yield {
        check: 'status after reboot',
        verdict: 'warning',
        text: `the plug is ${seen}; the node will not come back by itself`,
      };
    }
  } else if (offers('on')) {
    yield judge('on at the end', await act('on'), 'done');
  }
}

const kept = (check: string, text: string, { durationMs }: Tried): Finding => ({
  check,
  verdict: 'kept',
  text,
  durationMs,
});

const judge = (check: string, tried: Tried, success: string): Finding =>
  tried.code === 0
    ? kept(check, success, tried)
    : { check, verdict: 'broken', text: tried.text, durationMs: tried.durationMs };

async function attempt(
  trial: FenceTrial,
  description: AgentDescription | undefined,
  action: string,
  target: string | undefined,
): Promise<Tried> {
  const { device, located, places } = trial;
  const argument = targetArgument(device, description);
  const command = fenceCommand({
    located,
    places,
    action,
    // The plug set by hand is the target's; a stranger has none.
    parameters:
      target === noSuchNode
        ? Object.fromEntries(Object.entries(device.parameters).filter(([name]) => name !== argument))
        : device.parameters,
    ...(target === undefined
      ? {}
      : { target: { node: target, value: portOf(device, target), ...(argument === undefined ? {} : { argument }) } }),
  });
  const { outcome, stdout, stderr, durationMs } = await trial.run(command, trial.timeoutMs);
  const last = `${stderr}\n${stdout}`.trim().split('\n').at(-1)?.trim() ?? '';
  const ended = outcome.type === 'exited' ? `it ended with ${outcome.code}` : `it ${outcome.type}`;
  return {
    code: outcome.type === 'exited' ? outcome.code : undefined,
    text: last === '' ? ended : `${ended}: ${last}`,
    stdout,
    durationMs,
  };
}

async function* checkDescription(trial: FenceTrial): AsyncGenerator<Finding, AgentDescription | undefined> {
  const check = 'its own description';
  const command =
    trial.located.kind === 'fence' ? describeCommand(trial.device.agent, trial.located, trial.places) : undefined;
  if (command === undefined) return undefined;
  const ended = await trial.run(command, trial.timeoutMs);
  const { durationMs } = ended;
  const isOk = ended.outcome.type === 'exited' && ended.outcome.code === 0;
  const parsed = isOk ? parseDescription(ended.stdout) : ({ ok: false, error: 'metadata failed' } as const);
  if (!parsed.ok) {
    yield { check, verdict: 'broken', text: parsed.error, durationMs };
    return undefined;
  }
  const missing = ['off', 'monitor'].filter((name) => !parsed.value.actions.some((action) => action.name === name));
  yield missing.length === 0
    ? { check, verdict: 'kept', text: 'off and monitor are offered', durationMs }
    : { check, verdict: 'broken', text: `it does not offer ${missing.join(', ')}`, durationMs };
  return parsed.value;
}
