import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/cluster.ts';
import { until } from '../lab/command.ts';
import { buildPrograms } from '../support/build.ts';
import { notHere } from './cluster.ts';

const dummy = `
primitive d1 ocf:systole:dummy op monitor interval=10s
property fencing-enabled=false
`;

/** Leaving moves resources away or stops them first; dummies take no time. */
const LEAVE_MAX_MS = 15_000;

describe.skipIf(notHere !== undefined)('the built programs', () => {
  test('plan, start a resource, and leave in order when they are told to', async () => {
    const nodes = ['n1', 'n2', 'n3'];
    const lab = await Lab.open({ nodes, programs: await buildPrograms() });
    try {
      await Promise.all(nodes.map((node) => lab.startDaemon(node)));
      await lab.settled(nodes);
      await lab.systole('n1', 'configure', 'load', 'update', await lab.file('d.crm', dummy));
      const runsOn = (): Promise<string> =>
        until('d1 runs', async () => {
          const status = await lab.status('n3');
          return status?.resources.find((one) => (one.id ?? one.rsc) === 'd1' && one.role === 'Started')?.nodes[0];
        });
      await runsOn();
      for (const [node, signal] of [
        ['n1', 'INT'],
        ['n2', 'TERM'],
      ] as const) {
        const { ended } = lab.daemon(node);
        let code: number | null | undefined;
        void ended.then((outcome) => (code = outcome.code));
        await lab.signalDaemon(node, signal);
        await until(`${node} has left`, () => code !== undefined, LEAVE_MAX_MS);
        expect(code).toBe(0);
      }
      expect(lab.log.filter(({ event }) => event === 'schedule.failed')).toEqual([]);
    } finally {
      await lab.close();
    }
  });
});
