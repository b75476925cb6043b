/** Counts what happened, by name: one for each kind of refusal, and for what tells how healthy the protocol is. */

const names = [
  // refused before the seal
  'datagramsShort',
  'datagramsForeign',
  'datagramsVersion',
  'datagramsReserved',
  'datagramsOtherCluster',
  'datagramsUnknownNode',
  'datagramsUnknownLink',
  'datagramsUnknownKey',
  'datagramsOwn',
  'duplicateNode',
  'sessionFlood',
  'replayed',
  // refused by the seal, and behind it
  'unauthenticated',
  'staleIncarnation',
  'staleSession',
  'unproven',
  'malformed',
  'protocolMismatch',
  'misplaced',
  // traffic
  'datagramsReceived',
  'datagramsSent',
  'bytesReceived',
  'bytesSent',
  'sendFailures',
  'framesDropped',
  'heartbeatsSent',
  'heartbeatsReceived',
  // order
  'messagesSubmitted',
  'messagesRejected',
  'messagesDelivered',
  'entriesOrdered',
  'submissionsRepeated',
  'gapsReported',
  'gapsAnswered',
  'tailsSent',
  'receiptsSent',
  'duplicateEntries',
  'reassemblyDropped',
  // membership
  'viewsInstalled',
  'viewsActivated',
  'attempts',
  'attemptsAbandoned',
  'proposalsAccepted',
  'refusedStale',
  'refusedCannotHear',
  'refusedWouldDrop',
  'refusedVersion',
  'refusedConfiguration',
  'pauses',
  'restartsSeen',
] as const;

export type CounterName = (typeof names)[number];

export class Counters {
  readonly #values = Object.fromEntries(names.map((name) => [name, 0])) as Record<CounterName, number>;

  add(name: CounterName, amount = 1): void {
    this.#values[name] += amount;
  }

  /** A copy. */
  snapshot(): Readonly<Record<CounterName, number>> {
    return { ...this.#values };
  }
}
