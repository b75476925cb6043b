/** All parts of one cluster member put together, without sockets, disks, processes or clocks: what the simulator runs. */
export { ArbiterVoter, type ArbiterVoterEffect } from './arbiter-voter.ts';
export * from './contract.ts';
export { allNames, localMessaging, type MessagingPort, type MessagingSetup, messagingSetup } from './messaging-port.ts';
export type { Collect, Part, Question } from './gathering.ts';
export { partCharactersMax, readQuestion } from './gathering.ts';
export { restored } from './durable.ts';
export type { FileChange, FileStep } from './file-change.ts';
export { FlightRecorder } from './flight-recorder.ts';
export { replay, type ReplayResult } from './replay.ts';
export { createNode, ClusterNode } from './node.ts';
export { nodeIdOf, NodeIds } from './node-ids.ts';
