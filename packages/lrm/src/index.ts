/** The local resource manager: runs operations of resource agents on one node, one at a time for each resource, and keeps their history. */
export * from './contract.ts';
export { killAfterMs, LocalResourceManager, outputLimitBytes } from './lrm.ts';
export { lastFailureId, lastId, operationKey } from './record.ts';
