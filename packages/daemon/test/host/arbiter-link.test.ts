import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@systole/kernel';
import { arbiterId, arbiterKey, type ClusterKey, cryptoSeal, type EngineStatus, LetterBox } from '@systole/messaging';
import { decodeReport, encodeVerdict } from '@systole/quorum';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ArbiterLink } from '../../src/host/arbiter-link.ts';

const key = (id: number, primary: boolean): ClusterKey => ({ id, primary, key: new Uint8Array(32).fill(id) });
const status = {
  view: { tag: { number: 5, hash: 77 }, members: [{ node: 1, incarnation: 1, lineage: 4 }] },
  active: true,
  memory: { base: { generation: 0, revision: 0, voters: [{ node: 1, votes: 1 }], deviceVotes: 1 }, lineage: 4 },
} as unknown as EngineStatus;

/** An arbiter that grants whatever it can read; the first of its keys seals. */
class SomeArbiter {
  readonly socket: Socket = createSocket('udp4');
  readonly heuristics: string[] = [];
  box: LetterBox | undefined;

  async open(): Promise<number> {
    this.socket.on('message', (datagram, from) => {
      const letter = this.box?.open(datagram);
      const report = letter?.ok === true ? decodeReport(letter.body) : undefined;
      if (report === undefined || this.box === undefined) return;
      this.heuristics.push(report.heuristics);
      const { number, view } = report;
      const verdict = { number, view, vote: 'grant', leaseMs: 3000, exclusiveAfterMs: 0, grantNumber: 1 } as const;
      this.socket.send(this.box.close(encodeVerdict({ ...verdict, reason: 'for a test' })), from.port, from.address);
    });
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this.socket.address().port;
  }

  /** As after a start with this key file. */
  knows(...keys: readonly ClusterKey[]): void {
    this.box = new LetterBox({
      clusterName: 'demo',
      self: arbiterId,
      keys: keys.map((each, index) => ({ ...arbiterKey(each, 'demo'), primary: index === 0 })),
      incarnation: Date.now(),
      seal: cryptoSeal,
      random: seededRandom(Date.now()),
    });
  }
}

describe('the way to the arbiters', () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });

  async function setUp(keys: readonly ClusterKey[], heuristics: readonly (readonly string[])[] = []) {
    const arbiter = new SomeArbiter();
    const port = await arbiter.open();
    const grants: string[] = [];
    const behind: boolean[] = [];
    const link = new ArbiterLink(
      {
        cluster: 'demo',
        self: 1,
        keys,
        arbiters: [{ host: '127.0.0.1', port }],
        device: { kind: 'arbiter', votes: 1, algorithm: 'ffsplit', tieBreaker: 'lowest' },
        heuristics,
      },
      1,
      seededRandom(3),
      {
        give: (input) => input.type === 'deviceVerdict' && grants.push(input.vote),
        behind: (areBehind) => behind.push(areBehind),
        told: () => undefined,
      },
    );
    open.push(link, arbiter.socket);
    return { arbiter, link, grants, behind };
  }

  test('keeps the vote while the key changes, and says when the arbiter has the new one', async () => {
    const [old, next] = [key(1, true), key(2, false)];
    const { arbiter, link, grants, behind } = await setUp([old]);
    arbiter.knows(old);
    link.look(status);
    await vi.waitFor(() => expect(grants.length).toBeGreaterThan(0), 3000);

    link.useKeys([next, old].map((each) => ({ ...each, primary: each === next })));
    grants.length = 0;
    await vi.waitFor(() => expect(grants.length).toBeGreaterThan(1), 3000);
    expect(behind).toEqual([true]);

    arbiter.knows(next, old);
    await vi.waitFor(() => expect(behind).toEqual([true, false]), 3000);
    link.useKeys([{ ...next, primary: true }]);
    grants.length = 0;
    await vi.waitFor(() => expect(grants.length).toBeGreaterThan(1), 3000);
    expect(grants).not.toContain('deny');
  });

  test('reports what the heuristics say: all commands must succeed, and in time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'systole-heuristics-'));
    const script = join(folder, 'check');
    await writeFile(script, '#!/bin/sh\nexit "$1"\n');
    await chmod(script, 0o755);
    const say = async (...commands: readonly (readonly string[])[]): Promise<string> => {
      const { arbiter, link } = await setUp([key(1, true)], commands);
      arbiter.knows(key(1, true));
      link.look(status);
      await vi.waitFor(() => expect(['pass', 'fail']).toContain(arbiter.heuristics.at(-1)), 4000);
      return arbiter.heuristics.at(-1) ?? '';
    };
    try {
      expect(await say([script, '0'], ['true'])).toBe('pass');
      expect(await say([script, '0'], [script, '1'])).toBe('fail');
      expect(await say(['sleep', '5'])).toBe('fail');
      expect(await say([join(folder, 'missing')])).toBe('fail');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
