import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configurationSchema, readConfiguration, searchFolders } from '../src/configuration.ts';

const least = 'cluster: demo\nnode: n1\nlinks:\n  - address: 10.0.0.1\n    multicast: 239.255.1.1\n';

function problems(content: string): readonly string[] {
  const read = readConfiguration(content, '/etc/systole/systole.yaml');
  return read.ok ? [] : read.error;
}

describe('the file of a node', () => {
  test('needs a cluster and a link; all else has a default', () => {
    const read = readConfiguration(least, '/etc/systole/systole.yaml');
    expect(read).toMatchObject({
      ok: true,
      value: {
        node: 'n1',
        nodes: ['n1'],
        state: '/var/lib/systole',
        socket: '/run/systole/systole.sock',
        timing: { heartbeatMs: 50, suspectMs: 350 },
        links: [{ port: 5405, ttl: 1, mode: 'auto', isLoopback: false }],
      },
    });
  });

  test('may be JSON', () => {
    const content = JSON.stringify({
      cluster: 'demo',
      node: 'n1',
      links: [{ interface: 'eth0', peers: ['10.0.0.2'] }],
    });
    expect(readConfiguration(content, 'x.json')).toMatchObject({ ok: true, value: { links: [{ mode: 'unicast' }] } });
  });

  test('names paths relative to itself', () => {
    const read = readConfiguration(`${least}state: data\nkey: ../key\n`, '/srv/cluster/n1/systole.yaml');
    expect(read).toMatchObject({ ok: true, value: { state: '/srv/cluster/n1/data', key: '/srv/cluster/key' } });
  });

  test('is refused with the line and the setting that nobody knows', () => {
    expect(problems(`${least}tokens: 1000\n`)).toEqual([
      '/etc/systole/systole.yaml:1: the file has no setting "tokens"',
    ]);
    expect(problems(least.replace('    multicast', '    multicats'))[0]).toMatch(
      /^\/etc\/systole\/systole\.yaml:4: .*multicats/,
    );
  });

  test('is refused where a link leads nowhere', () => {
    expect(problems('cluster: demo\nnode: n1\nlinks:\n  - address: 10.0.0.1\n')).toEqual([
      '/etc/systole/systole.yaml: links.0 needs a multicast group or peers',
    ]);
  });

  test('is refused where YAML is not', () => {
    expect(problems('cluster: [demo\n')[0]).toMatch(/systole\.yaml:\d/);
  });

  test('takes custom timing, and refuses one that accuses at the first loss', () => {
    const custom = readConfiguration(
      `${least}timing: { profile: custom, heartbeat: 100, suspect: 1s, suspect_max: 3s }\n`,
      'x',
    );
    expect(custom).toMatchObject({
      ok: true,
      value: { timing: { heartbeatMs: 100, suspectMs: 1000, suspectMaxMs: 3000 } },
    });
    expect(problems(`${least}timing: { heartbeat: 100, suspect: 150 }\n`)[0]).toMatch(/suspect ≥ 3 heartbeats/);
  });
});

test('every setting is documented', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  const names = (node: unknown): readonly string[] => {
    if (typeof node !== 'object' || node === null) return [];
    const properties = 'properties' in node ? Object.keys(node.properties as object) : [];
    return [...properties, ...Object.values(node).flatMap(names)];
  };
  const all = new Set(names(configurationSchema));
  expect(all.size).toBeGreaterThan(30);
  expect(
    [...all].filter(
      (name) =>
        !page.includes(`| \`${name}\``) &&
        !page.includes(`\`${name}\` lists`) &&
        !page.includes(`\`${name}\` says`) &&
        !page.includes(`\`${name}\` chooses`) &&
        !page.includes(`fields of \`${name}\``),
    ),
  ).toEqual([]);
});

test('folders of agents are sorted by what is in them', () => {
  expect(searchFolders(['/opt/ocf', '/srv/init.d', '/opt/other/resource.d'])).toEqual({
    lsb: ['/srv/init.d'],
    ocf: ['/opt/ocf/resource.d', '/opt/other/resource.d'],
    fence: ['/opt/ocf', '/opt/other/resource.d'],
  });
});
