/** Our own agents and a few of others, put through their contract; and agents that break it, to see that it is noticed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tryRun } from '../../../test/lab/command.ts';
import { ownPlaces } from '../../../test/support/executor.ts';
import { root } from '../../../test/support/repository.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import {
  type AgentCommand,
  type AgentName,
  checkAgent,
  type Finding,
  locateAgent,
  parseAgentName,
} from '../src/index.ts';

const places = ownPlaces();
let work = '';

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'systole-contract-'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

interface Options {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly meta?: Readonly<Record<string, string>>;
  /** Put before the command, to run it elsewhere. */
  readonly inside?: readonly string[];
  readonly folders?: readonly string[];
}

async function findings(
  name: string,
  { parameters = {}, meta = {}, inside = [], folders = [] }: Options = {},
): Promise<readonly Finding[]> {
  const parsed = parseAgentName(name);
  if (!parsed.ok) throw new Error(parsed.error);
  const agent: AgentName = parsed.value;
  const all = { ...places, ocf: [...folders, ...places.ocf] };
  const located = locateAgent(agent, all, (paths) => paths.find((path) => existsSync(path)));
  if (located === undefined) throw new Error(`${name} is not installed`);
  const run = (command: AgentCommand, timeoutMs: number): ReturnType<typeof runCommand> =>
    runCommand(
      {
        ...command,
        argv: [...inside, ...command.argv],
        environment: { HA_RSCTMP: work, ...command.environment },
      },
      timeoutMs,
    );
  const script = located.kind === 'lsb' ? readFileSync(located.path, 'utf8') : '';
  const trial = { agent, located, places: all, parameters, meta, node: 'local', timeoutMs: 20_000, run, script };
  return Array.fromAsync(checkAgent(trial));
}

const broken = (all: readonly Finding[]): readonly string[] =>
  all.filter(({ verdict }) => verdict !== 'kept').map(({ check, text }) => `${check}: ${text}`);

describe('our own agents keep their contract', () => {
  test('dummy', async () => {
    const all = await findings('ocf:systole:dummy');
    expect(broken(all)).toEqual([]);
    expect(all.length).toBeGreaterThanOrEqual(14);
  });

  test('stateful, promoted and demoted', async () => {
    expect(broken(await findings('ocf:systole:stateful', { meta: { promotable: 'true' } }))).toEqual([]);
  });

  test('as the shell tries them: systole ra test', { timeout: 60_000 }, async () => {
    const shell = join(root, 'packages', 'cli', 'bin', 'systole.js');
    const environment = { ...process.env, HA_RSCTMP: work };
    for (const words of [['ocf:systole:dummy'], ['ocf:systole:stateful', 'promotable=true']]) {
      const { code, stdout } = await tryRun([process.execPath, shell, 'ra', 'test', ...words], { environment });
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('keeps its contract') as string });
    }
    const broken = await tryRun([process.execPath, shell, 'ra', 'test', 'ocf:systole:dummy', 'fail_on=stop'], {
      environment,
    });
    expect(broken.code).toBe(1);
  });

  const isRoot = process.getuid?.() === 0;
  const namespace = `systole-contract-${process.pid}`;

  test.skipIf(!isRoot)('realserver', async () => {
    execFileSync('ip', ['netns', 'add', namespace]);
    try {
      const inside = ['ip', 'netns', 'exec', namespace];
      execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
      const parameters = { ip: '10.77.7.7 fd77::7' };
      expect(broken(await findings('ocf:systole:realserver', { parameters, inside }))).toEqual([]);
    } finally {
      execFileSync('ip', ['netns', 'delete', namespace]);
    }
  });

  test.skipIf(!isRoot).for([
    ['IPv4', { ip: '10.77.7.7', cidr_netmask: '24', nic: 'link0' }],
    ['IPv4 without a netmask', { ip: '10.77.7.8', nic: 'link0' }],
    ['an interface found by its route', { ip: '10.77.7.9', cidr_netmask: '24' }],
    ['IPv6', { ip: 'fd77::7', cidr_netmask: '64', nic: 'link0' }],
    ['a look for duplicates first', { ip: '10.77.7.10', nic: 'link0', check_duplicates: 'before' }],
    [
      'a look for duplicates of IPv6 first',
      { ip: 'fd77::8', cidr_netmask: '64', nic: 'link0', check_duplicates: 'before' },
    ],
    ['a label, and announcements that go on', { ip: '10.77.7.11', nic: 'link0', label: 'link0:vip', arp_refresh: '1' }],
  ] as const)('vip with %s', { timeout: 30_000 }, async ([, parameters]) => {
    execFileSync('ip', ['netns', 'add', namespace]);
    try {
      const inside = ['ip', 'netns', 'exec', namespace];
      const [program = '', ...first] = inside;
      const ip = (...words: readonly string[]): void => {
        execFileSync(program, [...first, 'ip', ...words]);
      };
      ip('link', 'add', 'link0', 'type', 'veth', 'peer', 'name', 'link1');
      ip('link', 'set', 'link1', 'up');
      ip('link', 'set', 'link0', 'up');
      ip('address', 'add', '10.77.7.1/24', 'dev', 'link0');
      expect(broken(await findings('ocf:systole:vip', { parameters, inside }))).toEqual([]);
    } finally {
      execFileSync('ip', ['netns', 'delete', namespace]);
    }
  });
});

describe('agents of others keep their contract under us', () => {
  test.skipIf(!existsSync('/usr/lib/ocf/resource.d/heartbeat/Dummy')).for([
    ['ocf:heartbeat:Dummy', {}],
    ['ocf:pacemaker:Dummy', {}],
    ['ocf:heartbeat:symlink', { target: '/etc/hostname', link: '/tmp/systole-contract-link' }],
  ] as const)('%s', { timeout: 60_000 }, async ([name, parameters]) => {
    if (!existsSync(`/usr/lib/ocf/resource.d/${name.split(':')[1]}/${name.split(':')[2]}`)) return;
    const all = await findings(name, { parameters });
    expect(all.filter(({ verdict }) => verdict === 'broken')).toEqual([]);
  });
});

describe('an agent that breaks its contract is found out', () => {
  const agent = (name: string, body: string): Options => {
    const folder = join(work, 'broken');
    mkdirSync(join(folder, 'trial'), { recursive: true });
    const state = join(work, `${name}.state`);
    writeFileSync(join(folder, 'trial', name), `#!/bin/sh\nstate=${state}\n${body}\n`);
    chmodSync(join(folder, 'trial', name), 0o755);
    return { folders: [folder] };
  };
  const metadata = `meta-data) echo '<resource-agent name="x"><parameters/><actions/></resource-agent>' ;;`;

  test('that calls a stopped resource running', async () => {
    const all = await findings('ocf:trial:always', agent('always', `case $1 in ${metadata} *) exit 0 ;; esac`));
    expect(
      broken(all).some((text) =>
        text.startsWith('a probe before anything was started: ok (0); expected not running (7)'),
      ),
    ).toBe(true);
    expect(all.at(-1)?.check).toBe('the state at the begin');
  });

  test('that cannot be stopped twice', async () => {
    const body = `case $1 in ${metadata} start) : >$state ;; stop) rm $state || exit 1 ;; monitor) [ -e $state ] || exit 7 ;; *) exit 3 ;; esac`;
    const checks = broken(await findings('ocf:trial:once', agent('once', body)));
    expect(checks.some((text) => text.startsWith('stop when stopped: error (1)'))).toBe(true);
  });

  test('that returns from start too early', async () => {
    const body = `case $1 in ${metadata} start) (sleep 1; : >$state) >/dev/null 2>&1 & ;; stop) sleep 1.2; rm -f $state ;; monitor) [ -e $state ] || exit 7 ;; *) exit 3 ;; esac`;
    const checks = broken(await findings('ocf:trial:early', agent('early', body)));
    expect(checks.some((text) => text.startsWith('monitor right after start: not running (7)'))).toBe(true);
  });

  test('that prints a description that is none', async () => {
    const body = `case $1 in meta-data) echo nothing ;; start) : >$state ;; stop) rm -f $state ;; monitor) [ -e $state ] || exit 7 ;; *) exit 3 ;; esac`;
    expect(broken(await findings('ocf:trial:mute', agent('mute', body)))).toEqual([
      'its own description: no XML in what the agent printed',
    ]);
  });
});
