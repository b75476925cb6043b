/** What the rooted tests share: a cluster of three real daemons with fencing, and a client that never stops asking. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { AddressWatch } from '../lab/address-watch.ts';
import { Lab, type NodeStatus } from '../lab/cluster.ts';
import { until } from '../lab/command.ts';
import type { Answer } from '../lab/probe.ts';
import { root } from '../support/repository.ts';

/** Where all that the daemons say is kept, for whoever has to find out why a test failed. */
const logFile = process.env['LAB_LOG'];

export const address = '10.77.0.100';

/** Why these tests cannot run here, or undefined if they can. */
export const notHere: string | undefined =
  process.getuid?.() !== 0
    ? 'these tests make network namespaces and need root'
    : ['/usr/sbin/nft', '/usr/bin/arping', '/usr/bin/nsenter'].find((path) => !existsSync(path));

export interface TestCluster extends AsyncDisposable {
  readonly lab: Lab;
  readonly watch: AddressWatch;
  /** The node, other than `notOn`, on which a resource runs once the cluster has nothing left to do; `ask` is who is asked. */
  runsOn(resource: string, ask?: string, notOn?: string): Promise<string>;
  status(ask?: string): Promise<NodeStatus>;
  /** Starts a client that asks for the page every 10 ms; its answers appear in the list. */
  probe(): Promise<readonly Answer[]>;
  /** Boots a machine again and watches it. */
  boot(node: string): Promise<void>;
}

export interface ClusterOptions {
  readonly nodes?: readonly string[];
  /** Shell text that every machine runs when it boots, ending in `&&`. */
  readonly prepare?: string;
  /** The quorum section of the nodes' files. */
  readonly quorum?: object;
  /** What must be there before the daemons start. */
  readonly beforeDaemons?: (lab: Lab) => Promise<void>;
}

/** `configuration` is crm text; `POWER` in it stands for the power switch's socket. */
export async function openCluster(configuration: string, options: ClusterOptions = {}): Promise<TestCluster> {
  const { nodes = ['n1', 'n2', 'n3'], prepare = '', quorum = {}, beforeDaemons } = options;
  const words: string[] = [];
  const lab = await Lab.open({
    nodes,
    prepare,
    quorum,
    onText: (node, text) => words.push(`${node}: ${text}`),
    ...(logFile === undefined ? {} : { onLog: (line) => appendFileSync(logFile, `${JSON.stringify(line)}\n`) }),
    agents: ['/usr/lib/ocf', join(root, 'examples', 'web', 'init.d'), '/etc/init.d'],
  });
  const watch = new AddressWatch(address);
  try {
    for (const node of nodes) watch.watch(lab.machine(node));
    await beforeDaemons?.(lab);
    await Promise.all(nodes.map((node) => lab.startDaemon(node)));
    await lab.settled(nodes);
    const file = await lab.file('cluster.crm', configuration.replaceAll('POWER', lab.power.socketPath));
    await lab.systole(nodes[0] ?? '', 'configure', 'load', 'update', file);
  } catch (error) {
    await lab.close();
    throw new Error(`the cluster did not come up; daemons said:\n${words.join('\n')}`, { cause: error });
  }

  const status = async (ask = nodes[0] ?? ''): Promise<NodeStatus> => {
    const answer = await lab.status(ask);
    if (answer === undefined) throw new Error(`${ask} gives no status`);
    return answer;
  };

  return {
    lab,
    watch,
    status,
    runsOn: async (resource, ask = nodes[0] ?? '', notOn?: string) => {
      try {
        return await until(
          `${resource} runs and the cluster is idle`,
          async () => {
            const answer = await lab.status(ask);
            const row = answer?.resources.find((one) => (one.id ?? one.rsc) === resource && one.role === 'Started');
            const node = answer?.transition.state === 'idle' ? row?.nodes[0] : undefined;
            return node === notOn ? undefined : node;
          },
          150_000, // an agent may look several times, ten seconds apart, before it lets itself be promoted
          100,
        );
      } catch (error) {
        const told = lab.log.filter((line) => line['level'] !== 'info').map((line) => `${line.node}: ${line.msg}`);
        throw new Error(`${String(error)}; the cluster said:\n${told.slice(-20).join('\n')}`, { cause: error });
      }
    },
    probe: async () => {
      const answers: Answer[] = [];
      lab.client.start(
        [process.execPath, join(root, 'test', 'lab', 'probe.ts'), `http://${address}:8080/`, '10'],
        (line, stream) => {
          if (stream === 'stdout') answers.push(JSON.parse(line) as Answer);
        },
      );
      await until('the client is answered', () => answers.some(({ from }) => from !== undefined), 20_000);
      return answers;
    },
    boot: async (node) => {
      if (!lab.machine(node).isOn) await lab.boot(node);
      watch.watch(lab.machine(node));
    },
    [Symbol.asyncDispose]: () => lab.close(),
  };
}

/** A web server behind a floating address, fenced by the power switch. */
export const web = `
primitive power stonith:fence_netns params socket=POWER op monitor interval=60s
primitive address ocf:systole:vip params ip=${address} cidr_netmask=24 nic=eth0 op monitor interval=2s timeout=10s
primitive www lsb:www op monitor interval=2s timeout=10s
group web address www
location web-prefers-n1 web 50: n1
rsc_defaults resource-stickiness=100 migration-threshold=3
property fencing-enabled=true
`;
