/** A cluster of one node with virtual time, and the interface on top of it: real decisions, no sockets. */
import { createApp } from '../../src/http/app.ts';
import { collect } from '../../src/host/collector.ts';
import { EventLog } from '../../src/host/event-log.ts';
import { createNode, type ClusterNode, type NodeEffect, type NodeInput } from '../../src/node/index.ts';
import type { Answer } from '@systole/crm';
import { epoch, instant, type Instant, seededRandom } from '@systole/kernel';
import { identitySeal, timingProfiles } from '@systole/messaging';
import { schedule } from '@systole/pe';
import { standardPlaces } from '@systole/ra';

export class OneNode {
  readonly node: ClusterNode;
  readonly events = new EventLog();
  readonly app: ReturnType<typeof createApp>;
  #now = 1000;
  readonly #answers = new Map<string, (answer: Answer) => void>();
  readonly #listeners = new Set<() => void>();
  #requests = 0;
  isShutDown = false;
  /** Where its inputs of the policy engine would be. */
  inputs = '/nowhere/policy-inputs';
  /** Users that permissions bind; all others are as root. */
  readonly bound = new Set<string>();
  /** Programs that were started. Probes find nothing; a stop never ends. */
  readonly processes: Extract<NodeEffect, { type: 'startProcess' }>[] = [];
  stopped: Extract<NodeEffect, { type: 'stop' }> | undefined;

  constructor() {
    const wallClock = () => epoch(1_800_000_000_000 + this.#now);
    this.node = createNode({
      configuration: {
        self: 'n1',
        nodes: ['n1'],
        messaging: {
          clusterName: 'test',
          keys: [{ id: 0, key: new Uint8Array(32), primary: true }],
          links: [{ id: 0, mode: 'multicast', priority: 0, mtu: 1500, family: 4 }],
          linkMode: 'passive',
          timing: timingProfiles.lan,
          messageBytesMax: 1_048_576,
          protocol: { min: 1, max: 1 },
        },
        quorum: {},
        places: standardPlaces({ ra: '/nowhere', stonith: '/nowhere' }),
      },
      ports: { random: seededRandom(1), seal: identitySeal, wallClock, firstExisting: ([first]) => first },
      saved: { resources: [], survivors: [], hasRebooted: true },
      now: this.#instant(),
    });
    this.app = createApp({
      cluster: 'test',
      node: this.node,
      now: () => this.#instant(),
      wall: () => wallClock(),
      request: (request) => {
        const requestId = `r${++this.#requests}`;
        const answered = new Promise<Answer>((resolve) => this.#answers.set(requestId, resolve));
        this.give({ type: 'request', requestId, request });
        return answered;
      },
      events: this.events,
      afterTurn: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      shutDown: () => {
        this.isShutDown = true;
      },
      identify: (_incoming, claimed) =>
        Promise.resolve({ user: claimed, groups: [], isPrivileged: !this.bound.has(claimed) }),
      record: (level, event, text, fields) => {
        this.events.add({ at: this.#now, level, event, text, fields, subsystem: 'access' });
      },
      recordMessaging: () => Promise.resolve('/state/recordings/one'),
      metrics: () => Promise.resolve('systole_quorate 1\n'),
    });
    this.run(2000);
  }

  #instant(): Instant {
    return instant(this.#now);
  }

  give(input: NodeInput): void {
    this.#carryOut(this.node.step(input, this.#instant()));
    this.run(50);
  }

  /** Lets virtual time pass. */
  run(ms: number): void {
    const end = this.#now + ms;
    for (; this.#now <= end; this.#now += 5) {
      if (this.node.wakeAt() <= this.#now) this.#carryOut(this.node.step({ type: 'tick' }, this.#instant()));
    }
    for (const listener of this.#listeners) listener();
  }

  #carryOut(effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'saveMembership' || effect.type === 'saveCib') {
        this.#carryOut(this.node.step({ type: 'saved', token: effect.token, isOk: true }, this.#instant()));
      } else if (effect.type === 'schedule') {
        const { transition } = schedule(effect.cib, { now: effect.at });
        const outcome = { type: 'transition', transition } as const;
        this.#carryOut(this.node.step({ type: 'scheduled', scheduleId: effect.scheduleId, outcome }, this.#instant()));
      } else if (effect.type === 'answer') {
        this.#answers.get(effect.requestId)?.(effect.answer);
      } else if (effect.type === 'startProcess') {
        this.processes.push(effect);
        this.#endProcess(effect);
      } else if (effect.type === 'collect') {
        const { id, asker, question } = effect;
        void collect(question, {
          node: this.node,
          events: this.events,
          now: () => this.#instant(),
          metrics: () => Promise.resolve('systole_quorate 1\n'),
          inputs: this.inputs,
        }).then((body) => this.give({ type: 'collected', id, asker, body }));
      } else if (effect.type === 'stop') {
        this.stopped = effect;
      } else if (effect.type === 'report') {
        const { level, event, text, fields, subsystem } = effect;
        this.events.add({ at: this.#now, level, event, text, fields, subsystem });
      }
    }
  }

  #endProcess({ id, argv }: Extract<NodeEffect, { type: 'startProcess' }>): void {
    const action = argv.at(-1) ?? '';
    if (action === 'stop') return;
    const code = action === 'monitor' ? 7 : 0;
    const startedAt = epoch(1_800_000_000_000 + this.#now);
    const ended = { type: 'processEnded', id, outcome: { type: 'exited', code }, stdout: '', stderr: '' } as const;
    this.#carryOut(this.node.step({ ...ended, startedAt, durationMs: 1 }, this.#instant()));
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const response = await this.app.request(path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async post(
    path: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const response = await this.app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}
