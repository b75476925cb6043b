/** The cluster resource manager: one CIB on all members, a DC that everyone knows, and what the DC does. */
export * from './contract.ts';
export * from './controller.ts';
export type { TransitionRecord } from './dc.ts';
export * from './messages.ts';
export { clusterOption } from './options.ts';
export { mayRun } from './status/activity.ts';
export { isJoined, nodeState, transientAttributes } from './status/node-state.ts';
