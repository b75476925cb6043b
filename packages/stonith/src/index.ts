/** The fencer: makes sure that a node cannot act any more, with proof, through the devices the configuration names. */
export { checkFenceAgent, type FenceTrial } from './compliance.ts';
export * from './contract.ts';
export * from './disk/layout.ts';
export { isUndisturbed, type Posted, prospect, readLetterMark, startLetter } from './disk/letter.ts';
export { disksMax, neededToRead, neededToWrite } from './disk/majority.ts';
export * from './disk/procedures.ts';
export { DiskView, type Heed, heed, heedAtStart } from './disk/watcher.ts';
export { Fencer } from './fencer.ts';
export type * from './message.ts';
export { levelsFor } from './topology.ts';
export { historyLengthMax } from './history.ts';
