/**
 * The load balancer's agents on a kernel with IPVS, with real packets: two directors, three real servers, a client.
 * Run inside a guest by `ipvs.test.ts`; prints a line of JSON for each thing found out, and fails at the first surprise.
 */
import { join } from 'node:path';
import { run, sleep, until } from '../../lab/command.ts';
import { Machine } from '../../lab/namespaces.ts';
import { Network } from '../../lab/network.ts';
import { root } from '../../support/repository.ts';

const addresses = { dr: '10.77.0.100', nat: '10.77.0.101', tun: '10.77.0.102', six: '[fd77::100]' } as const;
const gateway = '10.8.0.254';
const agents = join(root, 'packages', 'ra', 'agents');
const page = join(root, 'examples', 'web', 'server.mjs');

const network = new Network();
const client = new Machine('client');
const directors = [new Machine('d1'), new Machine('d2')] as const;
const servers = [new Machine('r1'), new Machine('r2'), new Machine('r3')] as const;
const [first, second] = directors;

const found = (what: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify({ found: what, value, atMs: Math.round(performance.now()) })}\n`);

async function build(): Promise<void> {
  await run(['modprobe', '-a', 'ipv6', 'ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_wlc', 'veth', 'bridge', 'ipip']);
  await network.open();
  for (const machine of [client, ...directors, ...servers]) await machine.boot();
  await network.connect(client, '10.77.0.250/24', 'fd77::250/64');
  for (const [index, director] of directors.entries()) {
    await network.connect(director, `10.77.0.${index + 1}/24`, `10.8.0.${index + 1}/24`, `fd77::${index + 1}/64`);
    await director.run(
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv4.vs.conntrack=1',
      'net.ipv4.conf.all.send_redirects=0',
    );
  }
  for (const [index, server] of servers.entries()) {
    await network.connect(server, `10.77.0.${index + 21}/24`, `10.8.0.${index + 21}/24`, `fd77::${index + 21}/64`);
    // NAT: answers to clients go back through the director.
    await server.run('ip', 'route', 'add', 'default', 'via', gateway, 'table', '8');
    await server.run('ip', 'rule', 'add', 'from', '10.8.0.0/24', 'to', '10.77.0.0/24', 'table', '8', 'pref', '100');
    serve(server);
  }
}

const serving = new Map<string, ReturnType<Machine['start']>>();
const serve = (server: Machine): void =>
  void serving.set(
    server.name,
    server.start([process.execPath, page, '80', `/run/${server.name}.pid`], () => undefined),
  );

interface Agent {
  readonly name: 'vip' | 'ipvs' | 'ipvs-sync' | 'realserver';
  readonly instance: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** An action's exit status. */
async function act(machine: Machine, agent: Agent, action: string): Promise<number> {
  const parameters = Object.entries(agent.parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value] as const);
  const environment = {
    ...process.env,
    OCF_RESOURCE_INSTANCE: agent.instance,
    OCF_RESKEY_CRM_meta_interval: '10000',
    ...Object.fromEntries(parameters),
  };
  const { code, stderr } = await machine.tryRun([join(agents, agent.name, agent.name), action], { environment });
  if (stderr !== '') process.stderr.write(`${agent.name} ${action} on ${machine.name}: ${stderr}`);
  return code;
}

async function expectActions(
  machine: Machine,
  agent: Agent,
  expected: readonly (readonly [string, number])[],
): Promise<void> {
  for (const [action, code] of expected) {
    const actual = await act(machine, agent, action);
    if (actual !== code) throw new Error(`${agent.name} ${action} on ${machine.name} gave ${actual}, not ${code}`);
  }
}

const rules = (address: string, flag: '-g' | '-m' | '-i', net: string, scheduler: string): string =>
  [
    `-A -t ${address}:80 -s ${scheduler}`,
    'check http path=/ every=500ms timeout=2s down=2 up=1',
    ...servers.map(
      (_server, index) => `-a -t ${address}:80 -r ${net.replace('N', String(index + 21))}:80 ${flag} -w ${3 - index}`,
    ),
  ].join('; ');

/** How many of `count` requests each server answered. */
async function spread(address: string, count: number): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await client.tryRun(['curl', '-s', '-m', '20', `http://${address}/?[1-${count}]`]);
  const counts: Record<string, number> = {};
  for (const name of stdout.trim().split('\n')) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const announce = (machine: Machine, address: string): Promise<unknown> =>
  Promise.all(
    ['-U', '-A'].map((kind) => machine.tryRun(['arping', '-q', '-c', '1', '-w', '1', kind, '-I', 'eth0', address])),
  );

/** With IPv6 by the agent itself, which tells the neighbours by advertisements. */
const takeSix = (machine: Machine): Promise<void> => {
  const parameters = { ip: 'fd77::100', cidr_netmask: '64', nic: 'eth0' };
  return expectActions(machine, { name: 'vip', instance: 'six', parameters }, [['start', 0]]);
};

async function take(machine: Machine, address: string): Promise<void> {
  await machine.run('ip', 'address', 'add', `${address}/32`, 'dev', 'eth0');
  await announce(machine, address);
}

await build();
try {
  for (const server of servers) {
    const dr: Agent = { name: 'realserver', instance: 'dr', parameters: { ip: `${addresses.dr} fd77::100` } };
    await expectActions(server, dr, [
      ['start', 0],
      ['monitor', 0],
    ]);
    const tun: Agent = { name: 'realserver', instance: 'tun', parameters: { ip: addresses.tun, method: 'tun' } };
    await expectActions(server, tun, [['start', 0]]);
  }
  await first.run('ip', 'address', 'add', `${gateway}/24`, 'dev', 'eth0');
  for (const address of [addresses.dr, addresses.nat, addresses.tun]) await take(first, address);
  await takeSix(first);
  for (const server of servers)
    await until(
      `${server.name} serves`,
      async () =>
        (await client.tryRun(['curl', '-s', '-m', '2', `http://10.77.0.2${server.name.slice(1)}/`])).code === 0,
      30_000,
    );

  // Each way of forwarding; round robin is exact.
  const methods = [
    ['dr', '-g', '10.77.0.N'],
    ['nat', '-m', '10.8.0.N'],
    ['tun', '-i', '10.77.0.N'],
    ['six', '-g', '[fd77::N]'],
  ] as const;
  for (const [method, flag, net] of methods) {
    const agent: Agent = {
      name: 'ipvs',
      instance: method,
      parameters: { rules: rules(addresses[method], flag, net, 'rr') },
    };
    await expectActions(first, agent, [
      ['start', 0],
      ['monitor', 0],
    ]);
    found(`${method}: 9 requests by round robin`, await spread(addresses[method], 9));
    await expectActions(first, agent, [
      ['stop', 0],
      ['monitor', 7],
    ]);
  }

  // A server dies and comes back.
  const web: Agent = {
    name: 'ipvs',
    instance: 'web',
    parameters: { rules: rules(addresses.dr, '-g', '10.77.0.N', 'wrr') },
  };
  const sync: Agent = { name: 'ipvs-sync', instance: 'sync', parameters: { interface: 'eth0', syncid: '7' } };
  for (const director of directors) await expectActions(director, sync, [['start', 0]]);
  await expectActions(first, web, [['start', 0]]);
  found('12 requests by weight', await spread(addresses.dr, 12));
  const listed = async (machine: Machine, address: string): Promise<boolean> =>
    (await machine.run('ipvsadm', '-Sn')).includes(` -r ${address}:80 `);
  await servers[1].run('pkill', '-F', `/run/${servers[1].name}.pid`);
  const died = Date.now();
  await until('the dead server is taken out', async () => !(await listed(first, '10.77.0.22')), 30_000);
  found('a dead server is taken out after ms', Date.now() - died);
  await expectActions(first, web, [['monitor', 190]]); // runs, but degraded
  found('6 requests without it', await spread(addresses.dr, 6));
  serve(servers[1]);
  await until('the server is added again', () => listed(first, '10.77.0.22'), 30_000);
  await expectActions(first, web, [['monitor', 0]]);

  // What somebody changes behind the agent's back is noticed.
  await first.run('ipvsadm', '-d', '-t', `${addresses.dr}:80`, '-r', '10.77.0.23:80');
  await expectActions(first, web, [
    ['monitor', 1],
    ['restart', 0],
    ['monitor', 0],
  ]);

  // The director dies during traffic; the other takes over, and knows the connections.
  await spread(addresses.dr, 6);
  await until(
    'connections are synchronised',
    async () => (await second.run('ipvsadm', '-Lcn')).includes(`${addresses.dr}:80`),
    15_000,
  );
  const neighbour = async (): Promise<string | undefined> =>
    /lladdr (\S+)/u.exec(await client.run('ip', 'neigh', 'show', addresses.dr))?.[1];
  const before = await neighbour();
  await first.powerOff();
  await expectActions(second, web, [
    ['start', 0],
    ['monitor', 0],
  ]);
  await take(second, addresses.dr);
  if ((await neighbour()) === before) throw new Error('the client still has the dead director as its neighbour');
  await sleep(200);
  found('6 requests through the other director', await spread(addresses.dr, 6));

  for (const server of servers) {
    const dr: Agent = { name: 'realserver', instance: 'dr', parameters: { ip: `${addresses.dr} fd77::100` } };
    await expectActions(server, dr, [
      ['stop', 0],
      ['stop', 0],
      ['monitor', 7],
    ]);
  }
  found('end', true);
} finally {
  for (const one of serving.values()) one.process.kill('SIGKILL');
  for (const machine of [client, ...directors, ...servers]) await machine.powerOff();
  await network.close();
}
