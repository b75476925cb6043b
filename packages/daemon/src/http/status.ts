/** The answer to `GET /v1/status`, made from what the node knows and the policy engine reads in it. */
import type { ResourceRow, StatusReport } from '@systole/api';
import type { Cib } from '@systole/cib';
import { readSituation, reportStatus, type ResourceReport, type Situation } from '@systole/pe';
import type { Backend } from './backend.ts';

const fencingRowsMax = 20;

export function statusReport({ cluster, node, wall, selfFencing }: Backend): StatusReport {
  const { state, dc, quorum, quorumReason, isSettled } = node.controller.state;
  const cib: Cib = { ...node.cib, header: { ...node.cib.header, hasQuorum: quorum === 'held' } };
  const situation = readSituation(cib, wall());
  const { nodes, resources } = reportStatus(situation);
  const { progress, current } = node.controller.transitions;
  const { adminEpoch, epoch, updates } = cib.version;
  const { isMaintenance, stopsAll } = situation.options;
  return {
    format: 'systole-status/1',
    cluster,
    node: node.self,
    ...(dc === undefined ? {} : { dc }),
    quorate: quorum === 'held',
    quorum: { state: quorum, reason: quorumReason },
    cibVersion: `${adminEpoch}.${epoch}.${updates}`,
    nodes: nodes.map((row) => ({ ...row, isDc: row.name === dc })),
    resources: resources.map((row) => resourceRow(row, situation)),
    modes: [...(isMaintenance ? ['maintenance' as const] : []), ...(stopsAll ? ['stop-all' as const] : [])],
    transition: {
      state: isSettled ? 'idle' : 'busy',
      controller: state,
      ...(current === undefined ? {} : { id: current.id }),
      ...(progress === undefined
        ? {}
        : { done: progress.counts.done, pending: progress.counts.waiting + progress.counts.running }),
    },
    fencing: node.fencingHistory.slice(0, fencingRowsMax),
    failures: failures(situation),
    ...(selfFencing === undefined ? {} : { selfFencing: selfFencing() }),
    messages: situation.messages,
  };
}

function resourceRow(row: ResourceReport, situation: Situation): ResourceRow {
  const [instance] = situation.instancesByConfigId.get(row.rsc) ?? [situation.instanceById.get(row.rsc)];
  const agent = instance?.kind === 'primitive' ? instance.agent : undefined;
  const name =
    agent && [agent.class, agent.provider, agent.type].filter((part) => part !== undefined && part !== '').join(':');
  const unmanaged = ['unmanaged', 'maintenance', 'blocked'];
  return {
    id: row.rsc,
    rsc: row.rsc,
    role: row.role,
    nodes: row.nodes,
    managed: !row.flags.some((flag) => unmanaged.includes(flag)),
    failed: row.flags.includes('failed'),
    flags: row.flags,
    ...(name === undefined ? {} : { agent: name }),
    ...(row.within === undefined ? {} : { within: row.within }),
  };
}

const failures = (situation: Situation): StatusReport['failures'] =>
  situation.nodes.flatMap((node) =>
    [...node.failures].flatMap(([resource, records]) =>
      records
        .filter(({ count }) => count > 0)
        .map(({ operation, intervalMs, count, lastFailure }) => ({
          resource,
          node: node.name,
          operation,
          intervalMs,
          count,
          last: lastFailure,
        })),
    ),
  );
