import { describe, expect, test } from 'vitest';
import {
  agentCommand,
  type AgentName,
  fenceCommand,
  formatAgentName,
  locateAgent,
  type OperationContext,
  parseAgentName,
  standardPlaces,
  unitName,
} from '../src/index.ts';

const places = standardPlaces({ ra: '/opt/ra', stonith: '/opt/stonith' });
const only =
  (...present: readonly string[]) =>
  (paths: readonly string[]): string | undefined =>
    paths.find((path) => present.includes(path));

const context = (agent: AgentName, fields: Partial<OperationContext> = {}): OperationContext => ({
  agent,
  resource: 'web:0',
  operation: 'monitor',
  intervalMs: 10_000,
  timeoutMs: 20_000,
  parameters: {},
  meta: {},
  node: 'alpha',
  nodeId: '1',
  ...fields,
});

describe('names of agents', () => {
  test.for([
    ['ocf:heartbeat:IPaddr2', { class: 'ocf', provider: 'heartbeat', type: 'IPaddr2' }],
    ['lsb:nginx', { class: 'lsb', type: 'nginx' }],
    ['lsb:/opt/x/rc', { class: 'lsb', type: '/opt/x/rc' }],
    ['systemd:dummy@3', { class: 'systemd', type: 'dummy@3' }],
    ['stonith:fence_ipmilan', { class: 'stonith', type: 'fence_ipmilan' }],
    ['stonith:external/ipmi', { class: 'stonith', type: 'external/ipmi' }],
    ['stonith:pacemaker:fence_dummy', { class: 'stonith', type: 'fence_dummy' }],
  ] as const)('%s is read', ([text, name]) => {
    expect(parseAgentName(text)).toEqual({ ok: true, value: name });
  });

  test.for([
    'ocf:IPaddr2',
    'heartbeat:x',
    'ocf:../../bin:sh',
    'ocf:heartbeat:../../../bin/sh',
    'lsb:',
    'stonith:/bin/sh',
    'lsb:a/../b',
  ])('%s cannot be one', (text) => {
    expect(parseAgentName(text).ok).toBe(false);
  });

  test('are written as they are read', () => {
    expect(formatAgentName({ class: 'ocf', provider: 'systole', type: 'vip' })).toBe('ocf:systole:vip');
    expect(formatAgentName({ class: 'lsb', type: 'nginx' })).toBe('lsb:nginx');
  });
});

describe('where agents are', () => {
  test('our own are in a folder each, others in their provider’s', () => {
    const own = '/opt/ra/agents/vip/vip';
    expect(locateAgent({ class: 'ocf', provider: 'systole', type: 'vip' }, places, only(own))?.path).toBe(own);
    const theirs = '/usr/lib/ocf/resource.d/heartbeat/IPaddr2';
    expect(locateAgent({ class: 'ocf', provider: 'heartbeat', type: 'IPaddr2' }, places, only(theirs))?.path).toBe(
      theirs,
    );
  });

  test('a service is the init script of that name, else the unit, else missing', () => {
    const service = { class: 'service', type: 'nginx' };
    expect(locateAgent(service, places, only('/etc/init.d/nginx', '/lib/systemd/system/nginx.service'))?.kind).toBe(
      'lsb',
    );
    expect(locateAgent(service, places, only('/lib/systemd/system/nginx.service', places.systemdDriver))?.kind).toBe(
      'systemd',
    );
    expect(locateAgent(service, places, only())).toBeUndefined();
  });

  test('an instance of a unit template is found by its template', () => {
    const present = only('/lib/systemd/system/dummy@.service');
    expect(locateAgent({ class: 'service', type: 'dummy@3' }, places, present)?.kind).toBe('systemd');
    expect(unitName('dummy@3')).toBe('dummy@3.service');
    expect(unitName('data.mount')).toBe('data.mount');
  });
});

describe('how each class is called', () => {
  test('an OCF agent has its parameters and facts in its environment, under new and old names', () => {
    const agent = { class: 'ocf', provider: 'trial', type: 'env' };
    const located = { kind: 'ocf', path: '/x/env' } as const;
    const parameters = { alpha: '1 2', OCF_CHECK_LEVEL: '10' };
    const meta = { 'clone-max': '2', 'promoted-max': '1' };
    const command = agentCommand(context(agent, { parameters, meta }), located, places);
    expect(command.argv).toEqual(['/x/env', 'monitor']);
    expect(command.environment).toMatchObject({
      OCF_RESKEY_alpha: '1 2',
      OCF_CHECK_LEVEL: '10',
      OCF_RESKEY_CRM_meta_interval: '10000',
      OCF_RESKEY_CRM_meta_timeout: '20000',
      OCF_RESKEY_CRM_meta_clone_max: '2',
      OCF_RESKEY_CRM_meta_promoted_max: '1',
      OCF_RESKEY_CRM_meta_master_max: '1',
      OCF_RESKEY_CRM_meta_on_node: 'alpha',
      OCF_RESOURCE_INSTANCE: 'web:0',
      OCF_RESOURCE_TYPE: 'env',
      OCF_RESOURCE_PROVIDER: 'trial',
      OCF_ROOT: '/usr/lib/ocf',
      HA_SBIN_DIR: '/opt/ra/helpers',
    });
    expect(command.environment).not.toHaveProperty('OCF_RESKEY_OCF_CHECK_LEVEL');
    expect(command.environment['PATH']).toMatch(/^\/opt\/ra\/helpers:/);
  });

  test('an init script gets one argument and none of the parameters', () => {
    const located = { kind: 'lsb', path: '/etc/init.d/nginx' } as const;
    const command = agentCommand(
      context({ class: 'lsb', type: 'nginx' }, { parameters: { alpha: '1' } }),
      located,
      places,
    );
    expect(command.argv).toEqual(['/etc/init.d/nginx', 'status']);
    expect(Object.keys(command.environment).filter((name) => name.startsWith('OCF_'))).toEqual(['OCF_OUTPUT_FORMAT']);
  });

  test('a fence agent reads its parameters from standard input, and none that are meant for the fencer', () => {
    const parameters = { ip: '10.0.0.9', pcmk_host_map: 'a:1', action: 'reboot', passwd: 'two\nlines' };
    const target = { node: 'alpha', argument: 'plug', value: '7' };
    const located = { kind: 'fence', path: '/usr/sbin/fence_x' } as const;
    const command = fenceCommand({ located, places, action: 'off', parameters, target });
    expect(command.argv).toEqual(['/usr/sbin/fence_x']);
    expect(command.stdin).toBe('action=off\nip=10.0.0.9\npasswd=two lines\nplug=7\nnodename=alpha\n');
  });

  test('a plug set by hand is not replaced by the target', () => {
    const target = { node: 'alpha', argument: 'plug', value: 'alpha' };
    const located = { kind: 'fence', path: '/usr/sbin/fence_x' } as const;
    expect(fenceCommand({ located, places, action: 'off', parameters: { plug: '3' }, target }).stdin).toBe(
      'action=off\nplug=3\nnodename=alpha\n',
    );
  });

  test('a plugin of cluster-glue has its own words and finds parameters in its environment', () => {
    const located = { kind: 'external', path: '/usr/lib/stonith/plugins/external/ipmi' } as const;
    const target = { node: 'alpha', value: 'alpha' };
    const command = fenceCommand({ located, places, action: 'reboot', parameters: { hostname: 'alpha' }, target });
    expect(command.argv).toEqual(['/usr/lib/stonith/plugins/external/ipmi', 'reset', 'alpha']);
    expect(command.environment).toMatchObject({ hostname: 'alpha' });
    expect(command.stdin).toBe('');
  });
});
