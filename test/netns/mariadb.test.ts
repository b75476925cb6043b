import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, until } from '../lab/command.ts';
import { notHere, openCluster } from './cluster.ts';

const needed = [
  '/usr/sbin/mariadbd',
  '/usr/bin/mariadb-install-db',
  '/usr/lib/ocf/resource.d/heartbeat/mysql',
  '/sbin/mkfs.ext4',
];
const missing = needed.find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const folder = '/run/mariadb-data';

/** `examples/mariadb/mariadb.crm` for this laboratory: the disk is a file with a file system in it. */
const mariadb = (image: string): string => `
primitive power stonith:fence_netns params socket=POWER op monitor interval=60s
primitive disk ocf:heartbeat:Filesystem \\
    params device=${image} directory=${folder} fstype=ext4 options=loop \\
    op monitor interval=20s timeout=40s op start timeout=60s op stop timeout=60s
primitive server ocf:heartbeat:mysql \\
    params binary=/usr/sbin/mariadbd datadir=${folder}/data socket=/run/mysqld/mysqld.sock pid=/run/mysqld/mysqld.pid \\
    log=/run/mysqld/mysqld.log additional_parameters="--bind-address=0.0.0.0 --innodb-flush-log-at-trx-commit=1" \\
    op monitor interval=10s timeout=30s op start timeout=120s op stop timeout=120s
primitive address ocf:systole:vip params ip=10.77.0.100 cidr_netmask=24 nic=eth0 op monitor interval=10s timeout=10s
group mariadb disk server address
rsc_defaults resource-stickiness=100 migration-threshold=3
property fencing-enabled=true
`;

/** Makes a disk with an empty database on it. */
async function makeDisk(work: string): Promise<string> {
  const image = join(work, 'disk.img');
  const mounted = join(work, 'mounted');
  const data = `${mounted}/data`;
  await run(['truncate', '-s', '512M', image]);
  await run(['mkfs.ext4', '-q', image]);
  const install = `mariadb-install-db --user=mysql --datadir=${data} --skip-test-db >/dev/null`;
  const script = `mkdir ${mounted} && mount -o loop ${image} ${mounted} && mkdir ${data} && chown mysql ${data} && ${install}; status=$?; umount ${mounted}; exit $status`;
  await run(['unshare', '--mount', 'sh', '-c', script], { timeoutMs: 120_000 });
  return image;
}

const minutes = 60_000;

describe.skipIf(reason !== undefined)('MariaDB on a shared disk', () => {
  test(
    'has every row that it acknowledged when the power is pulled in the middle of writing',
    async () => {
      const work = await mkdtemp(join(tmpdir(), 'systole-mariadb-'));
      await chmod(work, 0o755); // the database's user passes through it
      try {
        const image = await makeDisk(work);
        await using cluster = await openCluster(mariadb(image), {
          prepare: `mkdir -p ${folder} /run/mysqld && chown mysql ${folder} /run/mysqld &&`,
        });
        const { lab } = cluster;
        const first = await cluster.runsOn('address');
        const setUp = [
          'CREATE DATABASE shop',
          'CREATE TABLE shop.orders (number INT PRIMARY KEY) ENGINE=InnoDB',
          "CREATE USER client@'%' IDENTIFIED BY ''",
          "GRANT ALL ON shop.* TO client@'%'",
        ].join('; ');
        await lab.machine(first).run('mariadb', '--socket=/run/mysqld/mysqld.sock', '-e', setUp);

        // One insert after the other; a number is printed only when its row was acknowledged.
        const acknowledged: number[] = [];
        const client = 'mariadb --connect-timeout=1 -h 10.77.0.100 -u client shop -e';
        const writer = `i=0; while :; do i=$((i + 1)); ${client} "INSERT INTO orders VALUES ($i)" 2>/dev/null && echo $i; done`;
        lab.client.start(['sh', '-c', writer], (line, stream) => {
          if (stream === 'stdout') acknowledged.push(Number(line));
        });
        await until('rows are written', () => acknowledged.length > 50, 60_000);

        await lab.powerOff(first);
        const before = acknowledged.length;
        const survivor = ['n1', 'n2', 'n3'].find((node) => node !== first) ?? '';
        await cluster.runsOn('address', survivor, first);
        await until('rows are written again', () => acknowledged.length > before + 20, 60_000);

        const written = [...acknowledged];
        const { stdout } = await lab.client.tryRun(['sh', '-c', `${client} 'SELECT number FROM orders' --batch -N`]);
        const stored = new Set(stdout.trim().split('\n').map(Number));
        expect(written.filter((number) => !stored.has(number))).toEqual([]);
        expect(lab.power.log.some(({ node }) => node === first)).toBe(true);
        expect(cluster.watch.overlaps()).toEqual([]);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    6 * minutes,
  );
});
