/** The contract between the daemon and everyone else: paths, requests, answers, events, and a typed client. */
export * from './client.ts';
export type * from './inputs.ts';
export * from './requests.ts';
export * from './routes.ts';
export * from './status.ts';
