import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changed, NodeFile } from '../../src/host/node-file.ts';
import { preparedLinks } from '../../src/host/links.ts';

const text = `# the first node
cluster: demo
node: n1
nodes: [n1, n2]
links:
  - interface: eth0 # the rack's switch
    multicast: 239.255.77.1
quorum: { two_node: true }
`;
const add = {
  type: 'setLink',
  link: 1,
  isNew: true,
  addresses: { n1: '10.1.0.1', n2: '10.1.0.2' },
  options: { port: 5406, priority: 3 },
} as const;

const after = (from: string, ...changes: Parameters<typeof changed>[2][]): ReturnType<typeof changed> => {
  let result = changed(from, '/etc/systole/systole.yaml', changes[0] as (typeof changes)[0]);
  for (const change of changes.slice(1))
    if (result.ok) result = changed(result.value.text, '/etc/systole/systole.yaml', change);
  return result;
};

describe('the node’s file, changed while the daemon runs', () => {
  test('gains a link to the others, and keeps its comments', () => {
    const result = after(text, add);
    if (!result.ok) throw new Error(result.error);
    expect(result.value.text).toContain('# the first node');
    expect(result.value.text).toContain("# the rack's switch");
    expect(preparedLinks(result.value.configuration).links[1]).toMatchObject({
      id: 1,
      mode: 'unicast',
      priority: 3,
      peers: [{ address: { host: '10.1.0.2', port: 5406 } }],
    });
    expect(preparedLinks(result.value.configuration).sockets[1]).toMatchObject({ address: '10.1.0.1', port: 5406 });
  });

  test('keeps the numbers of its links when one before them goes', () => {
    const result = after(text, add, { type: 'removeLink', link: 0 });
    if (!result.ok) throw new Error(result.error);
    expect(result.value.configuration.links.map(({ id }) => id)).toEqual([1]);
  });

  test('of a changed link keeps what was not said', () => {
    const result = after(text, add, { ...add, isNew: false, addresses: { n2: '10.1.0.9' }, options: { mtu: 9000 } });
    if (!result.ok) throw new Error(result.error);
    expect(result.value.configuration.links[1]).toMatchObject({
      address: '10.1.0.1',
      port: 5406,
      mtu: 9000,
      peers: ['10.1.0.9'],
    });
  });

  test('stays JSON where it is JSON', () => {
    const json = JSON.stringify({
      cluster: 'demo',
      node: 'n1',
      nodes: ['n1', 'n2'],
      links: [{ address: '10.0.0.1', peers: ['10.0.0.2'] }],
    });
    const result = after(json, add);
    if (!result.ok) throw new Error(result.error);
    expect(JSON.parse(result.value.text)).toMatchObject({
      links: [{ id: 0 }, { id: 1, address: '10.1.0.1', peers: ['10.1.0.2'] }],
    });
  });

  test('is as before where the same is asked for again', () => {
    const [once, twice] = [after(text, add), after(text, add, add)];
    expect(once.ok && twice.ok && once.value.text === twice.value.text).toBe(true);
  });

  test.for([
    [{ type: 'removeLink', link: 0 }, /the only one/],
    [{ ...add, options: { colour: 'red' } }, /no option colour/],
    [{ ...add, link: 5, isNew: false }, /no link 5/],
    [{ ...add, link: 0 }, /link 0 already/],
    [{ ...add, options: { port: 99_999 } }, /port/],
    [{ type: 'setValue', name: 'key', value: '/tmp/other' }, /cannot be changed/],
    [{ type: 'setValue', name: 'timing.suspect', value: '20ms' }, /suspect/],
  ] as const)('refuses %j', ([change, message]) => {
    const result = after(text, change);
    expect(result.ok ? '' : result.error).toMatch(message);
  });

  test('sets a value, and takes it back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'systole-file-'));
    try {
      const path = join(folder, 'systole.yaml');
      await writeFile(path, text);
      const file = new NodeFile(path);
      const applied = await file.apply({ type: 'setValue', name: 'timing.suspect', value: '500ms' });
      expect(applied.ok && applied.value.timing.suspectMs).toBe(500);
      expect(await readFile(path, 'utf8')).toContain('suspect: 500ms');
      const undone = await file.undo();
      expect(undone.ok && undone.value.timing.suspectMs).toBe(350);
      expect(await readFile(path, 'utf8')).toBe(text);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
