import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startGuest } from '../lab/guest/guest.ts';
import { notHere } from './cluster.ts';

const missing = ['/usr/bin/linux.uml', '/usr/sbin/ipvsadm', '/usr/bin/arping', '/usr/bin/curl'].find(
  (path) => !existsSync(path),
);
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

/** Runs a program of ours in a kernel of its own; answers with what it found out. */
async function inGuest(program: string): Promise<ReadonlyMap<string, unknown>> {
  await using guest = startGuest([program], { seconds: 400 });
  const code = await guest.ended;
  if (code !== 0) throw new Error(guest.text());
  return guest.all;
}

const minutes = 60_000;

describe.skipIf(reason !== undefined)('an IPVS director and its real servers, on a kernel with IPVS', () => {
  test(
    'balance real packets in every way of forwarding, follow the health of servers, and survive the director',
    async () => {
      const found = await inGuest('test/netns/guest/ipvs.ts');
      const evenly = { r1: 3, r2: 3, r3: 3 };
      expect(found.get('dr: 9 requests by round robin')).toEqual(evenly);
      expect(found.get('nat: 9 requests by round robin')).toEqual(evenly);
      expect(found.get('tun: 9 requests by round robin')).toEqual(evenly);
      expect(found.get('12 requests by weight')).toEqual({ r1: 6, r2: 4, r3: 2 });
      expect(Object.keys(found.get('6 requests without it') as object).toSorted()).toEqual(['r1', 'r3']);
      expect(found.get('6 requests through the other director')).toEqual({ r1: 3, r2: 2, r3: 1 });
      expect(found.get('end')).toBe(true);
    },
    7 * minutes,
  );
});
