/**
 * One member for the messaging benchmark: the engine on real sockets, without the rest of a daemon. Run as
 * `node.ts NODE ADDRESS`; takes commands and gives answers as lines of JSON on its standard streams.
 */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import {
  createEngine,
  cryptoSeal,
  type Engine,
  type EngineEffect,
  type EngineInput,
  type Service,
  majorityPolicy,
  protocolRange,
  timingProfiles,
} from '@systole/messaging';
import { Alarm, systemClock } from '../../../packages/daemon/src/host/clock.ts';
import { becomeRealtime } from '../../../packages/daemon/src/host/realtime.ts';
import { Link } from '../../../packages/daemon/src/host/udp.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const [nodeText = '1', address = '127.0.0.1'] = positionals;
const node = Number(nodeText);
const nodes = [1, 2, 3];

interface Order {
  readonly count: number;
  readonly bytes: number;
  readonly window: number;
  readonly service?: Service;
}

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

class Member {
  readonly #engine: Engine;
  readonly #alarm = new Alarm(() => this.#turn());
  readonly #inbox: EngineInput[] = [];
  #link: Link | undefined;
  #isScheduled = false;
  /** Of the run under way: when each message was submitted, by its handle. */
  readonly #submitted = new Map<number, number>();
  #run:
    | {
        left: number;
        readonly body: Uint8Array;
        readonly service: Service;
        readonly latencies: number[];
        readonly begin: number;
        delivered: number;
        readonly count: number;
      }
    | undefined;
  #handle = 1;

  constructor() {
    this.#engine = createEngine({
      configuration: {
        clusterName: 'bench',
        self: node,
        revision: 1,
        nodes,
        keys: [{ id: 0, key: new Uint8Array(32).fill(7), primary: true }],
        links: [{ id: 0, mode: 'auto', priority: 10, mtu: 1500, family: 4 }],
        linkMode: 'passive',
        timing: timingProfiles.lan,
        messageBytesMax: 1024 * 1024,
        protocol: protocolRange,
      },
      seal: cryptoSeal,
      random: {
        integer: (below) => Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * below),
        bytes: (length) => randomBytes(length),
      },
      quorum: majorityPolicy(nodes),
      wall: systemClock.wall(),
      now: systemClock.now(),
    });
  }

  async open(): Promise<void> {
    this.#link = await Link.open(
      { link: 0, address, port: 15_405, group: '239.255.77.9', ttl: 1, isLoopback: false },
      {
        received: (datagram) => this.give({ type: 'datagram', ...datagram }),
        failed: (link, code) => this.give({ type: 'sendFailed', link, code }),
      },
    );
    this.#schedule();
  }

  give(input: EngineInput): void {
    this.#inbox.push(input);
    this.#schedule();
  }

  /** Sends `count` messages of `bytes` with at most `window` under way. */
  begin({ count, bytes, window, service = 'agreed' }: Order): void {
    const body = new Uint8Array(bytes).fill(120);
    this.#run = { left: count, body, service, latencies: [], begin: performance.now(), delivered: 0, count };
    for (let index = 0; index < Math.min(window, count); index++) this.#submit();
  }

  #submit(): void {
    const run = this.#run;
    if (run === undefined || run.left === 0) return;
    run.left -= 1;
    const handle = this.#handle++;
    this.#submitted.set(handle, performance.now());
    this.give({ type: 'submit', handle, service: run.service, body: run.body });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    for (const input of this.#inbox.splice(0)) this.#step(input);
    for (let round = 0; round < 8 && this.#engine.wakeAt() <= systemClock.now(); round++) this.#step({ type: 'tick' });
    this.#alarm.set(this.#engine.wakeAt() - systemClock.now());
  }

  #step(input: EngineInput): void {
    for (const effect of this.#engine.step(input, systemClock.now())) this.#do(effect);
  }

  #do(effect: EngineEffect): void {
    switch (effect.type) {
      case 'transmit':
        this.#link?.send(effect.to, effect.bytes);
        break;
      case 'save':
        // The disk is not what is measured here; views change seldom.
        this.give({ type: 'saved', token: effect.token });
        break;
      case 'deliver':
        if (effect.handle !== undefined) this.#delivered(effect.handle);
        break;
      case 'rejected':
        this.#rejected(effect.handle, effect.reason);
        break;
      case 'viewActive':
        say({ view: this.#engine.status(systemClock.now()).view.members.map((member) => member.node), at: Date.now() });
        break;
      case 'left':
        process.exit(0);
      default:
    }
  }

  /** A view ended: what had no place in its order is sent again, and takes that much longer. */
  #rejected(handle: number, reason: string): void {
    const since = this.#submitted.get(handle);
    if (this.#run === undefined || since === undefined) return;
    say({ problem: `rejected: ${reason}` });
    this.#submitted.delete(handle);
    this.#run.left += 1;
    setTimeout(() => this.#submit(), 10);
  }

  #delivered(handle: number): void {
    const run = this.#run;
    const since = this.#submitted.get(handle);
    if (run === undefined || since === undefined) return;
    this.#submitted.delete(handle);
    run.latencies.push(performance.now() - since);
    run.delivered += 1;
    this.#submit();
    if (run.delivered < run.count) return;
    this.#run = undefined;
    say({ done: true, ms: performance.now() - run.begin, latencies: run.latencies });
  }
}

const member = new Member();
say({ scheduling: await becomeRealtime() });
await member.open();
createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order | { readonly leave: true } | { readonly readmit: number };
  if ('leave' in order) member.give({ type: 'leave', reason: 'told to' });
  else if ('readmit' in order) member.give({ type: 'readmit', node: order.readmit });
  else member.begin(order);
});
