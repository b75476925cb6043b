/** A cluster of two nodes, as far as the commands of agents can see it: changes are applied at once. */
import type { StatusReport } from '@systole/api';
import { applyChange, type Cib, emptyCib } from '@systole/cib';
import type { Answer } from '@systole/crm';
import type { Desk } from '../../src/agent-commands/run.ts';
import type { NodeRequest } from '../../src/node/index.ts';

const nodes = ['alpha', 'beta'] as const;

export class VirtualDesk implements Desk {
  readonly self = 'alpha';
  readonly isQuorate = true;
  readonly isCurrent = true;
  readonly requests: NodeRequest[] = [];
  cib: Cib = {
    ...emptyCib,
    configuration: {
      ...emptyCib.configuration,
      nodes: nodes.map((name, index) => ({ id: String(index + 1), name, attributes: [], utilization: [] })),
      resources: [
        {
          kind: 'primitive',
          id: 'web',
          agent: { class: 'ocf', provider: 'systole', type: 'dummy' },
          meta: [],
          parameters: [{ id: 'web-parameters', pairs: [{ id: 'web-delay', name: 'delay', value: '5' }] }],
          operations: { list: [] },
          utilization: [],
        },
      ],
    },
    status: {
      nodes: nodes.map((name, index) => ({
        id: String(index + 1),
        name,
        inCluster: 'true',
        controller: 'online',
        transientAttributes: [],
        history: [],
      })),
      tickets: [{ id: 'gold', isGranted: true }],
    },
  };

  request = (request: NodeRequest): Promise<Answer> => {
    this.requests.push(request);
    if (request.type === 'setAttributes') this.#setAttributes(request.node, request.values);
    if (request.type === 'change') {
      const applied = applyChange(this.cib, request.change);
      if (!applied.ok) return Promise.resolve({ ok: false, code: 'conflict', message: 'it has changed since' });
      this.cib = applied.value;
    }
    return Promise.resolve({ ok: true, value: {} });
  };

  #setAttributes(node: string, values: Readonly<Record<string, string | null>>): void {
    this.cib = {
      ...this.cib,
      status: {
        ...this.cib.status,
        nodes: this.cib.status.nodes.map((state) => {
          if (state.name !== node) return state;
          const kept = (state.transientAttributes[0]?.pairs ?? []).filter(({ name }) => !((name ?? '') in values));
          const set = Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
          return { ...state, transientAttributes: [{ pairs: [...kept, ...set] }] };
        }),
      },
    };
  }

  status = (): StatusReport => ({
    format: 'systole-status/1',
    cluster: 'test',
    node: this.self,
    dc: 'beta',
    quorate: true,
    cibVersion: '0.1.0',
    quorum: { state: 'held', reason: '' },
    nodes: nodes.map((name) => ({ name, kind: 'member', state: 'online', isDc: name === 'beta' })),
    resources: [
      {
        id: 'db',
        rsc: 'db',
        role: 'Promoted',
        nodes: ['beta'],
        managed: true,
        failed: false,
        flags: [],
        agent: 'ocf:heartbeat:redis',
      },
      { id: 'web', rsc: 'web', role: 'Stopped', nodes: [], managed: true, failed: false, flags: [] },
    ],
    transition: { state: 'idle', controller: 'following' },
    fencing: [],
    failures: [],
    messages: [],
  });
}
