/**
 * Fencers of several nodes in virtual time: messages take a millisecond, agents are functions, nothing really runs.
 * Used by this package's tests and by the conformance cases.
 */
import type { FencingLevel } from '@systole/cib';
import { type Epoch, type Instant, type ProcessEnded, seededRandom, type StartProcess } from '@systole/kernel';
import { standardPlaces } from '@systole/ra';
import {
  type Fence,
  type FenceDevice,
  type FenceEnded,
  Fencer,
  type FencerOptions,
  type StonithEffect,
  type StonithInput,
} from '../src/index.ts';

/** What an agent does with its input: how long it takes, and what comes of it. */
export interface AgentRun {
  readonly ms: number;
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface AgentCall {
  readonly node: string;
  readonly agent: string;
  readonly action: string;
  /** `plug` or `port`, else `nodename`. */
  readonly target: string | undefined;
  readonly input: Readonly<Record<string, string>>;
  readonly atMs: number;
}

/** A run of an agent, for looking back. */
export interface AgentRecord extends AgentCall, AgentRun {
  /** Which try of its job this was, from 1. */
  readonly attempt: number;
  readonly hasTimedOut: boolean;
}

export type Agent = (call: AgentCall) => AgentRun;

/** A description that offers the given actions, as `name` or `name attribute=value`. */
export const description = (
  name: string,
  actions: readonly string[],
  parameters: readonly string[] = ['plug'],
): string =>
  `<resource-agent name="${name}" shortdesc="test"><parameters>${parameters
    .map((parameter) => `<parameter name="${parameter}"><content type="string"/></parameter>`)
    .join('')}</parameters><actions>${actions
    .map((action) => {
      const [word, ...attributes] = action.split(' ');
      return `<action name="${word}" ${attributes.map((text) => text.replace(/=(.*)/, '="$1"')).join(' ')}/>`;
    })
    .join('')}</actions></resource-agent>`;

export const usualActions = ['on', 'off', 'reboot', 'status', 'monitor', 'metadata'];

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

interface Node {
  readonly name: string;
  readonly fencer: Fencer;
  readonly timers: Map<string, number>;
  readonly processes: Map<string, number>;
}

export class VirtualFencers {
  nowMs = 1000;
  /** Every run of an agent but those for its description, in the order of their begin. */
  readonly calls: AgentRecord[] = [];
  readonly effects: { readonly node: string; readonly atMs: number; readonly effect: StonithEffect }[] = [];
  /** Links that are cut, as `from>to`. */
  readonly cut = new Set<string>();
  readonly #nodes = new Map<string, Node>();
  readonly #agents: Readonly<Record<string, Agent>>;
  #events: Event[] = [];
  #order = 0;

  constructor(names: readonly string[], agents: Readonly<Record<string, Agent>>, seed = 1) {
    this.#agents = agents;
    for (const name of names) {
      const fencer = new Fencer({
        node: name,
        places: standardPlaces({ ra: '/opt/ra', stonith: '/opt/stonith' }),
        firstExisting: (paths) => paths.find((path) => (path.split('/').at(-1) ?? '') in agents),
        random: seededRandom(seed + names.indexOf(name)),
        wallClock: () => (1_700_000_000_000 + this.nowMs) as Epoch,
      });
      this.#nodes.set(name, { name, fencer, timers: new Map(), processes: new Map() });
    }
    this.members(names);
    this.run();
  }

  fencer(name: string): Fencer {
    return this.#node(name).fencer;
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  give(name: string, input: StonithInput): void {
    const node = this.#node(name);
    for (const effect of node.fencer.step(input, this.nowMs as Instant)) {
      this.effects.push({ node: name, atMs: this.nowMs, effect });
      this.#carryOut(node, effect);
    }
  }

  giveAll(input: StonithInput): void {
    for (const name of this.#nodes.keys()) this.give(name, input);
  }

  /** The members of one partition learn of each other. */
  members(names: readonly string[], isQuorate = true): void {
    for (const name of names) {
      if (this.#nodes.has(name)) this.give(name, { type: 'membersChanged', members: names, isQuorate });
    }
  }

  devices(...devices: readonly FenceDevice[]): void {
    this.giveAll({ type: 'devicesChanged', devices });
    this.runFor(200);
  }

  levels(...levels: readonly FencingLevel[]): void {
    this.giveAll({ type: 'topologyChanged', levels });
  }

  options(options: Partial<FencerOptions>): void {
    const all = { watchdogTimeoutMs: 0, isConcurrent: true, ...options };
    this.giveAll({ type: 'optionsChanged', options: all });
  }

  #carryOut(node: Node, effect: StonithEffect): void {
    switch (effect.type) {
      case 'startProcess':
        this.#start(node, effect);
        break;
      case 'killProcess': {
        const token = node.processes.get(effect.id);
        if (token !== undefined)
          this.#endProcess(node, effect.id, token, { type: 'signalled', signal: effect.signal }, {});
        break;
      }
      case 'startTimer': {
        const token = (this.#order += 1);
        node.timers.set(effect.id, token);
        this.#at(effect.delayMs, () => {
          if (node.timers.get(effect.id) !== token) return;
          node.timers.delete(effect.id);
          this.give(node.name, { type: 'timerExpired', id: effect.id });
        });
        break;
      }
      case 'stopTimer':
        node.timers.delete(effect.id);
        break;
      case 'sendPeer': {
        const to = effect.to === undefined ? [...this.#nodes.keys()].filter((name) => name !== node.name) : [effect.to];
        for (const peer of to) {
          if (this.cut.has(`${node.name}>${peer}`) || !this.#nodes.has(peer)) continue;
          const message: unknown = JSON.parse(JSON.stringify(effect.message));
          this.#at(1, () => this.give(peer, { type: 'peerMessage', from: node.name, message }));
        }
        break;
      }
      default:
        break;
    }
  }

  #start(node: Node, effect: StartProcess): void {
    const token = (this.#order += 1);
    node.processes.set(effect.id, token);
    const name = effect.argv[0]?.split('/').at(-1) ?? '';
    const input = Object.fromEntries(
      effect.stdin
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const action = input['action'] ?? effect.argv[1] ?? '';
    const target = input['plug'] ?? input['port'] ?? input['nodename'] ?? effect.argv[2];
    const call = { node: node.name, agent: name, action, target, input, atMs: this.nowMs };
    const run = this.#agents[name]?.(call) ?? { ms: 0, code: 127 };
    const hasTimedOut = run.ms >= effect.timeoutMs;
    const attempt = Number(effect.id.split('#')[1] ?? '1');
    if (action !== 'metadata') this.calls.push({ ...call, ...run, attempt, hasTimedOut });
    if (hasTimedOut) {
      this.#at(effect.timeoutMs, () => this.#endProcess(node, effect.id, token, { type: 'timedOut' }, run));
    } else {
      this.#at(run.ms, () => this.#endProcess(node, effect.id, token, { type: 'exited', code: run.code }, run));
    }
  }

  #endProcess(
    node: Node,
    id: string,
    token: number,
    outcome: ProcessEnded['outcome'],
    run: { readonly stdout?: string; readonly stderr?: string; readonly ms?: number },
  ): void {
    if (node.processes.get(id) !== token) return;
    node.processes.delete(id);
    this.give(node.name, {
      type: 'processEnded',
      id,
      outcome,
      stdout: run.stdout ?? '',
      stderr: run.stderr ?? '',
      startedAt: (1_700_000_000_000 + this.nowMs) as Epoch,
      durationMs: run.ms ?? 0,
    });
  }

  #at(delayMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, order: (this.#order += 1), run });
  }

  /** Lets time pass until nothing happens any more, or for so long. */
  runFor(limitMs: number): void {
    const endMs = this.nowMs + limitMs;
    for (;;) {
      const next = this.#events.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = endMs;
  }

  /** Lets time pass until nothing happens any more. */
  run(): void {
    while (this.#events.length > 0) {
      const next = this.#events.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) return;
      this.#events = this.#events.filter((event) => event !== next);
      this.nowMs = next.atMs;
      next.run();
    }
  }

  /** Asks a node to fence and lets time pass until it has answered. */
  fence(name: string, target: string, fields: Partial<Fence> = {}): FenceEnded & { readonly tookMs: number } {
    const requestId = fields.requestId ?? `request ${(this.#order += 1)}`;
    const beganMs = this.nowMs;
    this.give(name, { type: 'fence', target, action: 'off', timeoutMs: 20_000, ...fields, requestId });
    return { ...this.answer(requestId), tookMs: this.nowMs - beganMs };
  }

  /** Lets time pass until a request has been answered. */
  answer(requestId: string): FenceEnded {
    for (;;) {
      const found = this.effects.find(({ effect }) => effect.type === 'fenceEnded' && effect.requestId === requestId);
      if (found?.effect.type === 'fenceEnded') return found.effect;
      const next = this.#events.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) throw new Error(`nothing will ever answer ${requestId}`);
      this.#events = this.#events.filter((event) => event !== next);
      this.nowMs = next.atMs;
      next.run();
    }
  }

  /** What agents were asked to do to nodes, as `agent action target @node`. */
  get deeds(): readonly string[] {
    return this.calls
      .filter(({ action }) => ['on', 'off', 'reboot', 'reset'].includes(action))
      .map(({ agent, action, target, node }) => `${agent} ${action} ${target} @${node}`);
  }
}

/** An agent that does what it is told at once. */
export const works: Agent = ({ action, agent }) => ({
  ms: 100,
  code: 0,
  ...(action === 'metadata' ? { stdout: description(agent, usualActions) } : {}),
});

/** An agent that describes itself and can do nothing. */
export const fails: Agent = ({ action, agent }) => ({
  ms: 100,
  code: action === 'metadata' ? 0 : 1,
  stdout: action === 'metadata' ? description(agent, usualActions) : '',
  stderr: action === 'metadata' ? '' : 'no answer from the power switch\n',
});

export const device = (
  id: string,
  agent: string,
  parameters: Readonly<Record<string, string>> = {},
  fields: Partial<FenceDevice> = {},
): FenceDevice => ({
  id,
  agent: { class: 'stonith', type: agent },
  parameters,
  meta: {},
  isAllowedHere: true,
  ...fields,
});

export const level = (target: string, index: number, ...devices: readonly string[]): FencingLevel => ({
  id: `${target}-${index}-${devices.join('-')}`,
  index,
  devices,
  target: { type: 'node', name: target },
});
