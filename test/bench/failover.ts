/**
 * How long a service is away after its machine has lost its power, and what that time is made of:
 * `npm run bench -- failover [--trials 10] [--agent ocf:heartbeat:IPaddr2] [--built]`, root.
 *
 * Three real daemons in namespaces with default settings, fencing by the lab's power switch, an address as the service,
 * a client that asks for it every 5 ms. `--built`: the programs of dist/ instead of the checkout's. Medians in milliseconds.
 */
import os from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { sleep, until } from '../lab/command.ts';
import { Lab, type LogLine } from '../lab/cluster.ts';
import { root } from '../support/repository.ts';

const NODES = ['n1', 'n2', 'n3'];
/** A machine boots, its daemon starts and joins, on a busy host. */
const REST_MAX_MS = 60_000;
const ADDRESS = '10.77.0.100';

const configuration = (socket: string, agent: string): string => `
primitive power stonith:fence_netns params socket=${socket} op monitor interval=60s
primitive address ${agent} params ip=${ADDRESS} cidr_netmask=24 nic=eth0 op monitor interval=10s timeout=10s
rsc_defaults resource-stickiness=100
property fencing-enabled=true
`;

/** Milestones of a failover, in the order in which they come, each by the first line of a survivor's log that tells it. */
const milestones: readonly (readonly [string, (line: LogLine) => boolean])[] = [
  ['lost', ({ event }) => event === 'node.lost'],
  ['fencing asked', ({ event }) => event === 'fencing.requested'],
  ['fenced', ({ event }) => event === 'node.fenced'],
  [
    'started',
    (line) => line.event === 'operation.done' && line['operation'] === 'start' && line['resource'] === 'address',
  ],
];

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trials: { type: 'string', default: '10' },
      agent: { type: 'string', default: 'ocf:systole:vip' },
      built: { type: 'boolean', default: false },
    },
  });
  const load = (): string =>
    os
      .loadavg()
      .map((each) => each.toFixed(1))
      .join(' ');
  const lab = await Lab.open({ nodes: NODES, ...(values.built ? { programs: join(root, 'dist', 'bin') } : {}) });
  const trials: (readonly number[])[] = [];
  try {
    await Promise.all(NODES.map((node) => lab.startDaemon(node)));
    await lab.settled(NODES);
    const file = await lab.file('cluster.crm', configuration(lab.power.socketPath, values.agent));
    await lab.systole('n1', 'configure', 'load', 'update', file);
    const holder = (): Promise<string> =>
      until(
        'the address is held and the cluster at rest',
        async () => {
          const asked = NODES.find((node) => lab.machine(node).isOn) ?? '';
          const status = await lab.status(asked);
          const row = status?.resources.find((one) => (one.id ?? one.rsc) === 'address' && one.role === 'Started');
          const isWhole = status?.nodes.every(({ state }) => state === 'online') === true;
          return isWhole && status?.transition.state === 'idle' ? row?.nodes[0] : undefined;
        },
        REST_MAX_MS,
      );
    const pings = new Pings(lab);
    console.log(
      `${new Date().toISOString()}  ${os.cpus().length} cores, Node ${process.version}, load ${load()}, ${values.agent}`,
    );
    for (let trial = 0; trial < Number(values.trials); trial += 1) {
      const victim = await holder();
      await sleep(2000 + Math.random() * 500); // engines have warmed up, and heartbeats have no fixed phase
      await pings.answered(Date.now());
      const fault = Date.now();
      // The cable first: a namespace's kernel goes on answering for a while after its last process is gone.
      await lab.network.cut(victim);
      await lab.powerOff(victim);
      const back = await pings.answered(Date.now() + 50);
      // A node that is lost again and again is let in later and later; here nothing is wrong with it.
      for (const node of NODES) if (node !== victim) await lab.trySystole(node, ['node', 'readmit', victim]);
      await holder(); // by then everything is told
      const times = milestones.map(
        ([, isIt]) =>
          (lab.log.find((line) => line.time >= fault && line.node !== victim && isIt(line))?.time ?? Number.NaN) -
          fault,
      );
      trials.push([...times, back - fault]);
      console.log(
        `trial ${trial + 1}, ${victim}: ${milestones.map(([name], at) => `${name} ${times[at]}`).join(', ')}, answered ${back - fault}`,
      );
    }
    pings.stop();
  } catch (error) {
    const told = lab.log.slice(-40).map(({ node, event, msg }) => `${node} ${event}: ${msg}`);
    throw new Error(`${(error as Error).message}; the last that was said:\n${told.join('\n')}`, { cause: error });
  } finally {
    await lab.close();
  }
  const names = [...milestones.map(([name]) => name), 'answered'];
  console.log(names.map((name, at) => `${name} ${median(trials.map((trial) => trial[at] ?? Number.NaN))}`).join(', '));
  console.log(`load at the end ${load()}`);
}

/** A client in the lab that asks for the address every 5 ms. */
class Pings {
  readonly #seen: number[] = [];
  readonly #stop: () => void;

  constructor(lab: Lab) {
    const { process: child } = lab.client.start(['ping', '-D', '-n', '-i', '0.005', '-W', '1', ADDRESS], (line) => {
      const at = /^\[(\d+\.\d+)\] \d+ bytes from/u.exec(line)?.[1];
      if (at !== undefined) this.#seen.push(Number(at) * 1000);
    });
    this.#stop = () => void child.kill('SIGKILL');
  }

  /** When the first answer from `since` on came. */
  async answered(since: number): Promise<number> {
    return Math.round(await until('the address answers', () => this.#seen.find((at) => at >= since), 60_000, 5));
  }

  stop(): void {
    this.#stop();
  }
}
