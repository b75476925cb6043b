/** Paths of the interface, in one place for the daemon and its clients. */

/** Bodies and answers are JSON, except `events/stream` (server-sent events) and `metrics` (Prometheus text). */
export const routes = {
  status: '/v1/status',
  cib: '/v1/cib',
  change: '/v1/cib/change',
  replace: '/v1/cib/replace',
  configurations: '/v1/cib/configurations',
  /** The configuration that was in force at `?epoch=`. */
  configurationAt: '/v1/cib/configurations/at',
  undo: '/v1/cib/undo',
  attributes: '/v1/attributes',
  cleanUp: '/v1/clean-up',
  fence: '/v1/fencing/fence',
  confirmDown: '/v1/fencing/confirm',
  fencingHistory: '/v1/fencing/history',
  device: '/v1/fencing/device',
  devices: '/v1/fencing/devices',
  messaging: '/v1/messaging',
  recordMessaging: '/v1/messaging/record',
  quorum: '/v1/quorum',
  quorumProceed: '/v1/quorum/proceed',
  quorumForce: '/v1/quorum/force',
  /** Links and timing, in the files of all nodes. */
  network: '/v1/network',
  keys: '/v1/keys',
  rotateKey: '/v1/keys/rotate',
  transitions: '/v1/transitions',
  events: '/v1/events',
  /** What all members remember: `?what=events|files`, `&since=` milliseconds since 1970. */
  gather: '/v1/gather',
  eventStream: '/v1/events/stream',
  /** Answers once the cluster is idle, or after `?timeout=` milliseconds. */
  wait: '/v1/wait',
  shutDown: '/v1/shut-down',
  /** For the helper programs that agents call: netstrings in, lines `o …`, `e …` and `x CODE` out. */
  agentCommand: '/v1/agent-command',
  metrics: '/metrics',
} as const;

/** `code` of an error to the HTTP status it is sent with. */
export const statusOfCode = {
  invalid: 400,
  permission: 403,
  notFound: 404,
  conflict: 409,
  refused: 422,
  failed: 500,
  unavailable: 503,
  noQuorum: 503,
  timedOut: 504,
} as const;

/** The body of every answer that is no success. */
export interface ErrorBody {
  readonly error: {
    readonly code: keyof typeof statusOfCode;
    readonly message: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}
