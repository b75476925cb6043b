import { describe, expect, test } from 'vitest';
import {
  type AgentDescription,
  describeLsb,
  descriptionBytesMax,
  parseDescription,
  privateParameters,
  restartParameters,
} from '../src/index.ts';

const described = (xml: string): AgentDescription => {
  const parsed = parseDescription(xml);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const ocf = `<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="vip" version="1.0">
<version>1.1</version>
<longdesc lang="en">
  An address
  on an interface.
</longdesc>
<shortdesc lang="en">An address</shortdesc>
<parameters>
<parameter name="ip" unique="1" required="1"><longdesc lang="en">The address</longdesc><content type="string" default=""/></parameter>
<parameter name="mode" reloadable="1"><content type="select" default="a"><option value="a"/><option value="b"/></content></parameter>
<parameter name="old" deprecated="1" private="true"><content type="string"/></parameter>
</parameters>
<actions>
<action name="start" timeout="20"/>
<action name="monitor" timeout="20s" interval="10s" depth="0" role="Promoted" start-delay="1"/>
</actions>
</resource-agent>`;

describe('an agent’s description', () => {
  test('is read: parameters, actions, times without unit in seconds', () => {
    expect(described(ocf)).toMatchObject({
      name: 'vip',
      version: '1.1',
      shortDescription: 'An address',
      longDescription: 'An address\non an interface.',
      parameters: [
        { name: 'ip', isRequired: true, uniqueGroup: 'ip', longDescription: 'The address' },
        { name: 'mode', type: 'select', options: ['a', 'b'], default: 'a', isReloadable: true },
        { name: 'old', isDeprecated: true, isPrivate: true },
      ],
      actions: [
        { name: 'start', timeoutMs: 20_000 },
        { name: 'monitor', timeoutMs: 20_000, intervalMs: 10_000, startDelayMs: 1000, role: 'Promoted', depth: '0' },
      ],
    });
  });

  test('may stand after warnings that the agent printed', () => {
    expect(described(`warning: something\n${ocf}`).name).toBe('vip');
  });

  test('of a fence agent says which actions are automatic', () => {
    const xml =
      '<resource-agent name="fence_scsi" shortdesc="x"><parameters/><actions><action name="on" automatic="1" on_target="1"/></actions></resource-agent>';
    expect(described(xml).actions[0]?.attributes).toMatchObject({ automatic: '1', on_target: '1' });
  });

  test.for([
    '',
    'no xml',
    '<resource-agent name="x"><broken',
    '<other/>',
    `<resource-agent>${' '.repeat(descriptionBytesMax)}`,
  ])('that is none says why (%#)', (text) => {
    const parsed = parseDescription(text);
    expect(parsed.ok).toBe(false);
  });

  test('tells which parameters need a restart, by the newer or the older way to reload', () => {
    expect(restartParameters(described(ocf))).toBeUndefined();
    const offering = (action: string): AgentDescription =>
      described(ocf.replace('</actions>', `<action name="${action}"/></actions>`));
    expect(restartParameters(offering('reload-agent'))).toEqual(['ip', 'old']);
    expect(restartParameters(offering('reload'))).toEqual(['ip']);
  });

  test('tells which parameters are secret, beside the usual ones', () => {
    expect([...privateParameters(described(ocf))]).toEqual(['password', 'passwd', 'user', 'old']);
  });
});

describe('an init script’s description', () => {
  const script = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          nginx
# Required-Start:    $local_fs $remote_fs
# Short-Description: starts the nginx web server
# Description:       starts nginx
#                    and more <of it>
# Default-Start:     2 3
### END INIT INFO
# Provides: not this
`;

  test('is made from its comment block', () => {
    expect(describeLsb('nginx', script)).toMatchObject({
      name: 'nginx',
      shortDescription: 'starts the nginx web server',
      parameters: [],
    });
    expect(describeLsb('nginx', script).longDescription).toBe(
      'starts nginx\nand more <of it>\nProvides: nginx\nRequired-Start: $local_fs $remote_fs\nDefault-Start: 2 3',
    );
  });

  test('without a block is bare, and still offers the usual actions', () => {
    expect(describeLsb('old', '#!/bin/sh\n').actions.map(({ name }) => name)).toContain('monitor');
  });
});
