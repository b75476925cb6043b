/**
 * The fencing cases of the agents suite, on our fencer, in virtual time with a virtual agent.
 *
 * What the cases call a trace is what the real daemon logged; here the agents that ran, in their order, with their
 * number, and the announced total time are compared. The suite's own words for what happened inside (who was asked,
 * that a reboot was split) follow from those.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FencingLevel } from '@systole/cib';
import { describeCommand, locateAgent, parseDescription } from '@systole/ra';
import type { FenceAction, FenceDevice, FenceOutcome } from '@systole/stonith';
import { describe, expect, test } from 'vitest';
import { type AgentRecord, VirtualFencers } from '../../packages/stonith/test/virtual-fencers.ts';
import { ownPlaces } from '../support/executor.ts';
import { shared, sharedMissing } from '../support/repository.ts';
import { dummyAgents } from './fence-dummy.ts';

interface Step {
  readonly do: string;
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

interface Case {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly steps: readonly Step[];
  readonly trace: readonly Readonly<Record<string, unknown>>[];
  readonly agent_input?: Readonly<Record<string, string>>;
}

const missing = sharedMissing('agents-suite/fencing.json');
const cases: readonly Case[] =
  missing === undefined
    ? (
        JSON.parse(readFileSync(join(shared, 'agents-suite/fencing.json'), 'utf8')) as {
          readonly cases: readonly Case[];
        }
      ).cases.filter(({ group }) => group !== 'disk') // they are in fencing-disk.test.ts
    : [];

/** Cases where we decided otherwise, each with its reason. */
const exceptions: Readonly<Record<string, string>> = {
  'fence-validate-dummy':
    'a verdict before the device is configured is the shell’s to ask for: it puts the device through `checkFenceAgent`, validate-all included; packages/stonith/contract/agents.test.ts does so with this agent',
  'fence-x-validate-missing-agent':
    'the fencer is asked of configured devices only; one whose agent is missing says so when it is started, see fencer.test.ts',
  'fence-fence-multi-device-failure':
    'all three devices have answered "failed" before the time for all of them is over; we say that, Pacemaker says "timeout" because the time for one is',
};

const outcomes: Readonly<Record<string, FenceOutcome>> = {
  ok: 'ok',
  error: 'failed',
  timeout: 'timedOut',
  'not-found': 'noDevice',
  refused: 'refused',
};

/** A parameter by which the test agent's runs are told apart. */
const deviceMark = 'test_device';

const local = 'local';
const named = (text: unknown): string => String(text).replaceAll('{local}', local);

class Driver {
  readonly fencers = new VirtualFencers([local], dummyAgents);
  readonly #devices = new Map<string, FenceDevice>();
  #levels: FencingLevel[] = [];
  #requests = 0;
  #askedAtMs = 0;
  readonly #background: { readonly requestId: string; readonly expect: FenceOutcome | undefined }[] = [];

  constructor() {
    this.fencers.options({ goneTimeoutMs: 0 });
  }

  take(step: Step): void {
    switch (step.do) {
      case 'register-device': {
        const parameters = Object.fromEntries(
          Object.entries(step['params'] as Readonly<Record<string, string>>).map(([name, value]) => [
            name,
            named(value),
          ]),
        );
        const id = String(step['device']);
        const agent = { class: 'stonith', type: String(step['agent']) };
        const marked = { ...parameters, [deviceMark]: id };
        this.#devices.set(id, { id, agent, parameters: marked, meta: {}, isAllowedHere: true });
        this.fencers.devices(...this.#devices.values());
        break;
      }
      case 'unregister-device':
        this.#devices.delete(String(step['device']));
        this.fencers.devices(...this.#devices.values());
        break;
      case 'set-level':
        this.#setLevel(step);
        break;
      case 'unset-level':
        this.#levels = this.#levels.filter(
          ({ index, target }) =>
            index !== Number(step['index']) || target.type !== 'node' || target.name !== named(step['target']),
        );
        this.fencers.levels(...this.#levels);
        break;
      case 'fence':
        this.#fence(step);
        break;
      case 'monitor-device':
      case 'agent-action':
        this.#askDevice(step);
        break;
      case 'list-devices': {
        const found = this.#find(named(step['target']));
        if (step['count'] !== undefined) expect(found, JSON.stringify(step)).toHaveLength(Number(step['count']));
        for (const device of list(step['has'])) expect(found).toContain(device);
        for (const device of list(step['lacks'])) expect(found).not.toContain(device);
        break;
      }
      case 'list-targets': {
        const answer = this.#ask({ device: String(step['device']), action: 'list', timeoutMs: 20_000 });
        expect(answer.targets).toEqual(step['targets']);
        break;
      }
      case 'history': {
        const target = named(step['target']);
        const events = this.fencers
          .fencer(local)
          .history()
          .filter((event) => target === '*' || event.target === target)
          .map((event) => ({
            action: event.action,
            target: event.target,
            status: event.state === 'ok' ? 'success' : event.state,
          }));
        expect(events).toEqual(step['events']);
        break;
      }
      case 'history-cleanup':
        this.fencers.give(local, { type: 'cleanHistory' });
        break;
      case 'get-metadata':
      case 'run-agent':
        describeReally(String(step['agent']), typeof step['output_has'] === 'string' ? step['output_has'] : '');
        break;
      case 'wait':
        this.fencers.runFor(Number(step['seconds']) * 1000);
        break;
      default:
        throw new Error(`no such step: ${step.do}`);
    }
  }

  #setLevel(step: Step): void {
    const pattern = (step['target'] as { readonly pattern?: string }).pattern;
    const index = Number(step['index']);
    this.#levels = [
      ...this.#levels,
      {
        id: `level-${this.#levels.length}`,
        index,
        devices: list(step['devices']),
        target:
          pattern === undefined
            ? { type: 'node', name: named(step['target']) }
            : { type: 'pattern', pattern: pattern.replace('local@', 'loca') },
      },
    ];
    this.fencers.levels(...this.#levels);
    if (step['expect'] !== 'refused') return;
    // The configuration's schema refuses it; should it get past that, the fencer says so and leaves it out.
    const refusals = this.fencers.effects.flatMap(({ effect }) => (effect.type === 'rejected' ? [effect.reason] : []));
    expect(refusals.some((reason) => reason.includes(`index ${index};`))).toBe(true);
  }

  #fence(step: Step): void {
    this.#requests += 1;
    const requestId = `request ${this.#requests}`;
    const wanted = outcomes[String(step['expect'])];
    const beganMs = this.fencers.nowMs;
    this.#askedAtMs = beganMs;
    this.fencers.give(local, {
      type: 'fence',
      requestId,
      target: named(step['target']),
      action: step['action'] as FenceAction,
      timeoutMs: Number(step['timeout_s']) * 1000,
      ...(step['delay_s'] === undefined
        ? {}
        : { delayMs: Number(step['delay_s']) < 0 ? -1 : Number(step['delay_s']) * 1000 }),
      ...(step['tolerance_s'] === undefined ? {} : { toleranceMs: Number(step['tolerance_s']) * 1000 }),
    });
    if (step['background'] === true) {
      this.#background.push({ requestId, expect: wanted });
      return;
    }
    const ended = this.fencers.answer(requestId);
    expect(ended.outcome, `${JSON.stringify(step)}: ${ended.reason}`).toBe(wanted);
    const tookS = (this.fencers.nowMs - beganMs) / 1000;
    if (step['takes_at_least_s'] !== undefined) expect(tookS).toBeGreaterThanOrEqual(Number(step['takes_at_least_s']));
    if (step['takes_less_than_s'] !== undefined) expect(tookS).toBeLessThan(Number(step['takes_less_than_s']));
  }

  #askDevice(step: Step): void {
    const answer = this.#ask({
      device: String(step['device']),
      action: (step['action'] ?? 'monitor') as 'monitor' | 'list' | 'status',
      timeoutMs: Number(step['timeout_s'] ?? 20) * 1000,
      ...(step['target'] === undefined ? {} : { target: named(step['target']) }),
    });
    expect(answer.isOk, `${JSON.stringify(step)}: ${answer.reason}`).toBe(step['expect'] === 'ok');
  }

  #ask(question: {
    readonly device: string;
    readonly action: 'monitor' | 'list' | 'status';
    readonly timeoutMs: number;
    readonly target?: string;
  }): { readonly isOk: boolean; readonly reason: string; readonly targets?: readonly string[] } {
    this.#requests += 1;
    const requestId = `question ${this.#requests}`;
    this.fencers.give(local, { type: 'askDevice', requestId, ...question });
    this.fencers.run();
    for (const { effect } of this.fencers.effects) {
      if (effect.type === 'deviceAnswered' && effect.requestId === requestId) return effect;
    }
    throw new Error(`nobody answered ${requestId}`);
  }

  #find(target: string): readonly string[] {
    this.#requests += 1;
    const requestId = `search ${this.#requests}`;
    this.fencers.give(local, { type: 'findDevices', requestId, target });
    this.fencers.run();
    for (const { effect } of this.fencers.effects) {
      if (effect.type === 'devicesFound' && effect.requestId === requestId) return effect.devices;
    }
    throw new Error(`nobody found devices for ${target}`);
  }

  finish(): void {
    for (const { requestId } of this.#background) this.fencers.answer(requestId);
    this.fencers.run();
  }

  /** What the trace says, of what can be seen here. */
  check(entry: Readonly<Record<string, unknown>>): void {
    const times = Number(entry['times'] ?? 1);
    const text = JSON.stringify(entry);
    const seen = `${text} among ${this.fencers.deeds.join('; ')}`;
    for (const [kind, fields] of Object.entries((entry['never'] ?? {}) as Readonly<Record<string, Fields>>)) {
      if (kind === 'agent_ran' || kind === 'peer_asked') expect(this.#runs(fields), seen).toEqual([]);
      if (kind === 'agent_attempt') expect(this.#attempts(), seen).toBeLessThan(Number(fields));
    }
    if ('total_timeout_s' in entry) {
      const wanted = list(entry['total_timeout_s']);
      const totals = this.fencers.effects.flatMap(({ effect }) =>
        effect.type === 'fenceAccepted' ? [String(Math.floor(effect.totalTimeoutMs / 1000))] : [],
      );
      const fitting = totals.filter((total) => wanted.includes(total));
      expect(fitting.length, `${text} among ${totals.join(' ')}`).toBeGreaterThanOrEqual(times);
    }
    for (const kind of ['agent_ran', 'peer_asked', 'agent_not_run'] as const) {
      if (!(kind in entry)) continue;
      const runs = this.#runs(entry[kind] as Fields).filter((run) => kind !== 'agent_not_run' || run.hasTimedOut);
      expect(runs.length, seen).toBeGreaterThanOrEqual(times);
    }
    if ('agent_attempt' in entry) expect(this.#attempts(), seen).toBeGreaterThanOrEqual(Number(entry['agent_attempt']));
    if ('delayed' in entry) {
      const { delay_s: delay, action, target, device } = entry['delayed'] as Fields;
      const [run] = this.#runs({ action, target, device });
      expect(Math.round(((run?.atMs ?? 0) - this.#askedAtMs) / 1000), seen).toBe(delay);
    }
  }

  /** Runs of agents that fit; a list of values means any of them. */
  #runs({ action, target, device, rc }: Fields): readonly AgentRecord[] {
    const fits = (wanted: unknown, value: string | undefined): boolean =>
      wanted === undefined ||
      list(wanted)
        .map(named)
        .includes(value ?? '');
    return this.fencers.calls.filter(
      (run) =>
        deeds.includes(run.action) &&
        list(action ?? run.action).some((word) => this.#agentWords(word, run).includes(run.action)) &&
        fits(target, run.input['nodename']) &&
        fits(device, run.input[deviceMark]) &&
        fits(rc, String(run.code)),
    );
  }

  /** What an agent may have been told where the fencer says `action`: that, its alias, or off for want of a reboot. */
  #agentWords(action: string, run: AgentRecord): readonly string[] {
    const device = this.#devices.get(run.input[deviceMark] ?? '');
    const alias = device?.parameters[`pcmk_${action}_action`] ?? action;
    return action === 'reboot' && run.agent === 'fence_dummy_no_reboot' ? [alias, 'off'] : [alias];
  }

  /** The most runs that one job took. */
  #attempts(): number {
    return Math.max(0, ...this.fencers.calls.map(({ attempt }) => attempt));
  }

  checkInput(wanted: Readonly<Record<string, string>>): void {
    const inputs = this.fencers.calls.map(({ input: { [deviceMark]: _mark, ...input } }) => input);
    expect(inputs).toContainEqual(expect.objectContaining(wanted));
    for (const input of inputs) {
      expect(Object.keys(input).filter((name) => name.startsWith('pcmk_'))).toEqual([]);
    }
  }
}

/** The real agent's description, read with the command that the fencer reads it with. */
function describeReally(type: string, part: string): void {
  const agent = { class: 'stonith', type };
  const places = ownPlaces();
  const located = locateAgent(agent, places, (paths) => paths.find((path) => existsSync(path)));
  const command = located === undefined ? undefined : describeCommand(agent, located, places);
  if (command === undefined) throw new Error(`${type} is not installed (package fence-agents)`);
  const [program = '', ...rest] = command.argv;
  const { environment: env, stdin: input } = command;
  const stdout = execFileSync(program, rest, { env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
  expect(stdout).toContain(part);
  const read = parseDescription(stdout);
  expect(read.ok && read.value.actions.map(({ name }) => name)).toContain('monitor');
}

/** Actions on a target; the rest are questions. */
const deeds: readonly string[] = ['on', 'off', 'reboot'];

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const list = (value: unknown): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(text) : [text(value)];

describe.skipIf(missing !== undefined)(
  `fencing cases of other projects${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const hasAgents = existsSync('/usr/sbin/fence_dummy');
    const needsAgents = ({ steps }: Case): boolean => steps.some((step) => /^(run-agent|get-metadata)$/.test(step.do));
    const applying = cases.filter((one) => !(one.id in exceptions) && (hasAgents || !needsAgents(one)));

    test.for(applying.map((one) => [one.id, one.title, one] as const))(
      '%s: %s',
      ([, , { steps, trace, agent_input }]) => {
        const driver = new Driver();
        for (const step of steps) driver.take(step);
        driver.finish();
        for (const entry of trace) driver.check(entry);
        if (agent_input !== undefined) driver.checkInput(agent_input);
      },
    );

    test('every exception names a case that exists', () => {
      const ids = new Set(cases.map(({ id }) => id));
      expect(Object.keys(exceptions).filter((id) => !ids.has(id))).toEqual([]);
    });
  },
);
