/** The directors of a laboratory kept alive by this project: `examples/lvs-pair` as it stands. */
import { Lab, type LogLine } from './cluster.ts';
import { type Manager, type Method, type Wiring } from './director-pair.ts';
import { example } from './example.ts';

/**
 * With direct routing and tunnels the real servers are members too, for the agent that makes them take the address. A
 * machine that has a vote and nothing else makes the number odd.
 */
export const members: Readonly<Record<Method, readonly string[]>> = {
  dr: ['lb1', 'lb2', 'web1', 'web2', 'web3'],
  tun: ['lb1', 'lb2', 'web1', 'web2', 'vote'],
  nat: ['lb1', 'lb2', 'vote'],
};

export interface SystoleOptions {
  readonly timing?: object;
  /** The folder of the programs, where they are not those of the checkout. */
  readonly programs?: string;
  readonly onLog?: (line: LogLine) => void;
}

export async function bySystole(
  method: Method,
  wiring: Wiring,
  { timing, programs, onLog }: SystoleOptions = {},
): Promise<Manager> {
  const nodes = members[method];
  const words: string[] = [];
  // A program of Node's takes seconds to start on the directors' kernel; who is no director is asked.
  const asked = nodes.at(-1) ?? '';
  const lab = await Lab.open({
    nodes,
    build: (node, of) => wiring.build(node, of),
    wire: (machine) => wiring.wire(machine),
    onText: (node, text) => words.push(`${node}: ${text}`),
    ...(timing === undefined ? {} : { timing }),
    ...(programs === undefined ? {} : { programs }),
    ...(onLog === undefined ? {} : { onLog }),
  });
  try {
    await Promise.all(nodes.map((node) => lab.startDaemon(node)));
    await lab.settled([asked, ...nodes], 120_000);
    const configuration = (await example(`lvs-pair/${method}.crm`)).replaceAll('POWER', lab.power.socketPath);
    await lab.systole(asked, 'configure', 'load', 'update', await lab.file('pair.crm', configuration));
    if (asked === 'vote') await lab.systole(asked, 'node', 'standby', asked);
  } catch (error) {
    await lab.close();
    throw new Error(`the cluster did not come up; daemons said:\n${words.join('\n')}`, { cause: error });
  }

  return {
    lab,
    active: () =>
      lab.until(
        'the address is on a director and the cluster idle',
        async () => {
          const status = await lab.status(asked);
          const row = status?.resources.find((one) => (one.id ?? one.rsc) === 'address' && one.role === 'Started');
          return status?.transition.state === 'idle' ? row?.nodes[0] : undefined;
        },
        120_000,
        100,
      ),
    standby: async (node) => void (await lab.systole(asked, 'node', 'standby', node)),
    online: async (node) => void (await lab.systole(asked, 'node', 'online', node)),
    boot: async (node) => {
      if (!lab.machine(node).isOn) await lab.boot(node);
      await lab.settled([asked, ...nodes], 120_000);
    },
    [Symbol.asyncDispose]: () => lab.close(),
  };
}
