/**
 * Whether a resource was started with other parameters than it has now, by the digests that its history carries.
 *
 * Semantics: Pacemaker's lib/pengine/pe_digest.c; the digests themselves are in @systole/cib.
 */
import { compareVersionTexts, digestOf, type OperationRecord } from '@systole/cib';
import { findOperation, metaOf } from '../config/operations.ts';
import { operationParameters, parametersOn, type ParameterSource } from '../config/parameters.ts';
import type { PrimitiveInstance } from '../expand/instance.ts';
import type { Node } from './node.ts';

/** `reload`: changed, but no change needs a restart; `unknown`: the history has no digest. */
export type DigestComparison = 'same' | 'reload' | 'restart' | 'unknown';

export interface Digests {
  readonly all: string;
  /** Of the parameters whose change needs a restart; absent if the record has no such digest. */
  readonly restart?: string;
  readonly secure: string;
  /** The operation has parameters of its own: any difference needs a restart. */
  readonly hasOwnParameters: boolean;
}

const notConfiguration: ReadonlySet<string> = new Set([
  'id',
  'crm_feature_set',
  'op-digest',
  'on_node',
  'on_node_uuid',
  'pcmk_external_ip',
]);

/**
 * The parameters that count: the resource's and the operation's own, without what only says where it runs. Of meta
 * attributes only a recurring operation's timeout counts.
 */
export function currentDigests(
  source: ParameterSource,
  instance: PrimitiveInstance,
  node: Node,
  operation: string,
  intervalMs: number,
  record: OperationRecord | undefined,
  /** Stands for an `addr` of `#uname`: the node that the bundle's container is on. */
  hostName?: string,
): Digests {
  const config = findOperation(instance.operations, operation, intervalMs);
  const own =
    config === undefined || config.source.parameters.length === 0
      ? new Map<string, string>()
      : operationParameters(source, config.source.parameters, node);
  const values: Record<string, string> = hostName === undefined ? {} : { addr: hostName };
  const addMissing = (pairs: ReadonlyMap<string, string>): void => {
    for (const [name, value] of pairs) values[name] ??= value;
  };
  addMissing(parametersOn(source, instance, node));
  addMissing(own);
  for (const name of Object.keys(values)) {
    if (notConfiguration.has(name) || name.startsWith('CRM_meta_')) delete values[name];
  }
  if (intervalMs > 0) {
    values['CRM_meta_timeout'] = metaOf(source, instance, node, operation, intervalMs, config).get('timeout') ?? '';
  }
  const restart = record === undefined ? undefined : restartDigest(values, record);
  return {
    all: digestOf(values),
    ...(restart === undefined ? {} : { restart }),
    // Seldom asked for, and as dear as the other two.
    get secure(): string {
      return secureDigest(source, instance, values, record);
    },
    hasOwnParameters: intervalMs === 0 && own.size > 0,
  };
}

function restartDigest(values: Readonly<Record<string, string>>, record: OperationRecord): string | undefined {
  if (record.restartDigest === undefined) return undefined;
  if (record.forceRestart === undefined) return digestOf(values);
  const counting = new Set(record.forceRestart.split(' '));
  return digestOf(Object.fromEntries(Object.entries(values).filter(([name]) => counting.has(name))));
}

const fenceParameter = /^pcmk_|^(?:provides|stonith-timeout)$/;

function secureDigest(
  source: ParameterSource,
  instance: PrimitiveInstance,
  values: Readonly<Record<string, string>>,
  record: OperationRecord | undefined,
): string {
  const version = record?.featureSet ?? source.cib.header.featureSet ?? '3.20.0';
  const isOld = compareVersionTexts(version, '3.16.0') < 0;
  const list = record === undefined ? 'passwd password user' : (record.secureParameters ?? '');
  const secret = new Set(list.split(' '));
  return digestOf(
    Object.fromEntries(
      Object.entries(values).filter(
        ([name]) =>
          !secret.has(name) &&
          !(isOld && name === 'CRM_meta_timeout') &&
          !(isOld && instance.isFenceDevice && fenceParameter.test(name)),
      ),
    ),
  );
}

/** Compares what a recorded operation was given with what it would be given now. */
export function compareDigests(
  source: ParameterSource,
  instance: PrimitiveInstance,
  node: Node,
  record: OperationRecord,
  hostName?: string,
  /** In place of the record's own, where the reader asks for the operation to be scheduled again. */
  restartDigestOfRecord: string | undefined = record.restartDigest,
): DigestComparison {
  const now = currentDigests(source, instance, node, record.operation, record.intervalMs, record, hostName);
  if ((now.restart ?? undefined) !== restartDigestOfRecord && restartDigestOfRecord !== undefined) return 'restart';
  if (record.digest === undefined) return 'unknown';
  if (record.digest === now.all) return 'same';
  return now.hasOwnParameters ? 'restart' : 'reload';
}

/** Whether the device was started on the node with these parameters, by the node's attributes about unfencing. */
export function compareUnfencing(
  source: ParameterSource,
  device: PrimitiveInstance,
  agent: string,
  node: Node,
): DigestComparison {
  const all = node.attributes.get('#digests-all');
  if (all === undefined) return 'unknown';
  const now = currentDigests(source, device, node, 'stonith-on', 0, undefined);
  const has = (summary: string | undefined, digest: string): boolean =>
    summary?.includes(`${device.id}:${agent}:${digest}`) === true;
  if (has(all, now.all)) return 'same';
  return has(node.attributes.get('#digests-secure'), now.secure) ? 'same' : 'reload';
}
