import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startGuest } from '../lab/guest/guest.ts';
import { notHere } from './cluster.ts';
import { hostile, rulesets } from './guest/rulesets-list.ts';

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
      expect(found.get('six: 9 requests by round robin')).toEqual(evenly);
      expect(found.get('12 requests by weight')).toEqual({ r1: 6, r2: 4, r3: 2 });
      expect(Object.keys(found.get('6 requests without it') as object).toSorted()).toEqual(['r1', 'r3']);
      expect(found.get('6 requests through the other director')).toEqual({ r1: 3, r2: 2, r3: 1 });
      expect(found.get('end')).toBe(true);
    },
    7 * minutes,
  );

  test(
    'load rulesets of every kind as they are written, refuse those that cannot be, and leave the services of others alone',
    async () => {
      const found = await inGuest('test/netns/guest/rulesets.ts');
      const others = '-A -t 10.9.9.9:99 -s rr';
      for (const { name, rules } of rulesets) {
        const wanted = rules.filter((line) => line.startsWith('-')).toSorted();
        const { codes, said, loaded, changed, left } = found.get(name) as LoadedRuleset;
        expect({ name, codes, said, left }).toEqual({ name, codes: [7, 0, 0, 0, 0, 0, 7], said: [], left: others });
        if (wanted.length > 0) expect(loaded.map(plainRule).toSorted(), name).toEqual(wanted.map(plainRule).toSorted());
        // What is missing is named.
        expect(changed.code, name).toBeGreaterThan(0);
        if (changed.code === 1)
          expect(changed.said).toMatch(/^ocf-exit-reason:the kernel's rules are not the wanted ones: missing: -/u);
      }
      for (const { name } of hostile) {
        const { code, said, left, stopped } = found.get(name) as RefusedRuleset;
        expect({ name, code, left, stopped }).toEqual({ name, code: 6, left: others, stopped: 0 });
        expect(said, name).toMatch(/^ocf-exit-reason:/u);
      }
      expect(found.get('shared service')).toEqual([
        0,
        { code: 6, said: 'ocf-exit-reason:the service -t 10.0.0.100:80 belongs to the resource one' },
        0,
        0,
        0,
      ]);
      expect(found.get('reload')).toEqual([
        0,
        { code: 0, said: '' },
        { code: 0, said: '' },
        [
          '-A -t 10.0.0.100:80 -s rr',
          others,
          '-a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 5',
          '-a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1',
        ],
        6,
        0,
        0,
      ]);
      expect(found.get('connection sync')).toEqual([
        7,
        0,
        0,
        0,
        [expect.stringContaining('backup sync daemon (mcast=lo, syncid=7'), expect.stringContaining('ttl=2')],
        'ocf-exit-reason:the backup of the connection sync does not run',
        0,
        0,
        7,
      ]);
      expect(found.get('end')).toBe(true);
    },
    7 * minutes,
  );
});

interface LoadedRuleset {
  readonly codes: readonly number[];
  readonly said: readonly string[];
  readonly loaded: readonly string[];
  readonly changed: { readonly code: number; readonly said: string };
  readonly left: string;
}

interface RefusedRuleset {
  readonly code: number;
  readonly said: string;
  readonly left: string;
  readonly stopped: number;
}

/** `ipvsadm -S` does not print thresholds and kinds of tunnel. */
const plainRule = (line: string): string => line.replace(/ (?:-x|--tun-type|--tun-csum) .*/u, '');
