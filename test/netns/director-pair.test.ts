import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import { directorTrial, openConnections } from '../lab/director-trial.ts';
import { guestStartMs } from '../lab/guest-speed.ts';
import { buildPrograms } from '../support/build.ts';
import { notHere } from './cluster.ts';

const missing = ['/usr/bin/linux.uml', '/usr/sbin/ipvsadm', '/usr/bin/arping', '/usr/bin/socat'].find(
  (path) => !existsSync(path),
);
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const minutes = 60_000;

/** Directors on kernels of their own stand still now and then where many share a processor: that shall not count as death. */
const timing = { profile: 'custom', suspect: '2s', suspect_max: '6s' };

/** Above that a director that probes its agents is silent for longer than that. `SYSTOLE_DIRECTORS=1` tries all the same. */
const startMsMax = 15;

/** Tunnels need four kernels of their own, as the host's may not know them; the others need two. */
const canTunnel = availableParallelism() >= 4;

describe.skipIf(reason !== undefined)('a pair of directors, as in examples/lvs-pair', () => {
  // From its sources the daemon takes minutes to start on such a kernel where the processor is slow; built, seconds.
  let programs = '';
  let startMs = 0;
  beforeAll(async () => {
    programs = await buildPrograms();
    if (process.env['SYSTOLE_DIRECTORS'] === undefined) startMs = await guestStartMs();
  });

  test.for(['dr', 'nat', 'tun'] as const)(
    '%s: clients are served through the other director when the active one goes, and their connections go on',
    { timeout: 8 * minutes },
    async (method, { skip }) => {
      if (startMs > startMsMax) skip(`a kernel of its own takes ${Math.round(startMs)} ms to start a program here`);
      if (method === 'tun' && !canTunnel) skip('four kernels at once stand still for too long on so few processors');
      const { activeAtFirst, takeovers, deadServer } = await directorTrial({
        method,
        manager: 'systole',
        timing,
        programs,
      });
      const [standby, power] = takeovers;
      const other = activeAtFirst === 'lb1' ? 'lb2' : 'lb1';
      const told = { connectionsAlive: openConnections, isNeighbourTold: true };
      expect(standby).toMatchObject({ fault: 'standby', from: activeAtFirst, to: other, ...told });
      expect(power).toMatchObject({ fault: 'power', from: other, to: activeAtFirst, ...told });
      // Once a dead server is out, nobody is sent to it.
      expect(deadServer?.refusedOnceOut).toBe(0);
      if (method === 'tun') expect(deadServer?.sorry).toMatch(/^lb[12]$/u);
    },
  );
});
