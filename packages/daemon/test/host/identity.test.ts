import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Socket as BareSocket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Identity, type IdentityOptions } from '../../src/host/identity.ts';

const socket = new BareSocket();
const known = async (uid: number | undefined, options: Partial<IdentityOptions> = {}): Promise<Identity> =>
  Identity.create({
    isPrivate: false,
    ownUid: 999,
    readUid: () => uid,
    namesOf: (asked) => Promise.resolve({ user: `user${asked}`, groups: ['ops'] }),
    now: () => 0,
    ...options,
  });

describe('who asks', () => {
  test('is who the kernel says, whatever he says', async () => {
    const caller = await (await known(1000)).callerOf(socket, 'root');
    expect(caller).toEqual({ user: 'user1000', groups: ['ops'], isPrivileged: false });
  });

  test('may name somebody else if he may do everything anyway', async () => {
    for (const uid of [0, 999]) {
      expect(await (await known(uid)).callerOf(socket, 'bob')).toMatchObject({ user: 'bob', isPrivileged: true });
    }
  });

  test("may do everything if he is the cluster's own user", async () => {
    const identity = await known(90, { namesOf: () => Promise.resolve({ user: 'hacluster', groups: [] }) });
    expect(await identity.callerOf(socket, 'x')).toMatchObject({ user: 'hacluster', isPrivileged: true });
  });

  test('is nobody with rights where the kernel cannot be asked, except on a socket that only root opens', async () => {
    const shared = await known(undefined, { readUid: undefined });
    expect(shared.isSure).toBe(false);
    expect(await shared.callerOf(socket, 'bob')).toMatchObject({ isPrivileged: false, problem: expect.any(String) });
    const own = await known(undefined, { readUid: undefined, isPrivate: true });
    expect(own.isSure).toBe(true);
    expect(await own.callerOf(socket, 'bob')).toMatchObject({ user: 'bob', isPrivileged: true });
  });

  test('is asked of the system again after a while', async () => {
    let now = 0;
    let asked = 0;
    const identity = await known(1000, {
      now: () => now,
      namesOf: () => Promise.resolve({ user: `call${++asked}`, groups: [] }),
    });
    expect((await identity.callerOf(socket, '')).user).toBe('call1');
    expect((await identity.callerOf(socket, '')).user).toBe('call1');
    now = 60_000;
    expect((await identity.callerOf(socket, '')).user).toBe('call2');
  });

  test('is known of a real socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'systole-'));
    const path = join(folder, 'socket');
    const server = createServer();
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = connect(path);
    const mine = process.getuid?.() ?? 0;
    const identity = await Identity.create({ isPrivate: false, ownUid: mine, now: () => 0 });
    const caller = await identity.callerOf(await accepted, 'me');
    client.destroy();
    server.close();
    rmSync(folder, { recursive: true });
    expect(identity.isSure).toBe(true);
    expect(caller).toEqual({ user: 'me', groups: [], isPrivileged: true });
  });
});
