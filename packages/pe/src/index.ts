/** The policy engine: (CIB, instant) → transition and explanation, a pure function. */
export * from './config/operations.ts';
export * from './config/parameters.ts';
export * from './expand/instance.ts';
export type * from './options.ts';
export * from './situation.ts';
export type * from './status/demand.ts';
export type * from './status/history.ts';
export * from './status/node.ts';
export * from './transition.ts';
export * from './status/digests.ts';
export { effectiveTimeoutMs, failCount, type FailCount, type FailCountOptions } from './status/failures.ts';
export { canFence } from './status/fencing.ts';
export { currentNode, readSituation, type ReadOptions } from './status/read.ts';
export * from './status/report.ts';
export { type Applied, type ApplyOptions, applyTransition } from './simulate/apply.ts';
export { type SimulateResult, simulateResult } from './simulate/result.ts';
export * from './schedule.ts';
