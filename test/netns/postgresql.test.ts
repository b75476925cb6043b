import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, until } from '../lab/command.ts';
import { example } from '../lab/example.ts';
import { address, notHere, openCluster } from './cluster.ts';

const programs = '/usr/lib/postgresql/15/bin';
const missing = [`${programs}/postgres`, '/usr/lib/ocf/resource.d/heartbeat/pgsql'].find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);
const nodes = ['n1', 'n2'] as const;

/** What the agent's description demands of the server's own configuration. */
const settings = [
  "listen_addresses = '*'",
  'wal_level = replica',
  "wal_keep_size = '64MB'",
  'hot_standby = on',
  'wal_receiver_status_interval = 2',
  'restart_after_crash = off',
  'shared_buffers = 16MB',
];
const access = ['local all all trust', 'host all all 10.77.0.0/24 trust', 'host replication all 10.77.0.0/24 trust'];

/** The same new database on the disk of each node. */
async function makeDisks(work: string): Promise<void> {
  const [first] = nodes;
  const data = join(work, first, 'main');
  const script = [
    'set -e',
    ...nodes.map((node) => `mkdir -p ${work}/${node}/pgsql ${work}/${node}/main`),
    `chown -R postgres ${work}`,
    `runuser -u postgres -- ${programs}/initdb -D ${data} -N --auth=trust >/dev/null`,
    ...settings.map((line) => `echo "${line}" >>${data}/postgresql.conf`),
    `printf '%s\\n' ${access.map((line) => `'${line}'`).join(' ')} >${data}/pg_hba.conf`,
    ...nodes.slice(1).map((node) => `rm -rf ${work}/${node}/main && cp -a ${data} ${work}/${node}/main`),
  ];
  await run(['sh', '-c', script.join('\n')], { timeoutMs: 120_000 });
}

const prepare = (work: string): string =>
  [
    'mkdir -p /run/postgresql /var/lib/postgresql/15/main /var/lib/pgsql',
    'chown postgres /run/postgresql',
    `mount --bind ${work}/$(hostname)/main /var/lib/postgresql/15/main`,
    `mount --bind ${work}/$(hostname)/pgsql /var/lib/pgsql`,
    '',
  ].join(' && ');

const minutes = 60_000;

describe.skipIf(reason !== undefined)('PostgreSQL with synchronous replication, as in examples/postgresql', () => {
  test(
    'has every row that it acknowledged on the node that is promoted, in order or after a loss of power',
    async () => {
      const work = await mkdtemp(join(tmpdir(), 'systole-pgsql-'));
      await chmod(work, 0o755); // the database's user passes through it
      try {
        await makeDisks(work);
        await using cluster = await openCluster(await example('postgresql/postgresql.crm'), {
          nodes,
          quorum: { two_node: true },
          prepare: prepare(work),
        });
        const { lab } = cluster;
        const query = async (text: string): Promise<string> => {
          const argv = ['psql', '-h', address, '-U', 'postgres', '-tAc', text, 'postgres'];
          const environment = { ...process.env, PGCONNECT_TIMEOUT: '2' };
          return (await lab.client.tryRun(argv, { environment })).stdout.trim();
        };
        /** As the agent sees it: only then may the node be promoted. It looks every few seconds. */
        const isReplicated = async (node: string): Promise<boolean> => {
          const words = ['node', 'attribute', node, 'show', 'pgsql-data-status'];
          return (await lab.trySystole(node, words)).stdout.includes('STREAMING|SYNC');
        };
        const other = (node: string): string => nodes.find((name) => name !== node) ?? node;

        const first = await cluster.runsOn('address');
        await until('the other node follows synchronously', () => isReplicated(other(first)), 60_000, 1000);
        await query('CREATE TABLE orders (number INT PRIMARY KEY)');

        // One insert after the other; a number is printed only when its row was acknowledged.
        const acknowledged: number[] = [];
        const insert = `PGCONNECT_TIMEOUT=1 psql -h ${address} -U postgres -qc "INSERT INTO orders VALUES ($i)" postgres`;
        lab.client.start(
          ['sh', '-c', `i=0; while :; do i=$((i + 1)); ${insert} 2>/dev/null && echo $i; done`],
          (line, stream) => {
            if (stream === 'stdout') acknowledged.push(Number(line));
          },
        );
        const more = async (count: number): Promise<void> => {
          const before = acknowledged.length;
          await until('rows are written', () => acknowledged.length > before + count, 60_000);
        };
        const lost = async (): Promise<readonly number[]> => {
          const written = [...acknowledged];
          const stored = new Set((await query('SELECT number FROM orders')).split('\n').map(Number));
          return written.filter((number) => !stored.has(number));
        };
        await more(20);

        // In order: the other is promoted, and the former one follows it when it is back.
        await lab.systole(first, 'node', 'standby', first);
        const second = await cluster.runsOn('address', other(first), first);
        expect(second).toBe(other(first));
        await more(20);
        expect(await lost()).toEqual([]);
        // The agent leaves a note on the former primary, which an operator takes away after a look; it has left in order.
        await run(['rm', join(work, first, 'pgsql', 'tmp', 'PGSQL.lock')]);
        await lab.systole(second, 'node', 'online', first);
        await until('the former primary follows', () => isReplicated(first), 60_000, 1000);
        await more(20);

        // In the middle of writing.
        await lab.powerOff(second);
        expect(await cluster.runsOn('address', first, second)).toBe(first);
        await more(20);
        expect(await lost()).toEqual([]);
        expect(lab.power.log.some(({ node }) => node === second)).toBe(true);
        expect(cluster.watch.overlaps()).toEqual([]);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    8 * minutes,
  );
});
