import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type KeeperEvents, LinkKeeper } from '../../src/host/link-keeper.ts';
import type { LinkSockets } from '../../src/host/udp.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const link = (id: number, more: Partial<LinkSockets> = {}): LinkSockets => ({
  link: id,
  address: '127.0.0.1',
  port: 5405,
  ttl: 1,
  isLoopback: true,
  ...more,
});

function keeper(): { readonly keeper: LinkKeeper; readonly changes: string[]; readonly problems: string[] } {
  const changes: string[] = [];
  const problems: string[] = [];
  const events: KeeperEvents = {
    received: () => undefined,
    failed: () => undefined,
    changed: (id, up) => changes.push(`${id} ${up ? 'up' : 'down'}`),
    problem: (text) => problems.push(text),
  };
  const made = new LinkKeeper(events);
  open.push(made);
  return { keeper: made, changes, problems };
}

describe('the sockets of the links', () => {
  test('are opened where the address is, and waited for where it is not', async () => {
    const { keeper: kept, changes, problems } = keeper();
    await kept.configure([link(0), link(1, { address: '192.0.2.1' }), link(2, { address: '', interface: 'nowhere0' })]);
    expect(changes).toEqual(['0 up', '1 down', '2 down']);
    expect(problems).toEqual([
      'link 1 is down: 192.0.2.1 is not on this machine',
      'link 2 is down: nowhere0 is not on this machine',
    ]);
    expect([0, 1, 2].map((id) => kept.isWaiting(id))).toEqual([false, true, true]);
    kept.look();
    await kept.configure([link(0), link(1, { address: '192.0.2.1' })]);
    expect(problems).toHaveLength(2); // said once
  });

  test('use whatever address an interface has', async () => {
    const { keeper: kept, changes } = keeper();
    await kept.configure([link(3, { address: '', interface: 'lo' })]);
    expect(changes).toEqual(['3 up']);
  });

  test('that are in use by another program are told, and taken when they are free', async () => {
    const other = createSocket('udp4').bind({ address: '127.0.0.1', port: 0, exclusive: true });
    await once(other, 'listening');
    const { port } = other.address();
    const { keeper: kept, changes, problems } = keeper();
    await kept.configure([link(0, { port, isLoopback: false })]);
    expect(problems.join()).toContain('EADDRINUSE');
    expect(kept.isWaiting(0)).toBe(false);
    other.close();
    await vi.waitFor(() => expect(changes).toEqual(['0 down', '0 up']), 3000);
  });

  test('are changed in a running node: added, moved, removed', async () => {
    const { keeper: kept, changes } = keeper();
    await kept.configure([link(0)]);
    await kept.configure([link(0), link(1)]);
    await kept.configure([link(0), link(1, { address: '127.0.0.2' })]);
    expect(changes).toEqual(['0 up', '1 up', '1 up']);
    await kept.configure([link(1, { address: '127.0.0.2' })]);
    expect(kept.problems.size).toBe(0);
  });
});
