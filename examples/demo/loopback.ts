/**
 * The demo where machines cannot be made: three daemons on this one, told apart by their folders, and a service that is
 * a file of its node. What can be seen is the cluster's side of a failover: detection, fencing, start elsewhere.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../test/support/repository.ts';
import { run, tryRun, until } from '../../test/lab/command.ts';
import { PowerSwitch } from '../../test/lab/power-switch.ts';
import type { LogLine, NodeStatus } from '../../test/lab/cluster.ts';
import { breakdown } from './breakdown.ts';
import { Story } from './story.ts';

const binaries = join(root, 'node_modules', '.bin');
const nodes = ['n1', 'n2', 'n3'] as const;

const configuration = (socket: string): string => `
primitive power stonith:fence_netns params socket=${socket} op monitor interval=60s
primitive service ocf:systole:dummy op monitor interval=5s
rsc_defaults resource-stickiness=100
property fencing-enabled=true
`;

export async function loopbackDemo(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'systole-demo-'));
  const story = new Story();
  const log: LogLine[] = [];
  const daemons = new Map<string, ChildProcess>();
  const environment = { ...process.env, PATH: `${binaries}:${process.env['PATH'] ?? ''}` };
  const fileOf = (node: string): string => join(folder, node, 'systole.yaml');
  const systole = (node: string, ...words: readonly string[]): Promise<string> =>
    run([join(binaries, 'systole'), '--config', fileOf(node), ...words], { environment });

  const start = async (node: string): Promise<void> => {
    const own = join(folder, node);
    await mkdir(own, { recursive: true });
    await writeFile(
      fileOf(node),
      JSON.stringify({
        cluster: 'demo',
        node,
        nodes,
        state: join(own, 'state'),
        run: join(own, 'run'),
        key: join(folder, 'key'),
        links: [{ address: '127.0.0.1', multicast: '239.255.77.1', port: 15_405, loopback: true }],
        api: { socket: join(own, 'systole.sock') },
      }),
    );
    const daemon = spawn(join(binaries, 'systoled'), ['--config', fileOf(node)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: environment,
    });
    daemons.set(node, daemon);
    createInterface({ input: daemon.stdout }).on('line', (text) => {
      const read = JSON.parse(text) as Omit<LogLine, 'time'> & { readonly time: string };
      const line = { ...read, node, time: Date.parse(read.time) } as LogLine;
      log.push(line);
      story.hear(line);
    });
  };
  const stop = async (node: string): Promise<void> => {
    const daemon = daemons.get(node);
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await ended;
  };
  const isOn = (node: string): boolean => {
    const daemon = daemons.get(node);
    return daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null;
  };
  const power = new PowerSwitch(join(folder, 'power.sock'), {
    off: stop,
    on: start,
    isOn,
    has: (node) => daemons.has(node),
  });
  const status = async (node: string): Promise<NodeStatus | undefined> => {
    const { code, stdout } = await tryRun(
      [join(binaries, 'systole'), '--config', fileOf(node), '--format', 'json', 'status'],
      { environment },
    );
    return code === 0 ? (JSON.parse(stdout) as NodeStatus) : undefined;
  };
  const active = async (node: string): Promise<string | undefined> => {
    const present = await status(node);
    const service = present?.resources.find((one) => (one.id ?? one.rsc) === 'service' && one.role === 'Started');
    return present?.transition.state === 'idle' ? service?.nodes[0] : undefined;
  };

  try {
    await run([join(binaries, 'systole'), 'key', 'generate', join(folder, 'key')], { environment });
    await power.open();
    story.chapter('Three daemons on loopback');
    await Promise.all(nodes.map(start));
    await until('the daemons are a cluster', async () => (await status('n1'))?.quorate, 30_000, 200);
    await writeFile(join(folder, 'demo.crm'), configuration(power.socketPath));
    await systole('n1', 'configure', 'load', 'update', join(folder, 'demo.crm'));
    const first = await until('the service runs', () => active('n1'), 60_000, 200);
    story.say(`the service runs on ${first}`);

    story.chapter(`The daemon of ${first} is killed`);
    story.begin();
    const fault = Date.now();
    await stop(first);
    const survivor = nodes.find((node) => node !== first) ?? 'n1';
    const second = await until(
      'the service runs elsewhere',
      async () => {
        const node = await active(survivor);
        return node === first ? undefined : node;
      },
      30_000,
      100,
    );
    const started = log.findLast((line) => line.event === 'operation.done' && line['operation'] === 'start');
    story.chapter(`The service runs on ${second}`);
    const phases = breakdown({ log, fault, back: started?.time ?? Date.now(), resource: 'service' });
    for (const { name, ms } of phases) story.say(`${String(ms).padStart(5)} ms  ${name}`);
    process.stdout.write(`\n${(await systole(survivor, 'status')).trimEnd()}\n\n`);
    return 0;
  } finally {
    await Promise.all(nodes.map(stop));
    await power.close();
    await rm(folder, { recursive: true, force: true });
  }
}
