/** What the address's agents do to a machine's interfaces, seen on machines made of namespaces. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const agents = join(import.meta.dirname, '..', 'agents');
const isRoot = process.getuid?.() === 0;
const here = `systole-address-${process.pid}`;
const neighbour = `systole-neighbour-${process.pid}`;

let work = '';
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'systole-addresses-'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const run = (namespace: string, ...argv: readonly string[]): string =>
  execFileSync('ip', ['netns', 'exec', namespace, ...argv], { encoding: 'utf8' });

function act(
  agent: string,
  action: string,
  parameters: Readonly<Record<string, string>>,
  instance = 'trial',
  programs?: string,
): { readonly code: number | null; readonly said: string } {
  const named = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value] as const);
  const facts = {
    HA_RSCTMP: work,
    OCF_RESOURCE_INSTANCE: instance,
    OCF_RESKEY_CRM_meta_interval: '10000',
    ...(programs === undefined ? {} : { PATH: `${programs}:${process.env['PATH'] ?? ''}` }),
  };
  const done = spawnSync('ip', ['netns', 'exec', here, join(agents, agent, agent), action], {
    encoding: 'utf8',
    env: { ...process.env, ...facts, ...Object.fromEntries(named) },
  });
  return { code: done.status, said: done.stderr.trim().replace('ocf-exit-reason:', '') };
}

const addresses = (): readonly string[] =>
  [...run(here, 'ip', '-o', 'address', 'show').matchAll(/inet6? (\S+)/gu)]
    .map(([, address = '']) => address)
    .filter((address) => !address.startsWith('fe80') && !address.startsWith('127.') && address !== '::1/128');

beforeEach(() => {
  if (!isRoot) return;
  mkdirSync(work, { recursive: true });
  for (const namespace of [here, neighbour]) execFileSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', ['-n', here, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', neighbour]);
  for (const [namespace, last] of [
    [here, 1],
    [neighbour, 2],
  ] as const) {
    run(namespace, 'ip', 'link', 'set', 'lo', 'up');
    run(namespace, 'ip', 'link', 'set', 'eth0', 'up');
    run(namespace, 'ip', 'address', 'add', `fd77::${last}/64`, 'dev', 'eth0', 'nodad');
  }
  run(neighbour, 'ip', 'address', 'add', '10.77.7.2/24', 'dev', 'eth0');
});
afterEach(() => {
  if (!isRoot) return;
  for (const namespace of [here, neighbour]) execFileSync('ip', ['netns', 'delete', namespace]);
});

describe.skipIf(!isRoot)('an address', () => {
  const vip = { ip: '10.77.7.100', cidr_netmask: '24', nic: 'eth0' };

  test('that was there first leaves the others of its network in place when it goes', () => {
    run(here, 'sysctl', '-qw', 'net.ipv4.conf.all.promote_secondaries=0', 'net.ipv4.conf.eth0.promote_secondaries=0');
    expect(act('vip', 'start', vip).code).toBe(0);
    run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0'); // now a secondary one
    expect(act('vip', 'stop', vip).code).toBe(0);
    expect(addresses()).toEqual(['10.77.7.1/24', 'fd77::1/64']);
    expect(run(here, 'sysctl', '-n', 'net.ipv4.conf.eth0.promote_secondaries').trim()).toBe('0');
  });

  test('goes whatever prefix it was given meanwhile, and from wherever it is if no interface is named', () => {
    run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0');
    run(here, 'ip', 'address', 'add', '10.77.7.100/32', 'dev', 'eth0');
    expect(act('vip', 'stop', vip).code).toBe(0);
    expect(addresses()).toEqual(['10.77.7.1/24', 'fd77::1/64']);
    run(here, 'ip', 'address', 'add', '10.77.7.100/24', 'dev', 'eth0');
    expect(act('vip', 'stop', { ip: '10.77.7.100' }).code).toBe(0);
    expect(addresses()).toEqual(['10.77.7.1/24', 'fd77::1/64']);
  });

  test('of a real server, on lo, is not taken for it', () => {
    run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0');
    run(here, 'ip', 'address', 'add', '10.77.7.100/32', 'dev', 'lo');
    expect(act('vip', 'monitor', { ip: '10.77.7.100' }).code).toBe(7);
    expect(act('vip', 'stop', { ip: '10.77.7.100' }).code).toBe(0);
    expect(addresses()).toContain('10.77.7.100/32');
  });

  test('that a neighbour has is not taken when it was to look first, by IPv4 or IPv6', { timeout: 20_000 }, () => {
    run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0');
    run(neighbour, 'ip', 'address', 'add', '10.77.7.100/24', 'dev', 'eth0');
    run(neighbour, 'ip', 'address', 'add', 'fd77::100/64', 'dev', 'eth0', 'nodad');
    expect(act('vip', 'start', { ...vip, check_duplicates: 'before' }).said).toMatch(
      /^another host on eth0 has the address/u,
    );
    const six = { ip: 'fd77::100', cidr_netmask: '64', nic: 'eth0', check_duplicates: 'before' };
    expect(act('vip', 'start', six)).toEqual({ code: 1, said: 'another host on eth0 has the address fd77::100' });
    expect(addresses()).toEqual(['10.77.7.1/24', 'fd77::1/64']);
  });

  test.for([
    ['10.77.7.100', vip, ['ping', '-c', '1', '-W', '1', '-q', '10.77.7.100']],
    [
      'fd77::100',
      { ip: 'fd77::100', cidr_netmask: '64', nic: 'eth0' },
      ['ping', '-c', '1', '-W', '1', '-q', 'fd77::100'],
    ],
  ] as const)(
    'that has moved is announced, again and again: a neighbour learns where %s is now',
    { timeout: 20_000 },
    async ([address, parameters, ping]) => {
      run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0');
      expect(act('vip', 'start', { ...parameters, arp_count: '1', arp_refresh: '1' }).code).toBe(0);
      run(neighbour, ...ping);
      const known = (): string | undefined => /lladdr (\S+)/u.exec(run(neighbour, 'ip', 'neigh', 'show', address))?.[1];
      const own = known();
      expect(own).toBeDefined();
      // Another machine had it for a while: its neighbours still believe so. The first two times it is told in any case.
      for (const time of [1, 2, 3, 4]) {
        run(neighbour, 'ip', 'neigh', 'replace', address, 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'stale');
        await expect.poll(known, { timeout: 8000, message: `announcement ${time}` }).toBe(own);
      }
      expect(act('vip', 'stop', parameters).code).toBe(0);
    },
  );

  describe('where programs start slowly', () => {
    const programs = (): string => join(work, 'programs');
    const told = (): string => join(work, 'told');
    const slowly = (name: string, seconds: number, then: string): void => {
      mkdirSync(programs(), { recursive: true });
      writeFileSync(join(programs(), name), `#!/bin/sh\nsleep ${seconds}\n${then}\n`, { mode: 0o755 });
    };
    afterEach(() => {
      for (const path of [programs(), told()]) rmSync(path, { recursive: true, force: true });
    });

    test('is announced before what repeats the announcement has started', { timeout: 20_000 }, async () => {
      slowly('setsid', 60, 'exit 1');
      slowly('arping', 0, `echo "$*" >>${told()}`);
      expect(act('vip', 'start', vip, 'slow', programs()).code).toBe(0);
      await expect.poll(() => existsSync(told()), { timeout: 5000 }).toBe(true);
      expect(act('vip', 'stop', vip, 'slow', programs()).code).toBe(0);
    });

    test('is not announced any more once it has stopped', { timeout: 20_000 }, async () => {
      slowly('setsid', 60, 'exit 1');
      slowly('arping', 2, `echo "$*" >>${told()}`);
      expect(act('vip', 'start', vip, 'slow', programs()).code).toBe(0);
      expect(act('vip', 'stop', vip, 'slow', programs()).code).toBe(0);
      await sleep(3000);
      expect(existsSync(told())).toBe(false);
    });
  });

  test('has the label and the lifetime that it is told to have', () => {
    run(here, 'ip', 'address', 'add', '10.77.7.1/24', 'dev', 'eth0');
    expect(act('vip', 'start', { ...vip, label: 'eth0:web', preferred_lft: '0' }).code).toBe(0);
    expect(run(here, 'ip', '-o', 'address', 'show', 'label', 'eth0:web')).toMatch(/10\.77\.7\.100\/24 .* deprecated /u);
    expect(act('vip', 'stop', vip).code).toBe(0);
  });

  test.for([
    [{}, 'parameter ip is missing'],
    [{ ip: '10.77.7.100; reboot' }, 'parameter ip: "10.77.7.100; reboot" is no address'],
    [{ ...vip, cidr_netmask: '33' }, 'parameter cidr_netmask: "33" is no prefix length from 0 to 32'],
    [{ ...vip, nic: '../lo' }, 'parameter nic: "../lo" is no name of an interface'],
    [
      { ...vip, nic: 'an-interface-with-a-long-name' },
      'parameter nic: "an-interface-with-a-long-name" is no name of an interface',
    ],
    [
      { ...vip, label: 'eth0:$(reboot)' },
      'parameter label: "eth0:$(reboot)" is no label for an address of IPv4 (15 characters at most)',
    ],
    [{ ...vip, arp_refresh: 'often' }, 'parameters arp_count, arp_interval and arp_refresh are whole numbers'],
    [{ ...vip, preferred_lft: '5' }, 'parameter preferred_lft: "5" is neither forever nor 0'],
  ] as const)('is refused with the reason: %o', ([parameters, said]) => {
    expect(act('vip', 'start', parameters)).toEqual({ code: 6, said });
    expect(act('vip', 'stop', parameters).code).toBe(0);
  });
});

describe.skipIf(!isRoot)('a real server', () => {
  const setting = (name: string): string => run(here, 'sysctl', '-n', `net.ipv4.conf.all.${name}`).trim();

  test('has the address on lo and keeps quiet about it, until it stops', () => {
    const server = { ip: '10.77.7.100 fd77::100' };
    const codes = (...actions: readonly string[]): readonly unknown[] =>
      actions.map((action) => act('realserver', action, server).code);
    expect(codes('monitor', 'start', 'start', 'monitor')).toEqual([7, 0, 0, 0]);
    expect(addresses()).toEqual(['10.77.7.100/32', 'fd77::100/128', 'fd77::1/64']);
    expect([setting('arp_ignore'), setting('arp_announce')]).toEqual(['1', '2']);
    // A neighbour asks in vain, by both versions.
    run(neighbour, 'ip', 'neigh', 'flush', 'all');
    for (const address of server.ip.split(' ')) {
      spawnSync('ip', ['netns', 'exec', neighbour, 'ping', '-c', '1', '-W', '1', '-q', address]);
      expect(run(neighbour, 'ip', 'neigh', 'show', address)).not.toContain('lladdr');
    }
    expect(codes('stop', 'stop', 'monitor')).toEqual([0, 0, 7]);
    expect(addresses()).toEqual(['fd77::1/64']);
    expect([setting('arp_ignore'), setting('arp_announce')]).toEqual(['0', '0']);
  });

  test('tells which setting or address somebody has changed', () => {
    act('realserver', 'start', { ip: '10.77.7.100 10.77.7.101' });
    run(here, 'sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=0');
    expect(act('realserver', 'monitor', { ip: '10.77.7.100 10.77.7.101' })).toEqual({
      code: 1,
      said: "the kernel's setting net/ipv4/conf/all/arp_ignore is 0, not 1 any more",
    });
    run(here, 'ip', 'address', 'delete', '10.77.7.101/32', 'dev', 'lo');
    expect(act('realserver', 'monitor', { ip: '10.77.7.100 10.77.7.101' }).said).toBe('missing: 10.77.7.101 on lo');
    expect(act('realserver', 'stop', { ip: '10.77.7.100 10.77.7.101' }).code).toBe(0);
  });

  test('leaves the settings as long as another instance needs them, and then puts back what was', () => {
    run(here, 'sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=1');
    act('realserver', 'start', { ip: '10.77.7.100' }, 'one');
    act('realserver', 'start', { ip: '10.77.7.101' }, 'two');
    act('realserver', 'stop', { ip: '10.77.7.100' }, 'one');
    expect(setting('arp_announce')).toBe('2');
    act('realserver', 'stop', { ip: '10.77.7.101' }, 'two');
    expect(setting('arp_announce')).toBe('1');
  });

  test.for([
    [{}, 'parameter ip is missing'],
    [{ ip: '10.77.7.100 web' }, 'parameter ip: "web" is no address'],
    [{ ip: '10.77.7.100', method: 'nat' }, 'parameter method: "nat" is none of dr, tun, gre, gue'],
    [{ ip: '10.77.7.100', method: 'gue', gue_port: '99999' }, 'parameter gue_port: "99999" is no port'],
  ] as const)('is refused with the reason: %o', ([parameters, said]) => {
    expect(act('realserver', 'start', parameters)).toEqual({ code: 6, said });
    expect(act('realserver', 'stop', parameters).code).toBe(0);
  });
});

describe('connection sync', () => {
  test.for([
    [{}, 'parameter interface is missing'],
    [{ interface: 'eth0', syncid: '256' }, 'parameter syncid: "256" is no number from 0 to 255'],
    [{ interface: 'eth0', role: 'slave' }, 'parameter role: "slave" is none of both, master, backup'],
    [{ interface: 'eth0', ttl: 'x' }, 'parameters port, ttl and maxlen are whole numbers, not "x"'],
  ] as const)('is refused with the reason: %o', ([parameters, said]) => {
    const named = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value] as const);
    const environment = { ...process.env, ...Object.fromEntries(named) };
    const done = spawnSync(join(agents, 'ipvs-sync', 'ipvs-sync'), ['start'], { encoding: 'utf8', env: environment });
    expect([done.status, done.stderr.trim()]).toEqual([6, `ocf-exit-reason:${said}`]);
  });
});
