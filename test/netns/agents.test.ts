/**
 * Agents of others, unmodified, under our executor: the cases of the resource-agents project and recorded runs from the
 * agents suite, each group in a sandbox of its own. What a case expects is what was seen with Pacemaker's executor on
 * the same distribution. Groups whose programs are not installed here are skipped.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { root, shared, sharedMissing } from '../support/repository.ts';

// Agents mostly wait: for daemons to come and go, for addresses to settle.
vi.setConfig({ maxConcurrency: 4 });

interface Case {
  readonly id: string;
  readonly agent: string;
}

const read = (file: string): readonly Case[] =>
  sharedMissing(`agents-suite/${file}`) === undefined
    ? (JSON.parse(readFileSync(join(shared, 'agents-suite', file), 'utf8')) as { readonly cases: readonly Case[] })
        .cases
    : [];

const scripted = read('agents.json');
const recorded = read('sequences.json');

const agentsFolder = '/usr/lib/ocf/resource.d/heartbeat';

/** Groups of cases by agent, with the program that the agent drives. */
const groups: readonly (readonly [agent: string, program: string])[] = [
  ['IPaddr2', '/usr/sbin/ip'],
  ['IPv6addr', `${agentsFolder}/IPv6addr`],
  ['Filesystem', '/usr/sbin/mke2fs'],
  ['SendArp', '/usr/libexec/heartbeat/send_arp'],
  ['portblock', '/usr/sbin/iptables'],
  ['mysql', '/usr/sbin/mariadbd'],
  ['pgsql', '/usr/lib/postgresql/15/bin/pg_ctl'],
  ['apache', '/usr/sbin/apache2'],
  ['exportfs', '/usr/sbin/exportfs'],
  ['MailTo', '/usr/bin/mail'],
  ['postfix', '/usr/sbin/postfix'],
  ['Xinetd', '/usr/sbin/xinetd'],
];

/** Agents whose cases are left out, with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  IPsrcaddr: 'its cases expect routes that the sandbox does not have',
  named: 'needs bind9 and bind9-host; its cases have not been tried here',
  nfsserver: 'needs the NFS server of a kernel, which a sandbox shares with the machine',
  tomcat: 'a Java machine takes minutes to come and go on two processors',
};

/** Recorded runs that need nothing else than these packages. */
const runs: readonly (readonly [program: string, ...ids: string[]])[] = [
  [
    `${agentsFolder}/Dummy`,
    'seq-ocf-heartbeat-anything',
    'seq-ocf-heartbeat-delay',
    'seq-ocf-heartbeat-dummy',
    'seq-ocf-heartbeat-dummypy',
    'seq-ocf-heartbeat-stateful',
    'seq-ocf-heartbeat-symlink',
    'seq-ocf-heartbeat-sysinfo',
    'seq-ocf-pacemaker-dummy',
    'seq-ocf-pacemaker-ifspeed',
    'seq-ocf-pacemaker-stateful',
  ],
  [
    '/usr/sbin/ip',
    'seq-ocf-heartbeat-iface-macvlan',
    'seq-ocf-heartbeat-ipaddr2',
    'seq-ocf-heartbeat-ipaddr2-label-arp-fg',
    'seq-ocf-heartbeat-ipaddr2-no-nic-mask',
    'seq-ocf-heartbeat-ipv6addr',
    'seq-ocf-heartbeat-route',
  ],
  [
    '/usr/sbin/mke2fs',
    'seq-ocf-heartbeat-filesystem-ext4-loop-opt',
    'seq-ocf-heartbeat-filesystem-ext4-on-dev-loop',
    'seq-ocf-heartbeat-filesystem-tmpfs',
  ],
  ['/usr/bin/redis-server', 'seq-ocf-heartbeat-redis-promotable'],
  ['/usr/sbin/mariadbd', 'seq-ocf-heartbeat-mariadb-promotable', 'seq-lsb-mariadb'],
  ['/usr/lib/postgresql/15/bin/pg_ctl', 'seq-ocf-heartbeat-pgsql-rep-mode-sync-promotable'],
  [
    '/usr/lib/ocf/resource.d/pacemaker/ping',
    'seq-ocf-pacemaker-healthiowait',
    'seq-ocf-pacemaker-ping',
    'seq-ocf-pacemaker-sysinfo',
    'seq-ocf-heartbeat-pingd',
    'seq-ocf-heartbeat-iface-vlan',
  ],
  ['/usr/sbin/exportfs', 'seq-ocf-heartbeat-exportfs', 'seq-lsb-rpcbind'],
  ['/usr/sbin/mkfs.xfs', 'seq-ocf-heartbeat-filesystem-xfs'],
  ['/usr/sbin/apache2', 'seq-lsb-apache2'],
  ['/usr/sbin/proftpd', 'seq-ocf-heartbeat-proftpd', 'seq-lsb-proftpd'],
  ['/usr/sbin/slapd', 'seq-ocf-heartbeat-slapd', 'seq-lsb-slapd'],
  ['/usr/sbin/rsyslogd', 'seq-ocf-heartbeat-rsyslog'],
  ['/usr/sbin/tgtadm', 'seq-ocf-heartbeat-iscsitarget'],
  ['/usr/sbin/postfix', 'seq-lsb-postfix'],
  ['/etc/init.d/cron', 'seq-lsb-cron'],
  ['/etc/init.d/isc-dhcp-server', 'seq-lsb-isc-dhcp-server'],
  ['/etc/init.d/keepalived', 'seq-lsb-keepalived'],
  ['/etc/init.d/memcached', 'seq-lsb-memcached'],
  ['/etc/init.d/rsync', 'seq-lsb-rsync'],
  ['/etc/init.d/snmpd', 'seq-lsb-snmpd'],
  ['/etc/init.d/varnish', 'seq-lsb-varnish'],
];

interface Outcome {
  readonly id: string;
  readonly problems: readonly string[];
}

/** Runs cases in a sandbox; fails if it does not answer for each. */
async function outcomes(file: string, ids: readonly string[]): Promise<readonly Outcome[]> {
  const argv = [
    process.execPath,
    join(root, 'test/netns/sandbox/agent-cases.ts'),
    join(shared, 'agents-suite', file),
    ...ids,
  ];
  const child = spawn(join(root, 'test/netns/sandbox/enter'), argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const found = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"id"'))
    .map((line) => JSON.parse(line) as Outcome);
  expect(found.map(({ id }) => id).toSorted(), stderr).toEqual([...ids].toSorted());
  return found;
}

const isRoot = process.getuid?.() === 0;
const why = isRoot ? sharedMissing('agents-suite/agents.json') : 'needs root';

const failed = (all: readonly Outcome[]): readonly Outcome[] => all.filter(({ problems }) => problems.length > 0);

/** Recorded runs that are left out, by how their names begin or what they are. */
const runsLeftOut: readonly (readonly [names: RegExp, why: string])[] = [
  [/^seq-fence-/, 'fence agents are the fencer’s; packages/stonith/contract and ipmi.test.ts run them'],
  [
    /-(crypt|lvm-activate|nfsserver|ipaddr2-clusterip-clone|sfex)$/,
    'what this kernel or machine lacks was recorded there',
  ],
  [/-(ipsrcaddr|dhcpd|named|dnsupdate|mailto)$/, 'needs routes, zones or leases that the sandbox does not have'],
  [
    /-(garbd|rabbitmq-server|rabbitmq-cluster|tomcat|squid|dovecot|ldirectord|postfix)$/,
    'takes minutes, for an agent like others',
  ],
  [/-(fio|logd|smartmontools|virtualdomain|zabbix-agent|zabbixserver|varnish)$/, 'depends on what else is installed'],
];

describe.skipIf(why !== undefined)(`agents of others under our executor${why === undefined ? '' : ` (${why})`}`, () => {
  for (const [agent, program] of groups) {
    const ids = scripted.filter((one) => one.agent === `ocf:heartbeat:${agent}`).map(({ id }) => id);
    test.skipIf(!existsSync(program))(
      `${agent}: ${ids.length} cases end as they do elsewhere`,
      { timeout: 400_000, concurrent: true },
      async () => {
        expect(failed(await outcomes('agents.json', ids))).toEqual([]);
      },
    );
  }

  for (const [program, ...ids] of runs) {
    const names = ids.map((id) => id.replace(/^seq-/, '')).join(', ');
    test.skipIf(!existsSync(program))(`recorded runs: ${names}`, { timeout: 400_000, concurrent: true }, async () => {
      expect(recorded.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
      expect(failed(await outcomes('sequences.json', ids))).toEqual([]);
    });
  }

  test('every case is run, or is left out for a reason', () => {
    const names = new Set(scripted.map(({ agent }) => agent.replace('ocf:heartbeat:', '')));
    expect(new Set([...groups.map(([agent]) => agent), ...Object.keys(leftOut)])).toEqual(names);
    const run = new Set(runs.flatMap(([, ...ids]) => ids));
    const rest = recorded.filter(({ id }) => !run.has(id));
    const unexplained = rest.filter(({ id }) => !runsLeftOut.some(([names]) => names.test(id)));
    expect(unexplained.map(({ id }) => id)).toEqual([]);
  });
});
