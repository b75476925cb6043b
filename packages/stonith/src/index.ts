/** The fencer: makes sure that a node cannot act any more, with proof, through the devices the configuration names. */
export * from './contract.ts';
export * from './message.ts';
