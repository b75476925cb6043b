import { describe, expect, test } from 'vitest';
import { OneNode } from '../http/one-node.ts';

describe('a node that is told to stop', () => {
  test('leaves once the DC, here itself, says that nothing runs on it', () => {
    const one = new OneNode();
    one.give({ type: 'shutDown', reason: 'SIGTERM' });
    one.run(2000);
    expect(one.stopped).toMatchObject({ exitCode: 0 });
  });

  test('a second time leaves cleanly only if nothing runs on it', async () => {
    const one = new OneNode();
    const { body } = await one.get('/v1/cib');
    const { version } = (body as { cib: { version: object } }).cib;
    const web = {
      kind: 'primitive',
      id: 'web',
      agent: { class: 'ocf', provider: 'systole', type: 'dummy' },
      meta: [],
      parameters: [],
      utilization: [],
      operations: { list: [] },
    };
    const fencing = { id: 'o', pairs: [{ id: 'o-1', name: 'fencing-enabled', value: 'false' }] };
    const edits = [
      { type: 'insert', path: ['configuration', 'options'], value: fencing },
      { type: 'insert', path: ['configuration', 'resources'], value: web },
    ];
    expect((await one.post('/v1/cib/change', { change: { base: version, edits } })).status).toBe(200);
    one.run(1000);
    expect(one.processes.map(({ argv }) => argv.at(-1))).toContain('start');

    one.give({ type: 'shutDown', reason: 'SIGTERM' });
    one.give({ type: 'shutDown', reason: 'SIGTERM' });
    expect(one.stopped).toMatchObject({ exitCode: 1 });
  });
});
