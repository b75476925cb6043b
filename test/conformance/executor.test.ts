/**
 * The executor cases of the agents suite, on our local resource manager with real processes. Cases that sleep do so side
 * by side. A silence is watched for long enough to see a monitor that goes on, rather than for the suite's nine seconds.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentName } from '@systole/cib';
import type { LrmEffect } from '@systole/lrm';
import { type AgentPlaces, checkAgentName, describeCommand, describeLsb, locateAgent } from '@systole/ra';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run } from '../lab/command.ts';
import { Executor } from '../support/executor.ts';
import { root, shared, sharedMissing } from '../support/repository.ts';
import { caseAgent, testAgents } from './test-agents.ts';

vi.setConfig({ maxConcurrency: 24 });

interface Step {
  readonly do: string;
  readonly resource?: string;
  readonly action?: string;
  readonly [field: string]: unknown;
}

interface CaseAgent {
  readonly class?: string;
  readonly kind?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly script?: string;
}

interface Case {
  readonly id: string;
  readonly title: string;
  readonly steps?: readonly Step[];
  readonly agent?: CaseAgent | string;
  readonly action?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly resource?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly absent?: readonly string[];
  readonly table?: readonly { readonly exit: number; readonly rc: number }[];
  readonly ask_at_once?: readonly { readonly resource: string; readonly action: string }[];
  readonly order?: readonly (readonly [string, string])[];
  readonly all_done_within_ms?: number;
  readonly begins_before_first_end?: number;
  readonly recurring?: { readonly action: string; readonly interval_ms: number };
  readonly gap_between_begins_s?: number;
  readonly all_background_results?: Event;
}

interface Event {
  readonly event?: string;
  readonly resource?: string;
  readonly action?: string;
  readonly rc?: number;
  readonly status?: string;
  readonly reason?: string | null;
}

const exceptions: Readonly<Record<string, string>> = {
  'exec-duplicate-registration':
    'resources are not registered: an operation brings its agent with it, and another agent under the same name begins with an empty history (lrm.test.ts)',
  'exec-verify-get-rsc-info':
    'resources are not registered, so there is nothing to be asked about one that has not run; what has run is in the history (lrm.test.ts)',
  'exec-stonith-component-fail': 'the fencer is a part of the daemon; it cannot die without it',
  'exec-x-timeout-on-fail-block':
    'a timeout always ends the whole process group: what a hung agent left running could act after its verdict',
};

/** Where a case's expectation is not ours, with the reason. */
const deviations: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  // Issue 5 asks for TERM and then KILL; an agent may clean up for a second.
  'exec-x-timeout-kills-group': { agent_saw_term: true },
};

const missing = sharedMissing('agents-suite/exec.json');
const hasDummies =
  existsSync('/usr/lib/ocf/resource.d/pacemaker/Dummy') && existsSync('/usr/lib/ocf/resource.d/heartbeat/Dummy');
const cases: readonly Case[] =
  missing === undefined
    ? (JSON.parse(readFileSync(join(shared, 'agents-suite/exec.json'), 'utf8')) as { readonly cases: readonly Case[] })
        .cases
    : [];

const statusWords: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'cancelled',
  2: 'timed-out',
  4: 'error',
  7: 'not-installed',
};

/** The longest silence that is watched for: an interval of the suite’s monitors and a half; most cases watch twice. */
const silenceMaxMs = 2500;

const shell = join(root, 'packages', 'cli', 'bin', 'systole.js');

let work = '';

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'systole-exec-'));
  mkdirSync(join(work, 'logs'));
  // The daemon makes this folder before any agent runs; some agents keep their state there.
  mkdirSync('/run/resource-agents', { recursive: true });
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** One case's executor, and the events that have come. */
class Driver {
  readonly id: string;
  /** Agents and their state are each case's own, as cases run side by side. */
  readonly places: AgentPlaces;
  readonly executor: Executor;
  readonly events: Event[] = [];
  readonly #wake = new Set<() => void>();
  readonly #agents = new Map<string, AgentName>();
  readonly #unregistered: string[] = [];
  #seen = 0;
  #operations = 0;

  constructor(id: string) {
    this.id = id;
    this.places = testAgents(join(work, id));
    this.executor = new Executor(this.places, () => Promise.resolve(true));
    this.executor.listen((effect) => this.#note(effect));
  }

  #note(effect: LrmEffect): void {
    if (effect.type === 'operationEnded') {
      const { record } = effect;
      const status = statusWords[record.status] ?? String(record.status);
      const { reason } = { reason: record.exitReason ?? null };
      this.#add({
        event: 'exec_complete',
        resource: this.#plain(effect.resource),
        action: record.operation,
        rc: record.exitCode,
        status,
        reason,
      });
    }
    if (effect.type === 'operationCancelled' && effect.wasKnown && effect.intervalMs > 0) {
      const { resource, operation } = effect;
      this.#add({ event: 'exec_complete', resource: this.#plain(resource), action: operation, status: 'cancelled' });
    }
  }

  #add(event: Event): void {
    this.events.push(event);
    for (const wake of this.#wake) wake();
  }

  /** Cases run side by side and use the same names: each has names of its own. */
  #own(resource: string): string {
    return `${this.id}.${resource}`;
  }

  #plain(resource: string): string {
    return resource.slice(this.id.length + 1);
  }

  /** Waits for an event that fits and has not been taken yet. */
  async expectEvent(wanted: Event, withinMs: number): Promise<Event> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen];
        this.#seen += 1;
        if (event !== undefined && fits(wanted, event)) return event;
      }
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`${JSON.stringify(wanted)} did not come; there were ${JSON.stringify(this.events)}`);
      await this.#change(left);
    }
  }

  async #change(withinMs: number): Promise<void> {
    const changed = Promise.withResolvers<void>();
    const timer = setTimeout(changed.resolve, withinMs);
    this.#wake.add(changed.resolve);
    await changed.promise;
    clearTimeout(timer);
    this.#wake.delete(changed.resolve);
  }

  agent(resource: string, agent: AgentName): void {
    this.#agents.set(resource, agent);
  }

  ask(resource: string, action: string, fields: Partial<Step> = {}): string {
    const agent = this.#agents.get(resource);
    if (agent === undefined) throw new Error(`${resource} has no agent`);
    this.#operations += 1;
    const operationId = `op ${this.#operations}`;
    const all = (fields['params'] ?? {}) as Readonly<Record<string, string>>;
    const parameters = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('CRM_meta_')));
    const meta = Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) =>
        name.startsWith('CRM_meta_') ? [[name.slice('CRM_meta_'.length), value]] : [],
      ),
    );
    this.executor.give({
      type: 'execute',
      operationId,
      resource: this.#own(resource),
      agent,
      operation: action,
      intervalMs: Number(fields['interval_ms'] ?? 0),
      timeoutMs: Number(fields['timeout_ms'] ?? 20_000),
      startDelayMs: Number(fields['start_delay_ms'] ?? 0),
      parameters,
      meta,
      transitionKey: '1:1:0:test',
      // Whatever comes is only reported: the suite judges it.
      expectedExitCode: 0,
      notify: fields['notify'] === 'changes-only' ? 'changes' : 'always',
    });
    return operationId;
  }

  async take(step: Step): Promise<void> {
    const resource = step.resource ?? 'r1';
    switch (step.do) {
      case 'register': {
        const agent = this.#named(step);
        const named = checkAgentName(agent);
        expect(named.ok).toBe(step['expect'] !== 'refused');
        if (named.ok) this.#agents.set(resource, agent);
        break;
      }
      case 'unregister':
        this.executor.give({ type: 'forget', resource: this.#own(resource) });
        this.#unregistered.push(resource);
        break;
      case 'execute':
        await this.#execute(resource, step);
        break;
      case 'cancel':
        await this.#cancel(resource, step);
        break;
      case 'expect-event':
        await this.expectEvent(step['event'] as Event, Number(step['within_ms']));
        break;
      case 'expect-silence': {
        const from = this.events.length;
        await pause(Math.min(silenceMaxMs, Number(step['for_ms'])));
        expect(this.events.slice(from).filter((event) => fits(step['event'] as Event, event))).toEqual([]);
        break;
      }
      case 'inject-fault':
        for (const name of readdirSync('/run').concat(readdirSync('/run/resource-agents'))) {
          if (!name.includes(this.#own('test_rsc'))) continue;
          rmSync(join('/run', name), { force: true });
          rmSync(join('/run/resource-agents', name), { force: true });
        }
        rmSync(join(work, this.id, 'state', 'unit-pacemaker-cts-dummyd@3.service'), { force: true });
        break;
      case 'pause':
        await pause(Number(step['seconds']) * 1000);
        break;
      case 'list-providers': {
        const type = typeof step['type'] === 'string' ? ['providers', step['type']] : ['list', 'ocf'];
        expect(await run([process.execPath, shell, 'ra', ...type])).toContain(step['output_has']);
        break;
      }
      case 'get-metadata':
        expect(await this.#describe(this.#named(step))).toContain(step['output_has']);
        break;
      case 'check-directory':
        expect(existsSync('/run/resource-agents')).toBe(true);
        break;
      case 'check-file':
        expect(existsSync(`/run/resource-agents/Dummy-${this.#own('test_rsc')}.state`)).toBe(true);
        break;
      default:
        throw new Error(`no such step: ${step.do}`);
    }
  }

  #named(step: Step): AgentName {
    const agentClass = String(step['class']);
    const type = typeof step['type'] === 'string' ? step['type'] : 'compliant';
    const provider = step['provider'] ?? (step['type'] === undefined && agentClass === 'ocf' ? 'trial' : undefined);
    return {
      class: agentClass,
      type,
      ...(agentClass === 'ocf' && provider !== undefined ? { provider: text(provider) } : {}),
    };
  }

  /** What an agent says of itself, with the command by which fencer and shell ask. */
  async #describe(agent: AgentName): Promise<string> {
    const located = locateAgent(agent, this.places, (paths) => paths.find((path) => existsSync(path)));
    const command = located === undefined ? undefined : describeCommand(agent, located, this.places);
    if (command === undefined) throw new Error(`${agent.type} cannot be described`);
    return run(command.argv, { environment: command.environment, input: command.stdin });
  }

  async #execute(resource: string, step: Step): Promise<void> {
    if (!this.#agents.has(resource)) {
      expect(step['expect']).toBe('refused');
      return;
    }
    const action = step.action ?? '';
    if (action === 'meta-data' && this.#agents.get(resource)?.class === 'lsb') {
      // Never run: an init script's description is made from its comments.
      const script = readFileSync(join(this.places.lsb[0] ?? '', 'compliant'), 'utf8');
      expect(describeLsb('compliant', script).actions.length).toBeGreaterThan(0);
      return;
    }
    const begin = performance.now();
    const from = this.events.length;
    this.ask(resource, action, step);
    if (step['wait'] === false) return;
    const wanted = step['expect'];
    if (step['event'] !== undefined) {
      await this.expectEvent(step['event'] as Event, Number(step['within_ms']));
    } else if (typeof wanted === 'object' && wanted !== null) {
      this.#seen = Math.max(this.#seen, from);
      const event = await this.expectEvent({ resource, action }, Number((wanted as Fields)['within_ms'] ?? 20_000));
      checkResult(this.id, wanted as Fields, event, performance.now() - begin);
    } else {
      await this.expectEvent({ resource, action }, 20_000);
    }
  }

  async #cancel(resource: string, step: Step): Promise<void> {
    const operation = step.action ?? '';
    const intervalMs = Number(step['interval_ms']);
    let wasKnown = false;
    const stop = this.executor.listen((effect) => {
      if (effect.type === 'operationCancelled' && effect.operationId === 'cancel') wasKnown = effect.wasKnown;
    });
    this.executor.give({ type: 'cancel', operationId: 'cancel', resource: this.#own(resource), operation, intervalMs });
    stop();
    expect(wasKnown, JSON.stringify(step)).toBe(step['expect'] !== 'refused');
    if (step['event'] !== undefined) await this.expectEvent(step['event'] as Event, Number(step['within_ms']));
  }

  async idle(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!this.executor.lrm.isIdle()) {
      if (performance.now() > deadline) throw new Error('operations are still going on');
      await this.#change(200);
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The rc of a cancelled operation is what its last run said; ours say none. */
const fits = (wanted: Event, event: Event): boolean =>
  (['event', 'resource', 'action', 'rc', 'status'] as const).every(
    (name) =>
      wanted[name] === undefined || wanted[name] === event[name] || (name === 'rc' && event.status === 'cancelled'),
  );

function checkResult(id: string, wanted: Fields, event: Event, tookMs: number): void {
  const { rc, status, reason, within_ms: within, not_before_ms: notBefore } = wanted;
  expect(event, id).toMatchObject({ rc, status });
  if (reason !== undefined) expect(event.reason).toBe(event.rc === 0 ? null : reason);
  if (within !== undefined) expect(tookMs).toBeLessThan(Number(within));
  if (notBefore !== undefined) expect(tookMs).toBeGreaterThanOrEqual(Number(notBefore));
}

const log = (id: string): string => join(work, 'logs', id);

/** What a case's agent wrote down: `action begin` and `action end`, with its time in seconds. */
const noted = (id: string): readonly { readonly action: string; readonly mark: string; readonly at: number }[] =>
  (existsSync(log(id)) ? readFileSync(log(id), 'utf8') : '')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [action = '', mark = '', at = ''] = line.split(' ');
      return { action, mark, at: Number(at) };
    });

/** The script of a case's agent: as given, or what its description says. */
function scriptOf({ id, agent }: Case): string {
  const given = typeof agent === 'object' ? (agent.script ?? '') : '';
  const note = (mark: string): string => `echo "$1 ${mark} $(date +%s.%N)" >>${log(id)}`;
  const describes = '[ "$1" != meta-data ] || exit 0\n';
  if (given.startsWith('exit with the number')) return `#!/bin/sh\n${describes}exit $OCF_RESKEY_code\n`;
  if (given.startsWith('note begin')) {
    const seconds = /sleep (\d+)/.exec(given)?.[1] ?? '0';
    return `#!/bin/sh\n${describes}${note('begin')}\n[ $1 = stop ] || sleep ${seconds}\n${note('end')}\n`;
  }
  if (given.includes('note that TERM came')) {
    const body = given.replace('#!/bin/sh\n', '').replace('note that TERM came', `echo term >>${log(id)}`);
    return `#!/bin/sh\n${describes}${body.replace('sleep 30 &', `sleep 30 & echo $! >${log(id)}.child`).replace('setsid sleep 31 &', `setsid sleep 31 & echo $! >${log(id)}.session`)}`;
  }
  if (given === '') return `#!/bin/sh\n${describes}env >${log(id)}\n`;
  return given.startsWith('#!') && !given.startsWith('#!/no') ? given.replace('\n', `\n${describes}`) : given;
}

/** A case whose agent is its own: makes the agent and gives it to the resources that the case names. */
function ownAgent(driver: Driver, one: Case, resources: readonly string[]): void {
  const agent = typeof one.agent === 'object' ? one.agent : {};
  const type = one.agent === 'compliant, every action takes 2 s and fails if it meets another' ? 'slow' : driver.id;
  if (type !== 'slow' && agent.kind !== 'missing')
    caseAgent(driver.places, type, scriptOf(one), Number.parseInt(agent.mode ?? '0755', 8));
  const path = join(driver.places.ocf[0] ?? '', 'trial', type);
  if (agent.kind === 'directory') {
    rmSync(path);
    mkdirSync(path);
  }
  const name: AgentName =
    agent.class === 'lsb'
      ? { class: 'lsb', type: agent.kind === 'missing' ? 'no-such' : path }
      : { class: 'ocf', provider: 'trial', type };
  for (const resource of resources) driver.agent(resource, name);
}

const alive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

async function runCase(one: Case): Promise<void> {
  const driver = new Driver(one.id);
  try {
    if (one.agent !== undefined && !one.steps?.some((step) => step.do === 'register' && step['type'] !== undefined)) {
      ownAgent(driver, one, one.ask_at_once?.map(({ resource }) => resource) ?? ['r1', one.resource ?? 'r1']);
    }
    for (const step of one.steps ?? []) {
      if (one.agent === 'compliant, every action takes 2 s and fails if it meets another' && step.do === 'register')
        continue;
      await driver.take(step);
    }
    if (one.table !== undefined) await runTable(driver, one);
    if (one.environment !== undefined) await runEnvironment(driver, one);
    if (one.ask_at_once !== undefined) await runAtOnce(driver, one);
    if (one.recurring !== undefined) await runRecurring(driver, one);
    if (one.order !== undefined) {
      await driver.idle(20_000);
      expect(noted(one.id).map(({ action, mark }) => [action, mark])).toEqual(one.order);
    }
    if (one.all_background_results !== undefined) {
      const results = driver.events.filter(({ action }) => action !== 'stop');
      for (const event of results) expect(event).toMatchObject(one.all_background_results);
      expect(results).toHaveLength(6);
    }
    await checkProcesses(one);
  } finally {
    driver.executor.close();
  }
}

async function runTable(driver: Driver, { table = [], action = 'monitor' }: Case): Promise<void> {
  for (const { exit, rc } of table) {
    driver.ask('r1', action, { params: { code: String(exit) } });
    const event = await driver.expectEvent({ action }, 10_000);
    expect(event, `exit ${exit}`).toMatchObject({ rc, status: 'done' });
  }
}

async function runEnvironment(
  driver: Driver,
  { id, params, resource = 'r1', environment = {}, absent = [] }: Case,
): Promise<void> {
  const intervalMs = Number(params?.['CRM_meta_interval'] ?? 0);
  driver.ask(resource, 'monitor', { params: params ?? {}, interval_ms: intervalMs });
  await driver.expectEvent({ action: 'monitor' }, 10_000);
  const seen = new Map(
    readFileSync(log(id), 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  for (const [name, value] of Object.entries(environment)) {
    // The names of the case's own agent and resource differ from the suite's.
    if (name === 'OCF_RESOURCE_INSTANCE') expect(seen.get(name)).toMatch(new RegExp(`\\.${value}$`));
    else if (name === 'OCF_RESOURCE_TYPE') expect(seen.get(name)).toBe(id);
    else expect(seen.get(name), name).toBe(value);
  }
  for (const name of absent) expect(seen.has(name), name).toBe(false);
}

async function runAtOnce(
  driver: Driver,
  { id, ask_at_once = [], all_done_within_ms: withinMs, begins_before_first_end: begins }: Case,
): Promise<void> {
  const begin = performance.now();
  for (const { resource, action } of ask_at_once) driver.ask(resource, action);
  await driver.idle(20_000);
  if (withinMs !== undefined) expect(performance.now() - begin).toBeLessThan(withinMs);
  if (begins !== undefined) expect(noted(id).findIndex(({ mark }) => mark === 'end')).toBe(begins);
}

async function runRecurring(driver: Driver, { id, recurring, gap_between_begins_s: gap = 0 }: Case): Promise<void> {
  driver.ask('r1', recurring?.action ?? 'monitor', { interval_ms: recurring?.interval_ms ?? 0 });
  const seen = (): readonly number[] =>
    noted(id)
      .filter(({ mark }) => mark === 'begin')
      .map(({ at }) => at);
  await expect.poll(() => seen().length, { timeout: 30_000, interval: 100 }).toBeGreaterThanOrEqual(3);
  const begins = seen();
  const gaps = begins.slice(1).map((at, index) => at - (begins[index] ?? 0));
  expect(gaps.length).toBeGreaterThanOrEqual(2);
  // From the end of one run to the begin of the next it is never less; a busy machine may make it more.
  for (const seconds of gaps) expect(seconds).toBeGreaterThanOrEqual(gap - 0.05);
  for (const seconds of gaps) expect(seconds).toBeLessThan(gap + 1.5);
}

/** What a case says of processes after it: `group_child_alive`, `other_session_alive`, `agent_saw_term`. */
async function checkProcesses({ id, steps = [] }: Case): Promise<void> {
  const wanted = steps
    .map(({ expect: one }) => one)
    .find((one) => typeof one === 'object' && one !== null && 'group_child_alive' in one);
  if (wanted === undefined) return;
  const fields = { ...(wanted as Fields), ...deviations[id] };
  await pause(300);
  const pid = (name: string): number => Number(readFileSync(`${log(id)}.${name}`, 'utf8'));
  const session = pid('session');
  try {
    expect(alive(pid('child'))).toBe(fields['group_child_alive']);
    expect(alive(session)).toBe(fields['other_session_alive']);
    expect(existsSync(log(id))).toBe(fields['agent_saw_term']);
  } finally {
    if (alive(session)) process.kill(session, 'SIGKILL');
  }
}

const skipped =
  missing ?? (hasDummies ? undefined : 'the packages resource-agents and pacemaker-resource-agents are not installed');

describe.skipIf(skipped !== undefined)(
  `executor cases of other projects${skipped === undefined ? '' : ` (${skipped})`}`,
  () => {
    test.concurrent.for(cases.filter(({ id }) => !(id in exceptions)).map((one) => [one.id, one.title, one] as const))(
      '%s: %s',
      { timeout: 120_000 },
      async ([, , one]) => {
        await runCase(one);
      },
    );

    test('every exception names a case that exists', () => {
      const ids = new Set(cases.map(({ id }) => id));
      expect([...Object.keys(exceptions), ...Object.keys(deviations)].filter((id) => !ids.has(id))).toEqual([]);
    });
  },
);
