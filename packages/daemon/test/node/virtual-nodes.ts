/** Several whole nodes on a virtual network, with disks that outlive them: the code that ships, in virtual time. */
import type { Answer } from '@systole/crm';
import { epoch, instant, type Instant, seededRandom } from '@systole/kernel';
import { cryptoSeal, type KeyRing, protocolRange, type StateRecord, timingProfiles } from '@systole/messaging';
import { schedule } from '@systole/pe';
import { standardPlaces } from '@systole/ra';
import {
  type CibRecord,
  type ClusterNode,
  createNode,
  type NodeEffect,
  type NodeInput,
  type NodeRequest,
} from '../../src/node/index.ts';

interface Machine {
  readonly name: string;
  node: ClusterNode | undefined;
  life: number;
  readonly disk: { membership?: StateRecord; cib?: CibRecord; keys?: KeyRing };
}

const firstKey = { id: 0, key: new Uint8Array(32).fill(9), primary: true };

export class VirtualNodes {
  readonly machines: readonly Machine[];
  readonly views: string[] = [];
  readonly reports: string[] = [];
  #now = 1000;
  #inbox: { readonly to: Machine; readonly life: number; readonly input: NodeInput }[] = [];
  readonly #answers = new Map<string, Answer>();
  #requests = 0;

  constructor(names: readonly string[]) {
    this.machines = names.map((name) => ({ name, node: undefined, life: 0, disk: {} }));
    for (const { name } of this.machines) this.start(name);
  }

  machine(name: string): Machine {
    const machine = this.machines.find((one) => one.name === name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }

  node(name: string): ClusterNode {
    const { node } = this.machine(name);
    if (node === undefined) throw new Error(`${name} is down`);
    return node;
  }

  start(name: string): void {
    const machine = this.machine(name);
    machine.life += 1;
    const { membership, cib, keys } = machine.disk;
    const wallClock = () => epoch(1_800_000_000_000 + this.#now);
    machine.node = createNode({
      configuration: {
        self: name,
        nodes: this.machines.map((one) => one.name),
        messaging: {
          clusterName: 'test',
          keys: keys?.keys ?? [firstKey],
          links: [{ id: 0, mode: 'multicast', priority: 0, mtu: 1500, family: 4 }],
          linkMode: 'passive',
          timing: timingProfiles.lan,
          messageBytesMax: 1_048_576,
          protocol: protocolRange,
        },
        ...(keys?.rotation === undefined ? {} : { rotation: keys.rotation }),
        quorum: {},
        places: standardPlaces({ ra: '/nowhere', stonith: '/nowhere' }),
      },
      ports: {
        random: seededRandom(100 * machine.life + this.machines.indexOf(machine)),
        seal: cryptoSeal,
        wallClock,
        firstExisting: ([first]) => first,
      },
      saved: {
        ...(membership === undefined ? {} : { membership }),
        ...(cib === undefined ? {} : { cib }),
        resources: [],
        survivors: [],
        hasRebooted: true,
      },
      now: this.#instant(),
    });
  }

  crash(name: string): void {
    const machine = this.machine(name);
    machine.node = undefined;
    machine.life += 1;
  }

  /** Asks, and lets time pass until there is an answer. */
  ask(name: string, request: NodeRequest): Answer {
    const requestId = `r${(this.#requests += 1)}`;
    this.#give(this.machine(name), { type: 'request', requestId, request });
    for (let waited = 0; !this.#answers.has(requestId) && waited < 5000; waited += 5) this.run(5);
    const answer = this.#answers.get(requestId);
    if (answer === undefined) throw new Error(`no answer to ${request.type}`);
    return answer;
  }

  run(ms: number): void {
    for (const end = this.#now + ms; this.#now < end; this.#now += 5) {
      for (const { to, life, input } of this.#inbox.splice(0)) if (to.life === life) this.#give(to, input);
      for (const machine of this.machines) {
        for (let rounds = 0; machine.node !== undefined && machine.node.wakeAt() <= this.#now && rounds < 20; rounds++)
          this.#give(machine, { type: 'tick' });
      }
    }
  }

  #instant(): Instant {
    return instant(this.#now);
  }

  #give(machine: Machine, input: NodeInput): void {
    for (const effect of machine.node?.step(input, this.#instant()) ?? []) this.#carryOut(machine, effect);
  }

  /** Answers come back with the next round, as from a disk or another thread. */
  #later(to: Machine, input: NodeInput): void {
    this.#inbox.push({ to, life: to.life, input });
  }

  #carryOut(machine: Machine, effect: NodeEffect): void {
    switch (effect.type) {
      case 'transmit':
        for (const to of this.machines) {
          if (to === machine) continue;
          const from = { host: machine.name, port: 5405 };
          this.#later(to, { type: 'datagram', link: 0, via: 'multicast', from, bytes: Uint8Array.from(effect.bytes) });
        }
        break;
      case 'saveMembership':
        machine.disk.membership = effect.record;
        // What follows may be carried out: the record is on disk at once.
        this.#give(machine, { type: 'saved', token: effect.token, isOk: true });
        break;
      case 'saveCib':
        machine.disk.cib = effect.record;
        this.#later(machine, { type: 'saved', token: effect.token, isOk: true });
        break;
      case 'saveKeys':
        machine.disk.keys = effect.ring;
        this.#later(machine, { type: 'saved', token: effect.token, isOk: true });
        break;
      case 'schedule': {
        const { transition } = schedule(effect.cib, { now: effect.at });
        const outcome = { type: 'transition', transition } as const;
        this.#later(machine, { type: 'scheduled', scheduleId: effect.scheduleId, outcome });
        break;
      }
      case 'answer':
        this.#answers.set(effect.requestId, effect.answer);
        break;
      case 'report':
        this.reports.push(`${machine.name} ${effect.event}: ${effect.text}`);
        break;
      default:
        break; // nothing runs on these nodes
    }
  }
}
