import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@systole/kernel';
import { arbiterKey, cryptoSeal, LetterBox, type ClusterKey } from '@systole/messaging';
import { type ArbiterReport, type ArbiterVerdict, decodeVerdict, encodeReport } from '@systole/quorum';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArbiterDesk } from '../../src/host/arbiter-desk.ts';
import { systemClock } from '../../src/host/clock.ts';
import { RecordStore } from '../../src/host/files.ts';

const clusterKey: ClusterKey = { id: 0, key: new Uint8Array(32).fill(3), primary: true };
const derived = arbiterKey(clusterKey, 'demo');
const voters = [1, 2].map((node) => ({ node, votes: 1 }));

const report = (node: number, more: Partial<ArbiterReport> = {}): ArbiterReport => ({
  node,
  number: 1,
  view: { number: 5, hash: 77 },
  members: [1],
  active: true,
  base: { generation: 0, revision: 0, voters, deviceVotes: 1 },
  lineage: 4,
  heuristics: 'none',
  algorithm: 'ffsplit',
  tieBreaker: 'lowest',
  keepsLineage: true,
  ...more,
});

describe('the arbiter of a cluster', () => {
  let folder = '';
  let store: RecordStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'systole-arbiter-'));
    store = await RecordStore.open(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = async (verdicts: ArbiterVerdict[], member: LetterBox): Promise<ArbiterDesk> =>
    ArbiterDesk.open({
      cluster: 'demo',
      keys: [derived],
      store,
      clock: systemClock,
      random: seededRandom(9),
      send: (_to, datagram) => {
        const letter = member.open(datagram);
        const verdict = letter.ok ? decodeVerdict(letter.body) : undefined;
        if (verdict !== undefined) verdicts.push(verdict);
      },
      log: () => undefined,
    });
  const memberOf = (node: number, key: ClusterKey = derived): LetterBox =>
    new LetterBox({
      clusterName: 'demo',
      self: node,
      keys: [key],
      incarnation: 1,
      seal: cryptoSeal,
      random: seededRandom(node),
    });
  const from = { host: '127.0.0.1', port: 1 };

  test('gives its vote to the half that reports, once the other has been silent, and keeps the grant on disk', async () => {
    const verdicts: ArbiterVerdict[] = [];
    const member = memberOf(1);
    const desk = await open(verdicts, member);
    for (let number = 1; verdicts.at(-1)?.vote !== 'grant' && number < 40; number++) {
      desk.received(member.close(encodeReport(report(1, { number }))), from);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(verdicts[0]?.vote).toBe('wait');
    expect(verdicts.at(-1)).toMatchObject({ vote: 'grant', leaseMs: 3000 });
    await desk.close();
    expect(await store.load(`grant-${Buffer.from('demo').toString('hex')}`)).toMatchObject({ type: 'present' });
  });

  test('does not listen to who has only the cluster key, or poses as another', async () => {
    const verdicts: ArbiterVerdict[] = [];
    const member = memberOf(1);
    const desk = await open(verdicts, member);
    desk.received(memberOf(2, clusterKey).close(encodeReport(report(2))), from);
    desk.received(member.close(encodeReport(report(2, { members: [2] }))), from);
    desk.received(member.close(new TextEncoder().encode('{}')), from);
    expect(desk.received(new Uint8Array(100), from)).toBe(false);
    await desk.close();
    expect(Object.fromEntries(desk.refusals)).toEqual({ unauthenticated: 1, malformed: 2 });
    expect(verdicts).toEqual([]);
  });

  test('serves several clusters that know nothing of each other, with one store', async () => {
    const clusters = ['demo', 'other'].map((cluster, index) => {
      const key = { ...clusterKey, key: new Uint8Array(32).fill(index + 3) };
      const keys = [arbiterKey(key, cluster)];
      const common = { clusterName: cluster, self: 1, incarnation: 1, seal: cryptoSeal };
      return { cluster, keys, member: new LetterBox({ ...common, keys, random: seededRandom(index + 1) }) };
    });
    const votes = new Map<string, string[]>(clusters.map(({ cluster }) => [cluster, []]));
    const desks = await Promise.all(
      clusters.map(({ cluster, keys, member }) =>
        ArbiterDesk.open({
          cluster,
          keys,
          store,
          clock: systemClock,
          random: seededRandom(9),
          send: (_to, datagram) => {
            const letter = member.open(datagram);
            const verdict = letter.ok ? decodeVerdict(letter.body) : undefined;
            if (verdict !== undefined) votes.get(cluster)?.push(verdict.vote);
          },
          log: () => undefined,
        }),
      ),
    );
    for (let number = 1; number < 25; number++) {
      for (const { member } of clusters) {
        const datagram = member.close(encodeReport(report(1, { number })));
        expect(desks.filter((desk) => desk.received(datagram, from))).toHaveLength(1);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await Promise.all(desks.map((desk) => desk.close()));
    for (const { cluster } of clusters) {
      expect(votes.get(cluster)?.at(-1)).toBe('grant');
      expect(await store.load(`grant-${Buffer.from(cluster).toString('hex')}`)).toMatchObject({ type: 'present' });
    }
  });

  test('refuses to start over a damaged record of its last grant', async () => {
    await store.save(`grant-${Buffer.from('demo').toString('hex')}`, '{}');
    await writeFile(join(folder, `grant-${Buffer.from('demo').toString('hex')}`), 'x');
    await expect(open([], memberOf(1))).rejects.toThrow('damaged');
  });
});
