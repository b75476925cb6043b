import type { EventRow, NodeRow, ResourceRow, StatusReport } from '@systole/api';
import { describe, expect, test } from 'vitest';
import { secretsIn, withoutSecrets } from '../src/shell/redaction.ts';
import { lint } from '../src/lint/lint.ts';
import { measure } from '../src/render/availability.ts';
import { renderStatus, simpleStatus, troubles } from '../src/render/status.ts';
import { configured } from './support.ts';

const now = Date.parse('2026-06-01T12:00:00Z');

const node = (name: string, more: Partial<NodeRow> = {}): NodeRow => ({
  name,
  kind: 'member',
  state: 'online',
  isDc: false,
  ...more,
});
const resource = (id: string, more: Partial<ResourceRow> = {}): ResourceRow => ({
  id,
  rsc: id,
  role: 'Started',
  nodes: ['n1'],
  managed: true,
  failed: false,
  flags: [],
  ...more,
});

const report = (more: Partial<StatusReport> = {}): StatusReport => ({
  format: 'systole-status/1',
  cluster: 'test',
  node: 'n1',
  dc: 'n1',
  quorate: true,
  quorum: { state: 'held', reason: '2 of 2 votes' },
  cibVersion: '0.1.0',
  nodes: [node('n1', { isDc: true }), node('n2')],
  resources: [resource('web')],
  transition: { state: 'idle', controller: 'dc.idle' },
  fencing: [],
  failures: [],
  messages: [],
  ...more,
});

const view = { hasColours: false, now };

describe('the status', () => {
  test('of a healthy cluster says so in one line', () => {
    expect(renderStatus(report(), view)).toContain('Everything is as it should be.');
    expect(simpleStatus(report())).toMatch(/^OK: 2 of 2 nodes online/);
  });

  test('leads with what is wrong, errors first, each with what to do', () => {
    const found = troubles(
      report({
        quorate: false,
        quorum: { state: 'lost', reason: '1 of 3 votes' },
        nodes: [node('n1'), node('n2', { state: 'offline' }), node('n3', { state: 'offline', unclean: true })],
        resources: [resource('web', { failed: true, flags: ['failed'] })],
      }),
    );
    expect(found.map(({ level }) => level)).toEqual(['error', 'error', 'error', 'warning']);
    expect(found[0]).toMatchObject({ text: 'no quorum: 1 of 3 votes' });
    expect(found[2]?.advice).toContain('systole resource cleanup web');
  });

  test('a resource that is active twice is an error, instances of an anonymous clone are not', () => {
    const twice = { nodes: ['n1', 'n2'] };
    expect(troubles(report({ resources: [resource('web', twice)] }))[0]?.text).toBe(
      'web is active on several nodes: n1, n2',
    );
    expect(troubles(report({ resources: [resource('dlm', { ...twice, within: 'cl-dlm' })] }))).toEqual([]);
  });

  test('what is stopped on purpose is counted, not listed, unless asked for', () => {
    const stopped = report({ resources: [resource('web', { role: 'Stopped', nodes: [], flags: ['disabled'] })] });
    expect(renderStatus(stopped, view)).toContain('1 stopped on purpose');
    expect(renderStatus(stopped, { ...view, showsInactive: true })).toContain('web  Stopped');
  });
});

describe('availability', () => {
  let number = 0;
  const event = (seconds: number, name: string, fields: EventRow['fields']): EventRow => ({
    number: (number += 1),
    at: now - seconds * 1000,
    level: 'info',
    subsystem: 'crm',
    event: name,
    text: name,
    fields,
  });
  const done = (seconds: number, operation: string, on: string): EventRow =>
    event(seconds, 'operation.done', { resource: 'web', node: on, operation, exitCode: 0 });

  test('is the share of the time between the first start and now in which it ran somewhere', () => {
    const events = [done(100, 'start', 'n1'), event(50, 'node.lost', { node: 'n1' }), done(40, 'start', 'n2')];
    expect(measure({ events, resources: [resource('web')], now })).toMatchObject([
      { resource: 'web', percent: 90, downMs: 10_000, meanRepairMs: 10_000, outages: [{ cause: 'node.lost' }] },
    ]);
  });

  test('an outage that lasts counts until now, and a clone is up while one instance runs', () => {
    const events = [
      done(100, 'start', 'n1'),
      done(90, 'start', 'n2'),
      event(50, 'node.lost', { node: 'n1' }),
      done(20, 'stop', 'n2'),
    ];
    expect(measure({ events, resources: [resource('web')], now })).toMatchObject([{ percent: 80, downMs: 20_000 }]);
  });

  test('looks no further back than asked', () => {
    const events = [done(100, 'start', 'n1'), done(90, 'stop', 'n1'), done(80, 'start', 'n1')];
    expect(measure({ events, resources: [resource('web')], now, since: now - 50_000 })).toMatchObject([
      { percent: 100, outages: [] },
    ]);
  });
});

describe('a report', () => {
  test('has no secrets, in whatever form they are written', () => {
    const text = [
      '<nvpair id="x" name="password" value="hunter2"/>',
      '<nvpair value="hunter2" id="x" name="snmp_community"/>',
      'params username=admin passwd="hunter2 a\\"b" secret_token=hunter2 \\',
      '{"name":"login_password","value":"hunter2"}',
      '{"api_key": "hunter2"}',
      'resource param db set passwd hunter2',
      'configure set db.passwd hunter2',
      '{"text":"CIB by root: configure primitive x params passwd=\\"hunter2\\" y=1"}',
      '{"text":"{\\"name\\":\\"passwd\\",\\"value\\":\\"hunter2\\"}"}',
      'AWS_ACCESS_KEY=hunter2',
    ].join('\n');
    expect(withoutSecrets(text)).not.toContain('hunter2');
    expect(withoutSecrets(text)).toContain('username=admin');
  });
});

describe('what was made so on purpose', () => {
  test('is told, but is no alarm', () => {
    const standby = report({ nodes: [node('n1'), node('n2', { standby: true })] });
    expect(troubles(standby)).toEqual([
      { level: 'note', text: 'node n2 is in standby: nothing runs there', advice: 'systole node online n2' },
    ]);
    expect(simpleStatus(standby)).toMatch(/^OK/);
  });

  test('is an alarm where it leaves the whole cluster without recovery', () => {
    const maintained = report({ modes: ['maintenance'], resources: [resource('web', { flags: ['maintenance'] })] });
    expect(troubles(maintained).map(({ level }) => level)).toEqual(['warning']);
    expect(simpleStatus(maintained)).toMatch(/^WARNING: the whole cluster is in maintenance/);
  });

  test('a resource that runs nowhere is none of that, unless it is disabled', () => {
    const stopped = { role: 'Stopped', nodes: [] };
    expect(troubles(report({ resources: [resource('web', stopped)] }))[0]?.text).toBe('web runs nowhere');
    expect(troubles(report({ resources: [resource('web', { ...stopped, flags: ['disabled'] })] }))).toEqual([]);
  });
});

test('a value that the configuration calls a secret is taken out wherever it stands', () => {
  const configuration = configured('primitive x Dummy params passwd="hun ter2" user=root token=lrm://');
  expect(secretsIn(configuration)).toEqual(['hun ter2']);
  expect(withoutSecrets('login with hun ter2 failed; user=root', secretsIn(configuration))).toBe(
    'login with ****** failed; user=root',
  );
});

describe('verify', () => {
  const fenced =
    'primitive f stonith:fence_x op monitor interval=60s\nproperty fencing-enabled=true\nnode n1\nnode n2\nnode n3\nprimitive a Dummy op monitor interval=10s\nprimitive b Dummy op monitor interval=10s\n';
  const found = (script: string): readonly string[] => lint(configured(fenced + script), now).map(({ text }) => text);

  test('finds nothing in a sound configuration', () => {
    expect(found('group g a b\nlocation l g 50: n1')).toEqual([]);
  });

  test.each([
    ['no fencing', 'property fencing-enabled=false', 'fencing is off'],
    ['an option that is nearly one', 'property stonith-enbled=true', 'the cluster does not know stonith-enbled'],
    ['an option that means nothing', 'property no-quorum-policy=frieze', 'no-quorum-policy=frieze is none of stop'],
    [
      'a meta attribute that is nearly one',
      'primitive x Dummy meta target-roll=Started op monitor interval=10s',
      'x: the cluster does not know target-roll',
    ],
    ['a plugin that is not here', 'primitive s stonith:external/ipmi', 'external/ipmi is a plugin of cluster-glue'],
    ['a resource without a monitor', 'primitive x Dummy', 'x has no monitor'],
    [
      'a resource that may run nowhere',
      'location l1 a -inf: n1\nlocation l2 a -inf: n2\nlocation l3 a -inf: n3',
      'a is banned from every node',
    ],
    [
      'colocations that contradict each other',
      'colocation c1 inf: a b\ncolocation c2 -inf: b a',
      'one of them can never run',
    ],
    [
      'order against colocation',
      'colocation c1 inf: a b\norder o1 a b',
      'o1 starts a before b, but c1 places a where b is',
    ],
    ['orders in a circle', 'order o1 Mandatory: a b\norder o2 Mandatory: b a', 'orders go in a circle: a → b → a'],
    ['a rule that has expired', 'location l a rule 5: #uname eq n1 and date lt 2026-01-01', 'l has expired'],
    ['a node that does not exist', 'location l a 5: n9', 'l names the node "n9"'],
    ['what move left behind', 'location cli-prefer-a a inf: n1', 'cli-prefer-a is left over'],
    [
      'failures of stop that are ignored',
      'primitive x Dummy op monitor interval=1s op stop on-fail=ignore',
      'it may then run on two nodes',
    ],
    [
      'monitors of two roles with one interval',
      'primitive x Stateful op monitor interval=5s role=Promoted op monitor interval=5s role=Unpromoted\nclone c x meta promotable=true',
      'need different intervals',
    ],
    ['quorum that is ignored', 'property no-quorum-policy=ignore', 'both halves'],
  ])('finds %s', (_, script, text) => {
    expect(found(script).filter((each) => each.includes(text))).toHaveLength(1);
  });
});
