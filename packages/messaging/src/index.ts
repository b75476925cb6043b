/**
 * Encrypted datagrams, failure detection, agreed membership and totally ordered messages between the nodes of a
 * cluster, as one pure engine: `createEngine(options)`, then `step(input, now)`.
 */
export * from './arbiter-key.ts';
export * from './configuration.ts';
export { createEngine } from './engine.ts';
export type { KeyRing, RingReport, Rotation, Stage } from './key-ring.ts';
export * from './key-rotation.ts';
export * from './key-surface.ts';
export * from './letters.ts';
export * from './majority.ts';
export * from './quorum-port.ts';
export * from './recording.ts';
export * from './seal.ts';
export * from './seal-crypto.ts';
export * from './surface.ts';
export { messageBytesCeiling, pendingBytes, pendingEntries, windowBytes, windowEntries } from './limits.ts';
