/** The status as XML, for monitoring that reads it from `crm_mon`: the elements it needs, under their usual names. */
import type { StatusReport } from '@systole/api';
import { escapeXml } from '@systole/cib';

const yes = (flag: boolean | undefined): string => String(flag === true);

export function statusXml(report: StatusReport): string {
  const attributes = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
      .join('');
  const nodes = report.nodes.map(
    (node) =>
      `    <node${attributes({
        name: node.name,
        id: node.name,
        online: yes(node.state === 'online'),
        standby: yes(node.standby),
        maintenance: yes(node.maintenance),
        pending: yes(node.state === 'pending'),
        unclean: yes(node.unclean),
        is_dc: yes(node.isDc),
        type: node.kind,
        resources_running: String(report.resources.filter((row) => row.nodes.includes(node.name)).length),
      })}/>`,
  );
  const resources = report.resources.map((row) => {
    const running = row.nodes
      .map((name) => `\n      <node${attributes({ name, id: name, cached: 'true' })}/>`)
      .join('');
    const open = `    <resource${attributes({
      id: row.id,
      resource_agent: row.agent ?? '',
      role: row.role,
      active: yes(row.nodes.length > 0),
      orphaned: yes(row.flags.includes('removed')),
      blocked: yes(row.flags.includes('blocked')),
      managed: yes(row.managed),
      failed: yes(row.failed),
      nodes_running_on: String(row.nodes.length),
      ...(row.within === undefined ? {} : { within: row.within }),
    })}`;
    return running === '' ? `${open}/>` : `${open}>${running}\n    </resource>`;
  });
  const dc =
    report.dc === undefined
      ? ' present="false"'
      : attributes({ present: 'true', name: report.dc, id: report.dc, with_quorum: yes(report.quorate) });
  return [
    '<?xml version="1.0"?>',
    `<systole-status${attributes({ cluster: report.cluster, version: report.cibVersion, transition: report.transition.state })}>`,
    '  <summary>',
    `    <current_dc${dc}/>`,
    '  </summary>',
    '  <nodes>',
    ...nodes,
    '  </nodes>',
    '  <resources>',
    ...resources,
    '  </resources>',
    '</systole-status>',
    '',
  ].join('\n');
}
