import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, routes, type StoredInput } from '@systole/api';
import { beforeEach, describe, expect, test } from 'vitest';
import { InputStore } from '../../src/host/policy-inputs.ts';
import { OneNode } from './one-node.ts';

let one: OneNode;
let client: Client;
beforeEach(() => {
  one = new OneNode();
  client = new Client({
    request: async ({ method, path, body }) => {
      const response = await one.app.request(path, {
        method,
        headers: { 'content-type': 'application/json', 'x-systole-user': 'tester' },
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, body: await response.text() };
    },
    lines: async function* () {},
  });
});

const option = (name: string, value: string) => ({
  type: 'insert' as const,
  path: ['configuration', 'options'],
  value: { id: `set-${name}`, pairs: [{ id: `set-${name}-1`, name, value }] },
});

describe('the interface', () => {
  test('says how the cluster is', async () => {
    expect(await client.status()).toMatchObject({
      format: 'systole-status/1',
      cluster: 'test',
      node: 'n1',
      dc: 'n1',
      quorate: true,
      nodes: [{ name: 'n1', state: 'online', isDc: true }],
      transition: { state: 'idle' },
    });
  });

  test('tells what all members remember, and packs a report', async () => {
    const { parts, missing } = await client.gather('events');
    expect(missing).toEqual([]);
    expect(parts.map(({ node }) => node)).toEqual(['n1']);
    expect(parts[0]?.events?.map(({ event }) => event)).toContain('dc.elected');

    const files = (await client.gather('files')).parts[0]?.files ?? {};
    expect(Object.keys(files)).toEqual(expect.arrayContaining(['events.jsonl', 'messaging.json', 'metrics.txt']));
    await expect(client.gather('bogus' as 'files')).rejects.toThrow('what is events, files, inputs');
  });

  test('tells which inputs of decisions are kept, and one of them whole, or why it cannot', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'systole-app-'));
    try {
      one.inputs = join(parent, 'policy-inputs');
      expect((await client.gather('inputs')).parts).toEqual([{ node: 'n1', inputs: [] }]);
      const facts = { number: 2, node: 'n1', at: 5000, cause: 'a test', release: '1', decision: 'x' };
      const stored: StoredInput = {
        format: 'systole-input/1',
        transition: 'tr_12345678',
        ...facts,
        cib: one.node.cib,
      };
      await new InputStore(one.inputs).keep(stored);

      const [{ inputs } = {}] = (await client.gather('inputs')).parts;
      expect(inputs).toMatchObject([{ transition: 'tr_12345678', number: 2, at: 5000, serial: 1 }]);
      expect((await client.gather('inputs', 5001)).parts[0]?.inputs).toEqual([]);
      expect((await client.gatherInput('tr_12345678')).parts).toEqual([{ node: 'n1', input: stored }]);
      expect((await client.gatherInput('tr_other')).parts).toEqual([{ node: 'n1' }]);
      await expect(client.gatherInput('../key')).rejects.toThrow('what is events');

      const [name = ''] = readdirSync(one.inputs);
      writeFileSync(join(one.inputs, name), 'torn');
      expect((await client.gatherInput('tr_12345678')).parts[0]?.problem).toMatch(/cannot be read/);
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  test('makes a change, and knows who made it', async () => {
    const { version } = await client.cib();
    const change = { base: version, edits: [option('cluster-name', 'x')] };
    expect(await client.change(change, { command: 'property cluster-name=x' })).toMatchObject({
      text: expect.any(String),
    });

    expect((await client.cib()).configuration.options).toHaveLength(1);
    expect((await client.configurations()).at(-1)).toMatchObject({
      user: 'tester',
      command: 'property cluster-name=x',
    });
  });

  test('refuses a change that meets another state, with the difference', async () => {
    const { version } = await client.cib();
    const change = { base: version, edits: [option('cluster-name', 'x')] };
    await client.change(change);
    await expect(client.change(change)).rejects.toMatchObject({
      code: 'conflict',
      details: { conflicts: [{ path: expect.any(String) }] },
    });
  });

  test('refuses a change of a configuration that is no longer of that epoch', async () => {
    const { version } = await client.cib();
    const change = { base: version, edits: [option('cluster-name', 'x')] };
    await expect(client.change(change, { ifEpoch: version.epoch + 5 })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('refuses a configuration that refers to what is not there', async () => {
    const { configuration } = await client.cib();
    const constraints = [{ kind: 'location' as const, id: 'l', resource: 'nothing', node: 'n1', score: 5, rules: [] }];
    await expect(client.replace({ ...configuration, constraints })).rejects.toMatchObject({ code: 'invalid' });
  });

  test('takes back a change', async () => {
    const { version } = await client.cib();
    await client.change({ base: version, edits: [option('cluster-name', 'x')] });
    await client.undo(version.epoch);
    expect((await client.cib()).configuration.options).toEqual([]);
  });

  test('sets attributes of members, and of nobody else', async () => {
    await client.setAttributes({ node: 'n1', values: { pingd: '100' } });
    const [state] = (await client.cib()).status.nodes;
    expect(state?.transientAttributes[0]?.pairs).toMatchObject([{ name: 'pingd', value: '100' }]);
    await expect(client.setAttributes({ node: 'n9', values: { pingd: '1' } })).rejects.toMatchObject({
      code: 'notFound',
    });
  });

  test('returns from waiting when the cluster is idle, and not before', async () => {
    expect(await client.waitUntilIdle(1000)).toBe(true);
  });

  test('tells what has happened', async () => {
    const events = await client.events();
    expect(events.map(({ event }) => event)).toContain('dc.elected');
    const last = events.at(-1)?.number ?? 0;
    expect(await client.events(last + 1)).toEqual([]);
  });

  test('hands over the wish to leave', async () => {
    await client.shutDown();
    expect(one.isShutDown).toBe(true);
  });
});

describe('a request that makes no sense', () => {
  test.for([
    ['is no JSON', routes.change, '{ half', 400],
    ['lacks a field', routes.change, {}, 400],
    ['has a field too many', routes.fence, { target: 'n1', hard: true }, 400],
    ['asks for an action that does not exist', routes.fence, { target: 'n1', action: 'explode' }, 400],
    ['goes nowhere', '/v1/nowhere', {}, 404],
  ] as const)('because it %s is answered with what is wrong', async ([, path, body, status]) => {
    const answer = await one.post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.body['error']).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/.{5}/) });
  });
});
