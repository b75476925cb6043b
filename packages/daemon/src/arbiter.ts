/**
 * `systole-arbiter --config FILE`: a vote on a third site, for clusters that could break into halves.
 *
 * One program serves several clusters and knows none of their configurations: it holds a derived key for each, hears
 * what their members see, and gives its vote to one view at a time, as a lease. Exit codes: 0 after SIGTERM, 1 could
 * not start, 2 wrong use.
 *
 * `systole-arbiter derive --cluster NAME --key FILE`, on a member, prints the key for the third site.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Random } from '@systole/kernel';
import { arbiterKey } from '@systole/messaging';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { parse } from 'yaml';
import { ArbiterDesk } from './host/arbiter-desk.ts';
import { systemClock } from './host/clock.ts';
import { RecordStore } from './host/files.ts';
import { readKeys } from './host/key.ts';
import { createLogger } from './host/log.ts';
import { notifySupervisor } from './host/supervisor.ts';

const strict = { additionalProperties: false } as const;

/** The arbiter's own file. */
const schema = Type.Object(
  {
    /** Where the last grants are kept. */
    state: Type.Optional(Type.String({ minLength: 1 })),
    /** Where members are heard; every address, and port 5416, unless said otherwise. */
    address: Type.Optional(Type.String({ minLength: 1 })),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    clusters: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 64 }),
          /** File with the derived key; `systole-arbiter derive` makes it from the cluster's. */
          key: Type.String({ minLength: 1 }),
        },
        strict,
      ),
      { minItems: 1, maxItems: 256 },
    ),
  },
  strict,
);

const standardPort = 5416;

const strongRandom: Random = {
  integer: (below) => Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * below),
  bytes: (length) => randomBytes(length),
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      cluster: { type: 'string' },
      key: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (positionals[0] === 'derive' && values.cluster !== undefined && values.key !== undefined) {
    for (const line of await derived(values.key, values.cluster)) process.stdout.write(`${line}\n`);
    return 0;
  }
  if (values.config === undefined || values.help === true) {
    process.stderr.write(
      'usage: systole-arbiter --config FILE\n       systole-arbiter derive --cluster NAME --key FILE\n',
    );
    return values.help === true ? 0 : 2;
  }
  const configuration = await load(values.config);
  const here = dirname(resolve(values.config));
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(here, path));
  const log = createLogger('info', 'arbiter', 'arbiter');
  const store = await RecordStore.open(absolute(configuration.state ?? '/var/lib/systole-arbiter'));

  const { address = '::', port = standardPort } = configuration;
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
  const desks: ArbiterDesk[] = [];
  for (const cluster of configuration.clusters) {
    desks.push(
      await ArbiterDesk.open({
        cluster: cluster.name,
        keys: await readKeys(absolute(cluster.key)),
        store,
        clock: systemClock,
        random: strongRandom,
        // An answer that is lost is asked for again within 250 ms.
        send: (to, datagram) => socket.send(datagram, to.port, to.host, () => undefined),
        log: (event, text, fields) => log.info({ event, ...fields }, text),
      }),
    );
  }
  let foreign = 0;
  socket.on('message', (datagram, from) => {
    const isKnown = desks.some((desk) => desk.received(datagram, { host: from.address, port: from.port }));
    if (!isKnown) foreign += 1;
  });
  socket.bind({ address, port });
  await once(socket, 'listening');
  socket.on('error', (error) => log.warn({ event: 'arbiter.socket' }, error.message));
  log.info(
    { event: 'arbiter.ready', port, clusters: configuration.clusters.map(({ name }) => name) },
    'the arbiter is up',
  );
  await notifySupervisor('--ready');

  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  socket.close();
  await Promise.all(desks.map((desk) => desk.close()));
  const refused = desks.map(
    (desk, index) => [configuration.clusters[index]?.name, Object.fromEntries(desk.refusals)] as const,
  );
  log.info({ event: 'arbiter.stopped', foreign, refused: Object.fromEntries(refused) }, 'the arbiter has stopped');
  return 0;
}

/** The lines of a key file for the arbiter, from the cluster's own. */
const derived = async (path: string, cluster: string): Promise<readonly string[]> =>
  (await readKeys(path))
    .map((key) => arbiterKey(key, cluster))
    .map(({ id, key }) => `${id}:${Buffer.from(key).toString('hex')}`);

/** @throws Error with what is wrong with the file. */
async function load(path: string): Promise<Static<typeof schema>> {
  const written: unknown = parse(await readFile(path, 'utf8'));
  const validate = new Ajv({ allErrors: true }).compile<Static<typeof schema>>(schema);
  if (validate(written)) return written;
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message }) => `${path}: ${instancePath} ${message ?? 'is wrong'}`,
  );
  throw new Error(problems.join('\n'));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`systole-arbiter: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
