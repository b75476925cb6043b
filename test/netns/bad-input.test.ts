import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/cluster.ts';
import { sleep, until } from '../lab/command.ts';
import { root } from '../support/repository.ts';
import { notHere } from './cluster.ts';

const nodes = ['n1', 'n2', 'n3'];
const binaries = join(root, 'node_modules', '.bin');

interface Messaging {
  readonly view: { readonly tag: { readonly number: number }; readonly members: readonly unknown[] };
  readonly counters: Readonly<Record<string, number>>;
}

const messaging = (lab: Lab, node: string): Promise<Messaging> => lab.ask<Messaging>(node, 'GET', '/v1/messaging');

/** So long the flood lasts. While it does, real-time threads read it, and a machine has little left for anything else. */
const floodMs = 15_000;

/** Joins the group, plays everything that it hears again from its own address, twice, and floods with garbage between. */
const intruder = `
setTimeout(() => process.exit(0), ${floodMs});
const { createSocket } = require('node:dgram');
const own = createSocket('udp4');
own.bind(5999, '10.77.0.250', () => own.setMulticastInterface('10.77.0.250'));
const group = createSocket({ type: 'udp4', reuseAddr: true });
group.bind(5405, '239.255.77.1', () => group.addMembership('239.255.77.1', '10.77.0.250'));
const heard = [];
group.on('message', (bytes) => {
  heard.push(bytes);
  if (heard.length > 500) heard.shift();
  for (const host of ['239.255.77.1', '10.77.0.1', '10.77.0.2', '10.77.0.3']) own.send(bytes, 5405, host);
});
const random = (length) => Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256)));
setInterval(() => {
  for (let each = 0; each < 20; each++) {
    const old = heard[Math.floor(Math.random() * heard.length)];
    const garbage = old === undefined || each % 3 === 0 ? random(40 + each * 40) : Buffer.from(old);
    if (each % 3 === 1) garbage.fill(each, 16, 24); // a session that nobody has
    if (each % 3 === 2) garbage[40 % garbage.length] ^= 1; // a bit of what is sealed
    own.send(garbage, 5405, '239.255.77.1');
    own.send(garbage, 5405, '10.77.0.' + (1 + (each % 3)));
  }
}, 5);
`;

describe.skipIf(notHere !== undefined)('a cluster among strangers', () => {
  test('stands replays, floods and another cluster on its group, and sends away who has a name that is taken', async () => {
    const lab = await Lab.open({ nodes });
    try {
      await Promise.all(nodes.map((node) => lab.startDaemon(node)));
      await lab.settled(nodes);
      const before = (await messaging(lab, 'n1')).view.tag.number;

      const flood = lab.client.start([process.execPath, '-e', intruder], () => undefined);
      // Another cluster, with a key of its own, on the same group and port.
      const folder = join(lab.folder, 'stranger');
      await mkdir(folder);
      const links = [{ address: '10.77.0.250', multicast: '239.255.77.1', port: 5405 }];
      await writeFile(join(folder, 'key'), `0:${'5a'.repeat(32)}\n`, { mode: 0o600 });
      const stranger = {
        cluster: 'stranger',
        node: 'n1',
        nodes: ['n1'],
        links,
        key: join(folder, 'key'),
        state: folder,
      };
      await writeFile(join(folder, 'systole.yaml'), JSON.stringify(stranger));
      const said: string[] = [];
      lab.client.start([join(binaries, 'systoled'), '--config', join(folder, 'systole.yaml')], (line) =>
        said.push(line),
      );
      await until('the stranger is a cluster of its own', () => said.some((line) => line.includes('daemon.ready')));
      await sleep(6000);

      const { view, counters } = await messaging(lab, 'n1');
      expect(view.tag.number).toBe(before);
      for (const counter of ['replayed', 'datagramsForeign', 'unauthenticated', 'datagramsOtherCluster'])
        expect(counters[counter], counter).toBeGreaterThan(20);
      expect((counters['unauthenticated'] ?? 0) + (counters['sessionFlood'] ?? 0)).toBeGreaterThan(100);

      await flood.ended;

      // A second n2, with the right key: it is the one that stops, and it says why.
      await lab.client.run('ip', 'address', 'add', '10.77.0.251/24', 'dev', 'eth0');
      const twin = {
        ...stranger,
        cluster: 'lab',
        node: 'n2',
        nodes,
        links: [{ ...links[0], address: '10.77.0.251' }],
        key: join(lab.folder, 'key'),
        state: join(folder, 'twin'),
      };
      await writeFile(join(folder, 'twin.yaml'), JSON.stringify({ ...twin, run: join(folder, 'run') }));
      const words: string[] = [];
      const second = lab.client.start([join(binaries, 'systoled'), '--config', join(folder, 'twin.yaml')], (line) =>
        words.push(line),
      );
      await Promise.race([second.ended, sleep(30_000)]);
      // The other n2 stays, or its supervisor starts it again; there is none in here.
      expect(words.join('\n')).toContain('runs as this same node');
    } finally {
      await lab.close();
    }
  });
});
