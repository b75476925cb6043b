import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/cluster.ts';
import { sleep, until } from '../lab/command.ts';
import { notHere } from './cluster.ts';

const nodes = ['n1', 'n2', 'n3'];

interface Messaging {
  readonly view: { readonly tag: { readonly number: number } };
  readonly counters: Readonly<Record<string, number>>;
}

const viewOf = async (lab: Lab, node: string): Promise<number> =>
  (await lab.ask<Messaging>(node, 'GET', '/v1/messaging')).view.tag.number;

async function open(): Promise<Lab> {
  const lab = await Lab.open({ nodes });
  try {
    await Promise.all(nodes.map((node) => lab.startDaemon(node)));
    await lab.settled(nodes);
  } catch (error) {
    await lab.close();
    throw error;
  }
  return lab;
}

const keyFile = (lab: Lab, node: string): Promise<string> => readFile(join(lab.folder, node, 'key'), 'utf8');

describe.skipIf(notHere !== undefined)('the key of a running cluster', () => {
  test('changes under traffic without a change of view; each file has the new key alone, and no log shows one', async () => {
    const lab = await open();
    try {
      const before = await viewOf(lab, 'n1');
      const old = (await keyFile(lab, 'n1')).trim();
      let isOver = false;
      let changes = 0;
      const traffic = nodes.map(async (node) => {
        while (!isOver) {
          await lab.ask(node, 'POST', '/v1/attributes', { node, values: { count: String((changes += 1)) } });
        }
      });
      for (let round = 1; round <= 3; round++) {
        await lab.systole(nodes[round % 3] ?? '', 'key', 'rotate');
        await sleep(300);
      }
      isOver = true;
      await Promise.all(traffic);

      for (const node of nodes) expect(await viewOf(lab, node)).toBe(before);
      const files = await Promise.all(nodes.map((node) => keyFile(lab, node)));
      expect(new Set(files).size).toBe(1);
      expect(files[0]).toMatch(/^3:[0-9a-f]{64}\n$/);
      expect(files[0]).not.toContain(old);
      expect(changes).toBeGreaterThan(100);
      const told = JSON.stringify(lab.log) + (await lab.systole('n1', 'cib', 'export'));
      expect(told).not.toContain(old);
      expect(told).not.toContain((files[0] ?? '').slice(2, 66));
      expect(lab.log.filter(({ event }) => event === 'key.changed')).toHaveLength(9);
    } finally {
      await lab.close();
    }
  });

  test('changes around a node that is killed on the way: it comes back with the new key', async () => {
    const lab = await open();
    try {
      const rotating = lab.systole('n1', 'key', 'rotate');
      await sleep(50);
      await lab.signalDaemon('n3', 'SIGKILL');
      await rotating.catch(() => undefined); // the view ended under it, or it waits for n3: both are allowed
      lab.restartDaemon('n3');
      await lab.settled(nodes);
      await until('no change is under way', async () => {
        const { rotation } = await lab.ask<{ readonly rotation?: unknown }>('n1', 'GET', '/v1/keys');
        return rotation === undefined;
      });
      expect(new Set(await Promise.all(nodes.map((node) => keyFile(lab, node)))).size).toBe(1);
    } finally {
      await lab.close();
    }
  });

  test('changes without a node that is off; that one and the others say what to do, and the copied file helps', async () => {
    const lab = await open();
    try {
      await lab.powerOff('n3');
      await until('n3 is missed', async () => (await lab.status('n1'))?.nodes.some(({ state }) => state !== 'online'));
      const refused = await lab.trySystole('n1', ['key', 'rotate']);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('--without n3');
      await lab.systole('n1', 'key', 'rotate', '--without', 'n3');
      await lab.boot('n3');
      for (const node of ['n1', 'n3']) {
        await until(`${node} says that a key is missing`, () =>
          lab.log.some(
            (line) => line.node === node && line.event === 'unknownKey' && line.msg.includes('copy the key file'),
          ),
        );
      }
      await lab.signalDaemon('n3', 'SIGKILL');
      await copyFile(join(lab.folder, 'n1', 'key'), join(lab.folder, 'n3', 'key'));
      lab.restartDaemon('n3');
      await lab.settled(nodes);
    } finally {
      await lab.close();
    }
  });
});
