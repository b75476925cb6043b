import { describe, expect, test } from 'vitest';
import { type Datagram, Link } from '../../src/host/udp.ts';

const group = '239.255.77.9';
const port = 41_977;

function collector() {
  const received: Datagram[] = [];
  const failures: string[] = [];
  return {
    received,
    failures,
    events: {
      received: (datagram: Datagram) => void received.push(datagram),
      failed: (_link: number, code: string) => void failures.push(code),
    },
  };
}

const options = (more: object = {}) => ({
  link: 0,
  address: '127.0.0.1',
  port,
  group,
  ttl: 1,
  isLoopback: true,
  ...more,
});

describe('the sockets of a link', () => {
  test('carry multicast between nodes on one host, and answers to one of them alone', async () => {
    const [one, two] = [collector(), collector()];
    const [a, b] = [await Link.open(options(), one.events), await Link.open(options(), two.events)];
    try {
      a.send('multicast', Buffer.from('hello'));
      await expect.poll(() => two.received.length).toBe(1);
      const [hello] = two.received;
      expect(hello).toMatchObject({ link: 0, via: 'multicast', from: { host: '127.0.0.1', port: a.port } });
      b.send(hello?.from ?? 'multicast', Buffer.from('you'));
      await expect.poll(() => one.received.some((datagram) => datagram.via === 'unicast')).toBe(true);
      expect(two.received.filter((datagram) => datagram.via === 'unicast')).toEqual([]);
    } finally {
      a.close();
      b.close();
    }
  });

  test('say so when an address is not there or a group is not configured', async () => {
    const { events, failures } = collector();
    await expect(Link.open(options({ address: '192.0.2.1' }), events)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
    const link = await Link.open({ link: 0, address: '127.0.0.1', port, ttl: 1, isLoopback: true }, events);
    link.send('multicast', Buffer.from('x'));
    link.close();
    expect(failures).toEqual(['ENOGROUP']);
  });
});
