import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { networkPreflight } from '../src/commands/preflight.ts';

const plan = { node: 'localhost', nodes: [], address: '127.0.0.1', multicast: undefined, isJoining: false };

test('a port that somebody has is told, with the way to find out who', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  try {
    expect(await networkPreflight({ ...plan, port })).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`UDP port ${port} of 127.0.0.1 is in use.*ss -ulpn`))]),
    );
  } finally {
    socket.close();
  }
  expect((await networkPreflight({ ...plan, port })).join()).not.toContain('in use');
});

test('a name that leads back to the machine itself, or nowhere, is told', async () => {
  const found = await networkPreflight({ ...plan, nodes: ['no-such-host.invalid'], port: 0 });
  expect(found.join('\n')).toMatch(/localhost resolves to (?:127\.0\.0\.1|::1) here/);
  expect(found.join('\n')).toMatch(/no-such-host\.invalid does not resolve here/);
});

test('an address that is not here is told', async () => {
  expect((await networkPreflight({ ...plan, address: '192.0.2.1', port: 5999 })).join()).toMatch(
    /192\.0\.2\.1 cannot be used/,
  );
});
