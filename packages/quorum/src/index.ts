/** May this partition act? Votes against a named, remembered base of voters, ties, and the third site's vote. */
export * from './base.ts';
export * from './change.ts';
export * from './change-codec.ts';
export * from './decide.ts';
export * from './memory.ts';
export * from './options.ts';
export * from './policy.ts';
export * from './arbiter/choose.ts';
export * from './arbiter/client.ts';
export * from './arbiter/messages.ts';
export * from './arbiter/server.ts';
export * from './witness/claim.ts';
export * from './witness/disk.ts';
export * from './witness/http.ts';
export * from './witness/slot.ts';
