/** The fencer: makes sure that a node cannot act any more, with proof, through the devices the configuration names. */
export { checkFenceAgent, type FenceTrial } from './compliance.ts';
export * from './contract.ts';
export { Fencer } from './fencer.ts';
export type * from './message.ts';
export { levelsFor } from './topology.ts';
