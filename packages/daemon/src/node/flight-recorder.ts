/**
 * Messaging's flight recorder: a port that hands everything on to the engine and keeps what went in, and what of what came
 * out an operator would ask about. Everything since the engine's start while that is little; the last minute at least,
 * while that fits.
 */
import type { Epoch, Instant } from '@systole/kernel';
import {
  drawnText,
  type EngineEffect,
  type EngineInput,
  type EngineStatus,
  lengthOf,
  recorded,
  type RecordingStart,
  type StateRecord,
  Tape,
  trimmed,
  withoutKeys,
} from '@systole/messaging';
import type { NodePorts } from './contract.ts';
import { localMessaging, type MessagingPort, type MessagingSetup } from './messaging-port.ts';

/** So much is kept whatever its age: a young engine can be replayed from its start. */
const keptBytes = 8 * 1024 * 1024;
/** Beyond it only what is younger than this. */
const keptMs = 60_000;
/** And never more than this. */
const bytesMax = 32 * 1024 * 1024;
/** What an entry costs beside its bytes; a guess on the safe side. */
const entryBytes = 256;
const statusEveryMs = 30_000;

/** What is told of the effects: what changed for the layers above, and what was reported. */
const toldTypes: ReadonlySet<EngineEffect['type']> = new Set([
  'view',
  'viewActive',
  'viewEnding',
  'quorum',
  'report',
  'left',
  'restart',
  'stopped',
  'rejected',
  'keyInUse',
]);

export const isTold = ({ type }: EngineEffect): boolean => toldTypes.has(type);

type Entry =
  | {
      readonly type: 'step';
      readonly at: Instant;
      readonly input: EngineInput;
      /** Of its datagram or body, of which little is kept. */
      readonly length: number;
      readonly plain: Uint8Array | undefined;
      readonly drawn: readonly (number | Uint8Array)[];
      readonly told: readonly EngineEffect[];
      readonly size: number;
    }
  | {
      readonly type: 'setup';
      readonly at: Instant;
      readonly setup: MessagingSetup;
      readonly drawn: readonly (number | Uint8Array)[];
      readonly told: readonly EngineEffect[];
      readonly size: number;
    }
  | { readonly type: 'status'; readonly at: Instant; readonly status: EngineStatus; readonly size: number };

export class FlightRecorder implements MessagingPort {
  readonly #port: MessagingPort;
  readonly #tape = new Tape();
  readonly #start: RecordingStart & { readonly setup: unknown };
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  #isWhole = true;
  #statusAt = 0;

  constructor(
    setup: MessagingSetup,
    ports: Pick<NodePorts, 'random' | 'seal' | 'wallClock'>,
    saved: StateRecord | undefined,
    now: Instant,
  ) {
    const wall = ports.wallClock();
    const taped = {
      random: this.#tape.random(ports.random),
      seal: this.#tape.seal(ports.seal),
      wallClock: (): Epoch => wall,
    };
    this.#port = localMessaging(setup, taped, saved, now);
    this.#start = {
      format: 'systole-recording/1',
      setup: withoutSecrets(setup),
      configuration: withoutKeys(setup.configuration),
      ...(saved === undefined ? {} : { saved }),
      wall,
      now,
      drawn: drawnText(this.#tape.take().drawn),
    };
  }

  step(input: EngineInput, now: Instant): readonly EngineEffect[] {
    let effects: readonly EngineEffect[] = [];
    try {
      effects = this.#port.step(input, now);
    } finally {
      // Also of a step that threw: it is the one that will be asked about.
      const { plain, drawn } = this.#tape.take();
      const size = entryBytes + (plain?.length ?? 0);
      this.#keep({
        type: 'step',
        at: now,
        input: trimmed(input),
        length: lengthOf(input),
        plain,
        drawn,
        told: effects.filter(isTold),
        size,
      });
    }
    return effects;
  }

  reconfigure(setup: MessagingSetup, now: Instant): readonly EngineEffect[] {
    const effects = this.#port.reconfigure(setup, now);
    const { drawn } = this.#tape.take();
    const shown = effects.filter(isTold);
    this.#keep({ type: 'setup', at: now, setup, drawn, told: shown, size: 4 * entryBytes });
    return effects;
  }

  wakeAt(): Instant {
    return this.#port.wakeAt();
  }

  status(now: Instant): EngineStatus {
    return this.#port.status(now);
  }

  isQuorumHeldNow(): boolean {
    return this.#port.isQuorumHeldNow();
  }

  /** The recording so far, a line at a time; what happens while it is read is not in it. */
  *lines(reason: string): Generator<string> {
    const entries = this.#entries.slice(this.#first);
    yield JSON.stringify({ ...this.#start, isWhole: this.#isWhole, reason });
    for (const entry of entries) yield JSON.stringify(lineOf(entry));
  }

  #keep(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.size;
    if (entry.at >= this.#statusAt && entry.type !== 'status') {
      this.#statusAt = entry.at + statusEveryMs;
      this.#keep({ type: 'status', at: entry.at, status: this.#port.status(entry.at), size: 16 * entryBytes });
    }
    while (this.#bytes > keptBytes) {
      const oldest = this.#entries[this.#first];
      if (oldest === undefined || (this.#bytes <= bytesMax && entry.at - oldest.at <= keptMs)) break;
      this.#first += 1;
      this.#bytes -= oldest.size;
      this.#isWhole = false;
    }
    // Shifting each would move the rest every time.
    if (this.#first > 4096 && this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

function lineOf(entry: Entry): object {
  switch (entry.type) {
    case 'status':
      return { type: 'status', at: entry.at, status: entry.status };
    case 'setup':
      return {
        type: 'setup',
        at: entry.at,
        setup: withoutSecrets(entry.setup),
        drawn: drawnText(entry.drawn),
        told: entry.told,
      };
    case 'step': {
      const { at, input, length, plain, drawn } = entry;
      return {
        type: 'step',
        at,
        input: recorded(input, length, plain),
        ...(drawn.length === 0 ? {} : { drawn: drawnText(drawn) }),
        ...(entry.told.length === 0 ? {} : { told: entry.told }),
      };
    }
  }
}

/** Key bytes are an empty array in text, and again in what is read from it. */
const withoutSecrets = (setup: MessagingSetup): object => ({
  ...setup,
  configuration: {
    ...setup.configuration,
    keys: setup.configuration.keys.map(({ id, primary }) => ({ id, primary, key: [] })),
  },
});
