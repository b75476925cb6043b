import { describe, expect, test } from 'vitest';
import {
  type AclPermission,
  type Cib,
  type Configuration,
  emptyCib,
  importCib,
  isAclEnabled,
  judge,
  type Primitive,
  readableCib,
  refusalText,
} from '../src/index.ts';

const imported = importCib(`<cib epoch="5">
  <configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-acl" name="enable-acl" value="true"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
    <resources>
      <primitive id="web" class="ocf" provider="heartbeat" type="Dummy">
        <meta_attributes id="web-m"><nvpair id="web-m-r" name="target-role" value="Started"/></meta_attributes>
        <instance_attributes id="web-p">
          <nvpair id="web-p-state" name="state" value="/tmp/x"/><nvpair id="web-p-passwd" name="passwd" value="hidden"/>
        </instance_attributes>
        <operations><op id="web-mon" name="monitor" interval="10s"/></operations>
      </primitive>
      <group id="g"><primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="app" class="ocf" provider="heartbeat" type="Dummy"/></group>
    </resources>
    <constraints><rsc_location id="l" rsc="web" node="n1" score="5"/></constraints>
  </configuration>
  <status>
    <node_state id="1" uname="n1"><lrm id="1"><lrm_resources>
      <lrm_resource id="web" class="ocf" provider="heartbeat" type="Dummy"/><lrm_resource id="db" class="ocf" provider="heartbeat" type="Dummy"/>
    </lrm_resources></lrm></node_state>
  </status>
</cib>`);
if (!imported.ok) throw new Error(imported.error.message);
const plain = imported.value.cib;

const bob = { user: 'bob', groups: ['ops'] };
type Permission = Omit<AclPermission, 'kind'>;
const read = (about: Permission): AclPermission => ({ kind: 'read', ...about });
const write = (about: Permission): AclPermission => ({ kind: 'write', ...about });
const deny = (about: Permission): AclPermission => ({ kind: 'deny', ...about });

/** Bob has one role with these permissions. */
const when = (...permissions: readonly AclPermission[]): Cib =>
  configured(plain, {
    acls: { roles: [{ id: 'his', permissions }], targets: [{ id: 'bob', roles: ['his'] }], groups: [] },
  });
const configured = (cib: Cib, part: Partial<Configuration>): Cib => ({
  ...cib,
  configuration: { ...cib.configuration, ...part },
});
const web = (cib: Cib): Primitive => cib.configuration.resources.find(({ id }) => id === 'web') as Primitive;
const withWeb = (cib: Cib, part: Partial<Primitive>): Cib =>
  configured(cib, {
    resources: cib.configuration.resources.map((each) =>
      each.id === 'web' ? ({ ...each, ...part } as Primitive) : each,
    ),
  });
const metaOf = (...pairs: readonly (readonly [name: string, value: string])[]): Pick<Primitive, 'meta'> => ({
  meta: [
    {
      id: 'web-m',
      pairs: pairs.map(([name, value]) => ({ id: name === 'target-role' ? 'web-m-r' : `web-m-${name}`, name, value })),
    },
  ],
});
const change = (before: Cib, make: (cib: Cib) => Cib) => judge(before, bob, { type: 'change', after: make(before) });
const stopped = (cib: Cib): Cib => withWeb(cib, metaOf(['target-role', 'Stopped']));
const all = { xpath: '/cib' };
const targetRole = { xpath: "//primitive[@id='web']/meta_attributes/nvpair[@name='target-role']" };

describe('permissions', () => {
  test('are enforced if the configuration says so', () => {
    expect(isAclEnabled(plain.configuration)).toBe(true);
    expect(isAclEnabled(emptyCib.configuration)).toBe(false);
  });

  test('that nobody gave are denied', () => {
    expect(change(plain, stopped)?.refused).toEqual(['write target-role of meta_attributes of primitive web']);
    expect(change(when(read(all)), stopped)?.refused).toHaveLength(1);
  });

  test('to write all allow all', () => {
    expect(change(when(write(all)), stopped)).toBeUndefined();
    expect(change(when(write(all)), () => plain)).toBeUndefined();
  });

  test('to write one value allow that value and nothing beside it', () => {
    const cib = when(read(all), write(targetRole));
    expect(change(cib, stopped)).toBeUndefined();
    expect(change(cib, (now) => withWeb(now, metaOf(['target-role', 'Started'], ['priority', '5'])))?.refused).toEqual([
      'add priority of meta_attributes of primitive web',
    ]);
    expect(change(cib, (now) => withWeb(now, { agent: { class: 'lsb', type: 'x' } }))?.refused).toEqual([
      'write primitive web',
    ]);
  });

  test('to write a value allow the first of its kind too', () => {
    const bare = withWeb(when(write(targetRole)), { meta: [] });
    expect(change(bare, stopped)).toBeUndefined();
    expect(change(stopped(bare), (now) => withWeb(now, { meta: [] }))).toBeUndefined();
  });

  test('are not gained by renaming something to what is allowed, nor from it', () => {
    const cib = when(read(all), write(targetRole));
    const renamed = withWeb(cib, { meta: [{ id: 'web-m', pairs: [{ id: 'web-m-r', name: 'priority', value: '9' }] }] });
    expect(change(cib, () => renamed)).toBeDefined();
    expect(judge(renamed, bob, { type: 'change', after: cib })).toBeDefined();
  });

  test('that deny win on one element, and the nearest wins over the one around it', () => {
    const reference = { reference: 'web' };
    expect(change(when(write(reference), deny(reference)), stopped)).toBeDefined();
    expect(change(when(deny(all), write(reference)), stopped)).toBeUndefined();
    expect(change(when(write(all), deny(targetRole)), stopped)).toBeDefined();
    expect(change(when(write(all), read(targetRole)), stopped)).toBeUndefined();
  });

  test('name objects by type and attribute', () => {
    expect(change(when(write({ objectType: 'nvpair' })), stopped)).toBeUndefined();
    expect(change(when(write({ objectType: 'nvpair', attribute: 'nothing' })), stopped)).toBeDefined();
    const moved = (cib: Cib): Cib => configured(cib, { constraints: [] });
    expect(change(when(write({ objectType: 'rsc_location', attribute: 'score' })), moved)).toBeUndefined();
  });

  test('to remove something are needed for all that is inside', () => {
    const cib = when(write(all), deny({ xpath: "//nvpair[@name='passwd']" }));
    const without = (now: Cib): Cib => configured(now, { resources: now.configuration.resources.slice(1) });
    expect(change(cib, without)?.refused).toEqual(['remove passwd of instance_attributes of primitive web']);
  });

  test('are needed for the order of things', () => {
    const turned = (cib: Cib): Cib =>
      configured(cib, {
        resources: cib.configuration.resources.map((each) =>
          each.kind === 'group' ? { ...each, members: each.members.toReversed() } : each,
        ),
      });
    expect(change(when(read(all), write({ reference: 'db' }), write({ reference: 'app' })), turned)?.refused).toEqual([
      'write group g',
    ]);
    expect(change(when(write({ reference: 'g' })), turned)).toBeUndefined();
  });

  test('of somebody are only changed by who may write all of them', () => {
    const cib = when(read(all), write({ reference: 'admin' }), write({ reference: 'bob' }));
    const raised = (now: Cib): Cib =>
      configured(now, {
        acls: {
          ...now.configuration.acls,
          roles: [...now.configuration.acls.roles, { id: 'admin', permissions: [write(all)] }],
          targets: [{ id: 'bob', roles: ['his', 'admin'] }],
        },
      });
    expect(change(cib, raised)?.refused).toEqual(['write acls']);
    expect(change(when(write({ xpath: '//acls' })), raised)).toBeUndefined();
  });

  test('come with groups, by the name that the system knows', () => {
    const shared: Cib = configured(when(), {
      acls: {
        roles: [{ id: 'his', permissions: [write(all)] }],
        targets: [],
        groups: [{ id: 'operators', name: 'ops', roles: ['his'] }],
      },
    });
    expect(change(shared, stopped)).toBeUndefined();
    expect(judge(shared, { user: 'eve', groups: [] }, { type: 'change', after: stopped(shared) })).toBeDefined();
  });

  test('that cannot be understood grant nothing, and deny everything', () => {
    const strange = { xpath: '//primitive[position()=1]' };
    expect(change(when(write(strange)), stopped)).toBeDefined();
    expect(change(when(write(all), deny(strange)), stopped)).toBeDefined();
    expect(change(when(write(all), write(strange)), stopped)).toBeUndefined();
  });

  test('that are lacking are told with the roles that would help', () => {
    const cib = configured(plain, {
      acls: {
        roles: [
          { id: 'reader', permissions: [read(all)] },
          { id: 'starter', permissions: [write(targetRole)] },
          { id: 'admin', permissions: [write(all)] },
        ],
        targets: [{ id: 'bob', roles: ['reader'] }],
        groups: [],
      },
    });
    const refusal = judge(cib, bob, { type: 'change', after: stopped(cib) });
    expect(refusal?.roles).toEqual(['starter', 'admin']);
    expect(refusal && refusalText(bob, refusal)).toBe(
      'bob may not write target-role of meta_attributes of primitive web; the role starter or admin would allow it: configure acl_target bob starter',
    );
  });

  test('to set attributes of nodes, to clean up, and for the whole are asked in the same way', () => {
    const values = { type: 'attributes', node: 'n1', names: ['pingd'] } as const;
    expect(judge(when(read(all)), bob, values)?.refused).toEqual([
      'add pingd of instance_attributes of transient_attributes of node_state n1',
    ]);
    expect(judge(when(write({ xpath: "//node_state[@uname='n1']" })), bob, values)).toBeUndefined();
    expect(judge(when(write({ xpath: "//node_state[@uname='n2']" })), bob, values)).toBeDefined();

    const forWeb = when(write({ reference: 'web' }));
    expect(judge(forWeb, bob, { type: 'cleanUp', resource: 'web' })).toBeUndefined();
    expect(judge(forWeb, bob, { type: 'cleanUp', resource: 'g' })?.refused).toEqual(['clean up db']);
    expect(judge(forWeb, bob, { type: 'cleanUp' })?.refused).toEqual(['clean up db']);

    const fence = { type: 'all', right: 'write', what: 'fence n2' } as const;
    expect(judge(when(write(all)), bob, fence)).toBeUndefined();
    expect(judge(when(write(all), deny(targetRole)), bob, fence)?.refused).toEqual(['fence n2']);
  });
});

describe('what a reader sees', () => {
  test('is all of it if he may read all', () => {
    const cib = when(read(all));
    expect(readableCib(cib, bob)).toEqual(cib);
  });

  test('is nothing if nobody gave him anything', () => {
    const { configuration, status } = readableCib(plain, bob);
    expect(configuration).toEqual({ ...emptyCib.configuration });
    expect(status).toEqual({ nodes: [], tickets: [] });
  });

  test('lacks what is denied', () => {
    const seen = readableCib(when(read(all), deny({ xpath: "//nvpair[@name='passwd']" })), bob);
    expect(web(seen).parameters[0]?.pairs.map(({ name }) => name)).toEqual(['state']);
    expect(web(seen).operations.list).toHaveLength(1);
    expect(JSON.stringify(seen)).not.toContain('hidden');
  });

  test('is the frame of what holds something that he may read', () => {
    const seen = readableCib(when(write(targetRole)), bob);
    expect(seen.configuration.resources).toHaveLength(1);
    expect(web(seen)).toMatchObject({ kind: 'primitive', id: 'web', parameters: [], operations: { list: [] } });
    expect(web(seen).meta[0]?.pairs).toEqual([{ id: 'web-m-r', name: 'target-role', value: 'Started' }]);
  });

  test('allows the change that he may make, made from what he sees', () => {
    const cib = when(write(targetRole));
    const after = stopped(readableCib(cib, bob));
    expect(web(after).meta).toEqual(web(stopped(cib)).meta);
  });

  test('has histories of the resources that he may read only', () => {
    const seen = readableCib(when(read({ reference: 'web' })), bob);
    expect(seen.status.nodes.flatMap(({ history }) => history.map(({ id }) => id))).toEqual(['web']);
  });
});
