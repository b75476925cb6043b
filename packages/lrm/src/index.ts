/** The local resource manager: runs operations of resource agents on one node, one at a time for each resource, and keeps their history. */
export * from './contract.ts';
export { readsDescription } from './descriptions.ts';
export { LocalResourceManager } from './lrm.ts';
export { lastFailureId, lastId, operationKey } from './record.ts';
export { killAfterMs, outputLimitBytes } from './runner.ts';
