/** The directors of a laboratory kept alive by keepalived: the same rules, checks and connection sync, for comparison. */
import { Lab } from './cluster.ts';
import { type Background, sleep, until } from './command.ts';
import { directors, type Manager, type Method, portOf, virtualAddress, type Wiring } from './director-pair.ts';

const kinds: Readonly<Record<Method, string>> = { dr: 'DR', nat: 'NAT', tun: 'TUN' };

const configuration = (method: Method, node: string, advertiseEvery: string): string => `
global_defs {
  router_id ${node}
  vrrp_version 3
  lvs_sync_daemon eth0 pair
}
vrrp_instance pair {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority ${node === 'lb1' ? 150 : 100}
  nopreempt
  advert_int ${advertiseEvery}
  virtual_ipaddress {
    ${virtualAddress}/24 dev eth0
    ${method === 'nat' ? '10.8.0.254/24 dev eth1' : ''}
  }
}
virtual_server ${virtualAddress} 80 {
  delay_loop 2
  lb_algo ${method === 'nat' ? 'rr' : 'wlc'}
  lb_kind ${kinds[method]}
  protocol TCP
${[1, 2, ...(method === 'dr' ? [3] : [])]
  .map(
    (number) => `  real_server ${method === 'nat' ? '10.8.0' : '10.77.0'}.${20 + number} ${portOf(method)} {
    weight 1
    TCP_CHECK {
      connect_timeout 1
    }
  }`,
  )
  .join('\n')}
}
`;

export async function byKeepalived(method: Method, wiring: Wiring, advertiseEvery: string): Promise<Manager> {
  const lab = await Lab.open({
    nodes: directors,
    build: (node, of) => wiring.build(node, of),
    wire: (machine) => wiring.wire(machine),
  });
  const daemons = new Map<string, Background>();

  async function start(node: string): Promise<void> {
    const file = await lab.file(`keepalived-${node}.conf`, configuration(method, node, advertiseEvery));
    const pids = ['pid', 'checkers_pid', 'vrrp_pid'].map((name) => `--${name}=/run/${name}`);
    const argv = ['keepalived', '--dont-fork', '--log-console', `--use-file=${file}`, ...pids];
    daemons.set(
      node,
      lab.machine(node).start(argv, () => undefined),
    );
  }
  const holds = async (node: string): Promise<boolean> =>
    lab.machine(node).isOn &&
    (await lab.machine(node).tryRun(['ip', 'address', 'show', 'to', virtualAddress])).stdout !== '';

  for (const node of directors) await start(node);
  return {
    lab,
    active: () =>
      until(
        'the address is on one director',
        async () => {
          const all = await Promise.all(directors.map(async (node) => ((await holds(node)) ? [node] : [])));
          return all.flat().length === 1 ? all.flat()[0] : undefined;
        },
        60_000,
        100,
      ),
    // Ended in order it tells the other, by priority 0, to take over at once.
    standby: async (node) => {
      const pid = (await lab.machine(node).run('cat', '/run/pid')).trim();
      await lab.machine(node).run('kill', pid);
    },
    online: async (node) => {
      await daemons.get(node)?.ended;
      await start(node);
      await sleep(settleMs);
    },
    boot: async (node) => {
      await lab.machine(node).boot();
      await lab.network.connect(lab.machine(node), `${lab.address(node)}/24`);
      await wiring.wire(lab.machine(node));
      await start(node);
      await sleep(settleMs);
    },
    [Symbol.asyncDispose]: () => lab.close(),
  };
}

/** keepalived has nothing that says it is ready; by then it has checked every server and sent or heard advertisements. */
const settleMs = 6000;
