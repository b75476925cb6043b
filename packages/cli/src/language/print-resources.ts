/** Statements of nodes and resources. */
import type { AgentName, Operation } from '@systole/cib';
import type { BundleItem, ItemOf } from './items.ts';
import { descriptionLine, setLines, words, type Referenced } from './print-sets.ts';
import { pairText, quote } from './quote.ts';

const agentText = (agent: AgentName): string =>
  agent.class === 'ocf' && agent.provider === 'heartbeat'
    ? agent.type
    : [agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':');

export function nodeLines({ value }: ItemOf<'node'>, referenced: Referenced): readonly string[] | undefined {
  if (value.score !== undefined) return undefined;
  const id =
    value.id === value.name ? undefined : /^[\w-]+$/.test(value.id) ? `${value.id}:` : `$id=${quote(value.id)}`;
  const type = value.type === undefined || value.type === 'member' ? '' : `:${value.type}`;
  return [
    words('node', id, `${value.name}${type}`),
    ...descriptionLine(value),
    ...setLines('attributes', value.attributes, referenced),
    ...setLines('utilization', value.utilization, referenced),
  ];
}

export function primitiveLines(item: ItemOf<'primitive' | 'template'>, referenced: Referenced): readonly string[] {
  const { value } = item;
  const word = value.kind === 'primitive' ? 'primitive' : 'rsc_template';
  const made = value.kind === 'primitive' && value.template !== undefined ? `@${value.template}` : undefined;
  const { operations } = value;
  const operationsText =
    operations.idRef !== undefined
      ? `$id-ref=${operations.idRef}`
      : operations.id === undefined
        ? undefined
        : `$id=${operations.id}`;
  return [
    words(word, item.id, made ?? (value.agent === undefined ? '' : agentText(value.agent))),
    ...descriptionLine(value),
    ...setLines('params', value.parameters, referenced),
    ...setLines('meta', value.meta, referenced),
    ...setLines('utilization', value.utilization, referenced),
    ...(operationsText === undefined ? [] : [`operations ${operationsText}`]),
    ...operations.list.flatMap((operation) => operationLines(operation, referenced)),
  ];
}

function operationLines(operation: Operation, referenced: Referenced): readonly string[] {
  const setting = (name: string, value: string | boolean | undefined): string | undefined =>
    value === undefined ? undefined : pairText(name, String(value));
  const { id } = operation;
  return [
    words(
      'op',
      operation.name,
      operation.idRef === undefined ? undefined : `$id-ref=${operation.idRef}`,
      id !== undefined && referenced.has(id) ? `$id=${id}` : undefined,
      setting('interval', operation.interval),
      setting('timeout', operation.timeout),
      setting('start-delay', operation.startDelay),
      setting('interval-origin', operation.intervalOrigin),
      setting('on-fail', operation.onFail),
      setting('enabled', operation.enabled),
      setting('record-pending', operation.recordPending),
      setting('role', operation.role),
      setting('requires', operation.requires),
      setting('description', operation.description),
    ),
    ...setLines('op_params', operation.parameters, referenced),
    ...setLines('op_meta', operation.meta, referenced),
  ];
}

export function bundleLines(bundle: BundleItem, referenced: Referenced): readonly string[] {
  const pairs = (values: Readonly<Record<string, string>>, skip = ''): readonly string[] =>
    Object.entries(values)
      .filter(([name]) => name !== skip)
      .map(([name, value]) => pairText(name, value));
  const { image = '', ...container } = bundle.container;
  return [
    words('bundle', bundle.id),
    ...descriptionLine(bundle),
    words(bundle.containerType, pairText('image', image), ...pairs(container)),
    ...(bundle.network === undefined ? [] : [words('network', ...pairs(bundle.network))]),
    ...bundle.ports.map((mapping) => words('port-mapping', ...pairs(mapping, 'id'))),
    ...(bundle.storage.length === 0 ? [] : ['storage']),
    ...bundle.storage.map((mapping) => words('storage-mapping', ...pairs(mapping, 'id'))),
    ...setLines('params', bundle.parameters, referenced),
    ...setLines('meta', bundle.meta, referenced),
    ...(bundle.primitive === undefined ? [] : [words('primitive', bundle.primitive)]),
  ];
}
