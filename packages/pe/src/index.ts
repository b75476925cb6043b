/** The policy engine: (CIB, instant) → transition and explanation, a pure function. */
export type * from './config/operations.ts';
export * from './expand/instance.ts';
export type * from './options.ts';
export * from './situation.ts';
export type * from './status/demand.ts';
export type * from './status/history.ts';
export * from './status/node.ts';
export * from './transition.ts';
