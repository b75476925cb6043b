import { Client, routes } from '@systole/api';
import type { AclPermission, Change } from '@systole/cib';
import { beforeEach, describe, expect, test } from 'vitest';
import { OneNode } from './one-node.ts';

let one: OneNode;
const clientOf = (user: string): Client =>
  new Client({
    request: async ({ method, path, body }) => {
      const response = await one.app.request(path, {
        method,
        headers: { 'content-type': 'application/json', 'x-systole-user': user },
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, body: await response.text() };
    },
    lines: async function* () {},
  });

const option = (name: string, value: string) => ({
  type: 'insert' as const,
  path: ['configuration', 'options'],
  value: { id: `set-${name}`, pairs: [{ id: `set-${name}-1`, name, value }] },
});
const changeOf = async (client: Client, edits: Change['edits']): Promise<Change> => ({
  base: (await client.cib()).version,
  edits,
});

/** Permissions are enforced, and bob has these. */
async function enforce(...permissions: readonly AclPermission[]): Promise<void> {
  const root = clientOf('root');
  const { configuration } = await root.cib();
  await root.replace({
    ...configuration,
    options: [{ id: 'o', pairs: [{ id: 'o-acl', name: 'enable-acl', value: 'true' }] }],
    acls: {
      roles: [
        { id: 'his', permissions: [{ kind: 'read', xpath: '//crm_config' }, ...permissions] },
        { id: 'admin', permissions: [{ kind: 'write', xpath: '/cib' }] },
      ],
      targets: [{ id: 'bob', roles: ['his'] }],
      groups: [],
    },
  });
}

beforeEach(() => {
  one = new OneNode();
  one.bound.add('bob');
});

describe('permissions of the configuration', () => {
  test('bind nobody until they are switched on', async () => {
    const bob = clientOf('bob');
    await bob.change(await changeOf(bob, [option('cluster-name', 'x')]));
    expect((await bob.configurations()).at(-1)).toMatchObject({ user: 'bob' });
  });

  test('refuse what they do not allow, with the role that would, and tell who tried', async () => {
    await enforce();
    const bob = clientOf('bob');
    const refused = bob.change(await changeOf(bob, [option('cluster-name', 'x')]));
    await expect(refused).rejects.toMatchObject({
      code: 'permission',
      message:
        'bob may not add cluster-name of cluster_property_set; the role admin would allow it: configure acl_target bob admin',
      details: { user: 'bob', roles: ['admin'] },
    });
    const events = await clientOf('root').events();
    expect(events.find(({ event }) => event === 'access.refused')).toMatchObject({ fields: { user: 'bob' } });
  });

  test('allow what they allow', async () => {
    await enforce({ kind: 'write', xpath: "//crm_config//nvpair[@name='cluster-name']" });
    const bob = clientOf('bob');
    await bob.change(await changeOf(bob, [option('cluster-name', 'x')]));
    expect((await clientOf('root').cib()).configuration.options).toHaveLength(2);
  });

  test('bind a whole configuration, an undo and the commands of agents as they bind a change', async () => {
    await enforce();
    const bob = clientOf('bob');
    const { configuration } = await clientOf('root').cib();
    const permission = { code: 'permission' };
    await expect(bob.replace({ ...configuration, options: [] })).rejects.toMatchObject(permission);
    await expect(bob.undo(0)).rejects.toMatchObject(permission);
    const words = ['attrd_updater', '', '-n', 'pingd', '-U', '1'];
    const call = words.map((word) => `${word.length}:${word},`).join('');
    const headers = { 'x-systole-user': 'bob' };
    const said = await (await one.app.request(routes.agentCommand, { method: 'POST', headers, body: call })).text();
    expect(said).toMatch(/e bob may not add pingd .*\nx [1-9]/s);
  });

  test('bind every deed', async () => {
    await enforce();
    const bob = clientOf('bob');
    const permission = { code: 'permission' };
    await expect(bob.setAttributes({ node: 'n1', values: { pingd: '1' } })).rejects.toMatchObject(permission);
    await expect(bob.cleanUp({})).rejects.toMatchObject(permission);
    await expect(bob.fence({ target: 'n1' })).rejects.toMatchObject(permission);
    await expect(bob.confirmDown('n1')).rejects.toMatchObject(permission);
    await expect(bob.quorumForce()).rejects.toMatchObject(permission);
    await expect(bob.quorumProceed()).rejects.toMatchObject(permission);
    await expect(bob.cleanFencingHistory()).rejects.toMatchObject(permission);
    await expect(bob.device({ device: 'd', action: 'list' })).rejects.toMatchObject(permission);
    await expect(bob.shutDown()).rejects.toMatchObject(permission);
    expect(one.isShutDown).toBe(false);
  });

  test('bind reading', async () => {
    await enforce();
    const bob = clientOf('bob');
    const seen = await bob.cib();
    expect(seen.configuration.options).toHaveLength(1);
    expect(seen.configuration.acls).toEqual({ roles: [], targets: [], groups: [] });
    expect((await bob.status()).nodes).toEqual([]);
    const permission = { code: 'permission' };
    await expect(bob.events()).rejects.toMatchObject(permission);
    await expect(bob.transitions()).rejects.toMatchObject(permission);
    await expect(bob.fencingHistory()).rejects.toMatchObject(permission);
    await expect(bob.configurations()).rejects.toMatchObject(permission);
  });

  test('keep a conflict from telling what is there', async () => {
    await enforce({ kind: 'write', xpath: "//nvpair[@name='cluster-name']" });
    const bob = clientOf('bob');
    const edit = { type: 'set' as const, path: ['configuration', 'acls', 'roles'], before: 'guess', after: 'x' };
    await expect(bob.change(await changeOf(bob, [edit]))).rejects.toMatchObject({ code: 'conflict' });
    const conflict = await bob.change(await changeOf(bob, [edit])).catch((error: unknown) => error);
    expect(JSON.stringify(conflict)).not.toContain('admin');
  });

  test('are named where a change stumbles over what is hidden', async () => {
    await enforce();
    const root = clientOf('root');
    const hidden = { id: 't', members: [] };
    await root.change(await changeOf(root, [{ type: 'insert', path: ['configuration', 'tags'], value: hidden }]));
    const bob = clientOf('bob');
    const edit = { type: 'insert' as const, path: ['configuration', 'tags'], value: { id: 't', members: ['x'] } };
    await expect(bob.change(await changeOf(bob, [edit]))).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining('bob may not change configuration.tags[t]'),
    });
  });

  test('that hide something are told in the status', async () => {
    await enforce();
    expect((await clientOf('bob').status()).messages).toMatchObject([
      { text: expect.stringContaining('bob is shown') },
    ]);
  });

  test('do not bind root', async () => {
    await enforce();
    const root = clientOf('root');
    await root.change(await changeOf(root, [option('cluster-name', 'x')]));
    expect(await root.events()).not.toEqual([]);
  });

  test('are not got around: by asking all nodes, by granting oneself a role, by switching them off, by an old configuration', async () => {
    await enforce({ kind: 'write', xpath: "//nvpair[@name='batch-limit']" });
    const bob = clientOf('bob');
    await expect(bob.gather('events')).rejects.toMatchObject({ code: 'permission' });
    await expect(bob.gatherInput('tr_12345678')).rejects.toMatchObject({ code: 'permission' });
    await expect(bob.gather('files')).rejects.toMatchObject({ code: 'permission' });
    const { configuration } = await clientOf('root').cib();
    const [target] = configuration.acls.targets;
    const acls = { ...configuration.acls, targets: [{ ...target, id: 'bob', roles: ['admin'] }] };
    await expect(bob.replace({ ...configuration, acls })).rejects.toMatchObject({ code: 'permission' });
    await expect(bob.replace({ ...configuration, options: [] })).rejects.toMatchObject({ code: 'permission' });
    const before = (await clientOf('root').configurations())[0]?.version.epoch ?? 0;
    await expect(bob.undo(before)).rejects.toMatchObject({ code: 'permission' });
    expect((await clientOf('root').cib()).configuration).toEqual(configuration);
  });
});
