/**
 * The founders' scenario: two directors, real servers, and a client that never stops asking. A trial takes the active
 * director out of service in order, later pulls the plug of the one that is then active, and measures each time how long the
 * client went without an answer; afterwards real servers die and come back.
 */
import type { LogLine } from './cluster.ts';
import { sleep, until } from './command.ts';
import { byKeepalived } from './directors-by-keepalived.ts';
import { bySystole, members } from './directors-by-systole.ts';
import { Farm, farmOf, type Manager, type Method, Traffic, virtualAddress, Wiring } from './director-pair.ts';
import { Machine } from './namespaces.ts';
import { longestOutage } from './outage.ts';

export interface Takeover {
  readonly fault: 'standby' | 'power';
  readonly from: string;
  readonly to: string;
  readonly outageMs: number;
  readonly requestsLost: number;
  /** Of the connections that were open before, those that still carry data afterwards. */
  readonly connectionsAlive: number;
  readonly isNeighbourTold: boolean;
}

export interface DeadServer {
  /** From its death until it was out of the kernel's rules. */
  readonly outAfterMs: number;
  readonly refusedOnceOut: number;
  /** What was answered while no real server was left; undefined without a sorry server. */
  readonly sorry?: string;
}

export interface TrialOptions {
  readonly method: Method;
  readonly manager: 'systole' | 'keepalived';
  /** How often keepalived's directors tell that they live, in seconds. */
  readonly advertiseEvery?: string;
  readonly trials?: number;
  readonly onStep?: (text: string) => void;
  /** How soon silence counts as death among this project's daemons; that of a local network unless given. */
  readonly timing?: object;
  /** The folder of this project's programs; those of the checkout unless given. */
  readonly programs?: string;
  /** What this project's daemons say. */
  readonly onLog?: (line: LogLine) => void;
}

export interface TrialResult {
  readonly activeAtFirst: string;
  readonly takeovers: readonly Takeover[];
  readonly deadServer?: DeadServer;
}

/** How many connections the client keeps open. */
export const openConnections = 4;

/** TCP tries again at ever longer intervals: by then a connection that survived has carried data again. */
const retransmissionMs = 5000;

export async function directorTrial(options: TrialOptions): Promise<TrialResult> {
  const { method, manager, advertiseEvery = '1', onStep: say = () => undefined } = options;
  const wiring = new Wiring(method);
  const plain = new Map<string, Machine>();
  await using pair =
    manager === 'keepalived'
      ? await byKeepalived(method, wiring, advertiseEvery)
      : await bySystole(method, wiring, options);
  say('the directors are managed');
  const farm = new Farm(method, (name) => plain.get(name) ?? pair.lab.machine(name));
  try {
    for (const name of farmOf(method)) {
      if (manager === 'keepalived' || !members[method].includes(name)) {
        plain.set(name, await bootPlain(pair, wiring, method, name));
      }
      await farm.start(name);
    }
    return await scenario(pair, farm, options);
  } finally {
    for (const machine of plain.values()) await machine.powerOff();
  }
}

/** A real server that no cluster looks after: it takes the address's packets because it is told to here. */
async function bootPlain({ lab }: Manager, wiring: Wiring, method: Method, name: string): Promise<Machine> {
  const server = wiring.build(name, lab) ?? new Machine(name);
  await server.boot();
  if (method !== 'nat') await lab.network.connect(server, `10.77.0.${10 + Number(name.slice(-1))}/24`);
  await wiring.wire(server);
  if (method === 'nat') return server;
  const device = method === 'tun' ? 'tunl0' : 'lo';
  if (method === 'tun') await server.run('modprobe', 'ipip');
  const quiet = ['arp_ignore=1', 'arp_announce=2', 'rp_filter=0'].map((word) => `net.ipv4.conf.all.${word}`);
  if (method === 'tun') quiet.push('net.ipv4.conf.tunl0.rp_filter=0');
  await server.run('sysctl', '-qw', ...quiet);
  await server.run('ip', 'link', 'set', device, 'up');
  await server.run('ip', 'address', 'add', `${virtualAddress}/32`, 'dev', device);
  return server;
}

async function scenario(pair: Manager, farm: Farm, options: TrialOptions): Promise<TrialResult> {
  const { method, manager, trials = 1, onStep: say = () => undefined } = options;
  const activeAtFirst = await pair.active();
  const traffic = new Traffic(pair.lab.client, { connections: openConnections });
  await traffic.flows(0);
  await until('every server answers', () => traffic.from(0).size === farmOf(method).length, 30_000);
  say(`${[...traffic.from(0)].toSorted().join(', ')} answer through ${activeAtFirst}`);

  const takeovers: Takeover[] = [];
  let active = activeAtFirst;
  for (let trial = 0; trial < trials; trial += 1) {
    for (const fault of ['standby', 'power'] as const) {
      const takeover = await takeOver(pair, traffic, active, fault);
      say(JSON.stringify(takeover));
      takeovers.push(takeover);
      if (fault === 'standby') await pair.online(active);
      else await pair.boot(active);
      active = await pair.active();
    }
  }
  if (manager === 'keepalived') return { activeAtFirst, takeovers };
  const deadServer = await killServers(pair, farm, traffic, active, method);
  say(JSON.stringify(deadServer));
  return { activeAtFirst, takeovers, deadServer };
}

async function takeOver(pair: Manager, traffic: Traffic, from: string, fault: Takeover['fault']): Promise<Takeover> {
  const neighbour = async (): Promise<string | undefined> =>
    /lladdr (\S+)/u.exec(await pair.lab.client.run('ip', 'neigh', 'show', virtualAddress))?.[1];
  await sleep(1000); // the kernel tells the other director of each connection from time to time, not of each packet
  const before = await neighbour();
  const since = Date.now();
  if (fault === 'standby') await pair.standby(from);
  else await pair.lab.powerOff(from);
  const to = await until(
    'the other director is active',
    async () => {
      const now = await pair.active();
      return now === from ? undefined : now;
    },
    60_000,
  );
  await traffic.flows(Date.now());
  await sleep(retransmissionMs);
  return {
    fault,
    from,
    to,
    outageMs: longestOutage(traffic.answers, since)?.durationMs ?? 0,
    requestsLost: traffic.lost(since),
    connectionsAlive: traffic.alive(Date.now() - 1000),
    isNeighbourTold: (await neighbour()) !== before,
  };
}

/** One server dies and comes back, then all die. */
async function killServers(
  pair: Manager,
  farm: Farm,
  traffic: Traffic,
  active: string,
  method: Method,
): Promise<DeadServer> {
  const names = farmOf(method);
  const dead = names.at(-1) ?? '';
  const director = pair.lab.machine(active);
  const address = new RegExp(`-r (\\S*\\.2${names.length}:\\d+) `, 'u').exec(
    await director.run('ipvsadm', '-S', '-n'),
  )?.[1];
  if (address === undefined) throw new Error(`${dead} is not among the kernel's rules`);
  const isListed = async (): Promise<boolean> => (await director.run('ipvsadm', '-S', '-n')).includes(` ${address} `);
  const died = Date.now();
  await farm.kill(dead);
  await until(`${dead} is taken out`, async () => !(await isListed()), 30_000);
  const out = Date.now();
  await traffic.flows(out, 20);
  const refusedOnceOut = traffic.refused(out);
  await farm.start(dead);
  await until(`${dead} answers again`, () => traffic.from(out).has(dead), 30_000);
  if (method !== 'tun') return { outAfterMs: out - died, refusedOnceOut };

  // The sorry server of the example is the director itself.
  const sorry = new Farm(method, () => director);
  await sorry.start(active);
  for (const name of names) await farm.kill(name);
  const since = Date.now();
  const answered = await until('the sorry server answers', () => traffic.from(since).has(active) && active, 60_000);
  return { outAfterMs: out - died, refusedOnceOut, sorry: answered };
}
