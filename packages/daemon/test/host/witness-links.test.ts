import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineInput, EngineStatus } from '@systole/messaging';
import { AREA_BYTES, AREA_OFFSET, type DeviceOptions } from '@systole/quorum';
import { defaultDiskTimes, encodeHeader, slotsOfNewDisk } from '@systole/stonith';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeviceLink } from '../../src/host/device-link.ts';
import { DiskArea } from '../../src/host/disk-area.ts';
import { DiskLink } from '../../src/host/disk-link.ts';
import { HttpLink } from '../../src/host/http-link.ts';

const voters = [1, 2].map((node) => ({ node, votes: 1 }));
const status = (number: number, members: readonly number[]): EngineStatus =>
  ({
    view: { tag: { number, hash: number }, members: members.map((node) => ({ node })) },
    active: true,
    memory: { base: { generation: 0, revision: 0, voters, deviceVotes: 1 }, lineage: 1 },
  }) as unknown as EngineStatus;
const device = (kind: 'disk' | 'http'): DeviceOptions => ({
  kind,
  votes: 1,
  algorithm: 'ffsplit',
  tieBreaker: 'lowest',
});

let folder = '';
const open: DeviceLink[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'systole-witness-'));
});
afterEach(async () => {
  for (const link of open.splice(0)) link.close();
  await rm(folder, { recursive: true });
});

interface Heard {
  readonly votes: string[];
  readonly reasons: string[];
}

const listener = (): Heard & { readonly events: ConstructorParameters<typeof DiskLink>[2] } => {
  const votes: string[] = [];
  const reasons: string[] = [];
  return {
    votes,
    reasons,
    events: {
      give: (input: EngineInput) => input.type === 'deviceVerdict' && votes.push(input.vote),
      behind: () => undefined,
      told: (_vote, reason) => reasons.push(reason),
    },
  };
};

describe('a witness on a disk', () => {
  const make = (path: string, cluster = 'demo', nodes = [1, 2], isForced = false): readonly number[] => {
    const area = DiskArea.open(path);
    try {
      return area.make({ cluster, nodes }, isForced).nodes;
    } finally {
      area.close();
    }
  };
  const disk = (name = 'disk'): string => {
    const path = join(folder, name);
    writeFileSync(path, '');
    truncateSync(path, AREA_OFFSET + AREA_BYTES);
    return path;
  };
  const link = (path: string, self: number): Heard => {
    const heard = listener();
    open.push(new DiskLink({ cluster: 'demo', self, path, device: device('disk') }, 1, heard.events));
    return heard;
  };

  test('gives its vote to one of two halves', async () => {
    const path = disk();
    make(path);
    // One after the other: whoever is first has it.
    const one = link(path, 1);
    open[0]?.look(status(7, [1]));
    await vi.waitFor(() => expect(one.votes).toContain('grant'), 5000);
    const two = link(path, 2);
    open[1]?.look(status(8, [2]));
    await vi.waitFor(() => expect(two.votes).toContain('deny'), 5000);
    expect(two.votes).not.toContain('grant');
    expect(two.reasons.at(-1)).toContain('view 7');
  });

  test('leaves the beginning of the device alone, and adds slots without touching those in use', async () => {
    const path = disk();
    writeFileSync(path, 'SBD_SBD_ of another program', { flag: 'r+' });
    expect(make(path)).toEqual([1, 2]);
    link(path, 1);
    open[0]?.look(status(7, [1]));
    await vi.waitFor(async () => expect((await readFile(path)).includes('SYSW')).toBe(true), 3000);
    expect(make(path, 'demo', [2, 3])).toEqual([1, 2, 3]);
    const content = await readFile(path);
    expect(content.includes('SYSW')).toBe(true);
    expect(content.subarray(0, 8).toString()).toBe('SBD_SBD_');
  });

  test('of another cluster is not taken, unless that is meant', () => {
    const path = disk();
    make(path, 'other');
    expect(() => make(path)).toThrow(/witness of the cluster other.*--force/);
    expect(make(path, 'demo', [1, 2], true)).toEqual([1, 2]);
  });

  test.for([
    ['missing', 'no such file'],
    ['unmade', '--make-witness'],
    ['foreign', 'cluster other'],
    ['strange', 'no slot'],
  ] as const)('that is %s gives no vote and says why', async ([what, problem]) => {
    const path = what === 'missing' ? join(folder, 'missing') : disk();
    if (what === 'foreign') make(path, 'other');
    if (what === 'strange') make(path, 'demo', [5]);
    const heard = link(path, 1);
    open[0]?.look(status(7, [1]));
    await vi.waitFor(() => expect(heard.reasons.join()).toContain(problem), 3000);
    expect(new Set(heard.votes)).toEqual(new Set(['wait']));
  });

  test('stands beside the slots of a fence disk, and is refused where these reach into it', () => {
    const path = disk();
    const header = { ...defaultDiskTimes, sectorBytes: 4096, uuid: '01'.repeat(16) };
    const asSbd = encodeHeader({ ...header, slots: 255 });
    writeFileSync(path, asSbd, { flag: 'r+' });
    expect(() => make(path, 'demo', [1, 2], true)).toThrow(/255 slots .* reach into the witness's place/);
    expect(
      readFileSync(path)
        .subarray(4096)
        .every((byte) => byte === 0),
    ).toBe(true);
    writeFileSync(path, encodeHeader({ ...header, slots: slotsOfNewDisk(4096) }), { flag: 'r+' });
    expect(make(path)).toEqual([1, 2]);
  });

  test('too small for a witness is refused', () => {
    const path = join(folder, 'small');
    writeFileSync(path, 'x');
    expect(() => DiskArea.open(path)).toThrow(/a witness needs/);
  });

  const loops = (): string | undefined => {
    if (process.getuid?.() !== 0 || !existsSync('/usr/sbin/losetup')) return undefined;
    const path = disk('loop');
    try {
      return execFileSync('losetup', ['--find', '--show', '--direct-io=on', path], {
        encoding: 'utf8',
        stdio: 'pipe',
      }).trim();
    } catch {
      return undefined; // no loop devices in here
    }
  };

  test('may be a block device, read and written past the page cache', async (context) => {
    const loop = loops();
    if (loop === undefined) return context.skip('needs root and loop devices');
    try {
      make(loop);
      const area = DiskArea.open(loop);
      expect(area.isDirect).toBe(true);
      area.close();
      const heard = link(loop, 1);
      open[0]?.look(status(7, [1]));
      await vi.waitFor(() => expect(heard.votes).toContain('grant'), 5000);
      for (const each of open.splice(0)) each.close();
    } finally {
      execFileSync('losetup', ['--detach', loop]);
    }
  });
});

describe('a witness behind HTTP', () => {
  let server: Server;
  let object: { readonly etag: string; readonly body: string } | undefined;
  let hasEtags = true;
  let writes = 0;
  const tokens: (string | undefined)[] = [];

  beforeEach(async () => {
    object = undefined;
    hasEtags = true;
    server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      if (request.method === 'GET') {
        if (object === undefined) return void response.writeHead(404).end();
        return void response.writeHead(200, hasEtags ? { etag: object.etag } : {}).end(object.body);
      }
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        const { 'if-match': match, 'if-none-match': none } = request.headers;
        const fits = object === undefined ? none === '*' : match === object.etag;
        if (!fits) return void response.writeHead(412).end();
        object = { etag: `"v${(writes += 1)}"`, body };
        return void response.writeHead(204, { etag: object.etag }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  const link = (self: number, tokenFile?: string): Heard => {
    const heard = listener();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/witness`;
    const options = {
      cluster: 'demo',
      self,
      url,
      device: device('http'),
      ...(tokenFile === undefined ? {} : { tokenFile }),
    };
    open.push(new HttpLink(options, 1, heard.events));
    return heard;
  };

  test('gives its vote to one of two halves, and to whoever has the token', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'secret\n');
    const [one, two] = [link(1, tokenFile), link(2, tokenFile)];
    open[0]?.look(status(7, [1]));
    open[1]?.look(status(8, [2]));
    await vi.waitFor(() => expect(two.votes).toContain('deny'), 5000);
    expect(one.votes).toContain('grant');
    expect(two.votes).not.toContain('grant');
    expect(new Set(tokens)).toEqual(new Set(['Bearer secret']));
  });

  test('that cannot compare and swap gives none', async () => {
    object = { etag: 'W/"1"', body: '{}' };
    const heard = link(1);
    open[0]?.look(status(7, [1]));
    await vi.waitFor(() => expect(heard.reasons.join()).toContain('no strong ETag'), 3000);
    hasEtags = false;
    expect(heard.votes).not.toContain('grant');
  });

  test('out of reach gives none, and says why', async () => {
    const heard = link(1);
    server.close();
    open[0]?.look(status(7, [1]));
    await vi.waitFor(() => expect(heard.reasons.join()).toMatch(/ECONNREFUSED/), 3000);
    expect(heard.votes).not.toContain('grant');
  });
});
