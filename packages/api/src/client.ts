/**
 * The typed client of a daemon. How bytes travel is given to it (a Unix socket in the shell, `app.request` in tests), so
 * that this package needs no sockets.
 */
import type { Change, Cib, CibVersion, Configuration } from '@systole/cib';
import { type ErrorCode, SystoleError } from '@systole/kernel';
import type { AttributesRequest, CleanUpRequest, DeviceRequest, FenceRequest, NetworkRequest } from './requests.ts';
import { type ErrorBody, routes } from './routes.ts';
import type {
  EventRow,
  FencingRow,
  Gathered,
  KeyReport,
  NetworkReport,
  StatusReport,
  TransitionRow,
} from './status.ts';

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** After so long the transport fails with `timedOut`; absent: 40 s. */
  readonly timeoutMs?: number;
}

/** Members get eight seconds to answer; a busy machine packs slowly. */
const GATHER_MS = 30_000;

export interface Transport {
  /** @throws SystoleError `unavailable` where no daemon answers, `permission` where the socket may not be used. */
  request(request: TransportRequest): Promise<{ readonly status: number; readonly body: string }>;
  /** The lines of a stream, until it ends or the caller stops reading. */
  lines(path: string): AsyncIterable<string>;
}

export interface Versioned {
  readonly version: CibVersion;
  readonly text: string;
}

export interface ConfigurationRow {
  readonly version: CibVersion;
  /** Seconds since 1970. */
  readonly at: number;
  readonly user: string;
  readonly command?: string;
}

/** All methods throw SystoleError with the daemon's code and message where it refuses. */
export class Client {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  status(): Promise<StatusReport> {
    return this.#get(routes.status);
  }

  async cib(): Promise<Cib> {
    return (await this.#get<{ readonly cib: Cib }>(routes.cib)).cib;
  }

  /** Answers when the change is on the disks of a quorum. */
  change(change: Change, options: { readonly ifEpoch?: number; readonly command?: string } = {}): Promise<Versioned> {
    return this.#post(routes.change, { change, ...options });
  }

  replace(
    configuration: Configuration,
    options: { readonly ifEpoch?: number; readonly command?: string } = {},
  ): Promise<Versioned> {
    return this.#post(routes.replace, { configuration, ...options });
  }

  async configurations(): Promise<readonly ConfigurationRow[]> {
    return (await this.#get<{ readonly configurations: readonly ConfigurationRow[] }>(routes.configurations))
      .configurations;
  }

  /** The configuration that was in force at `epoch`; the last hundred are kept. */
  async configurationAt(epoch: number): Promise<Configuration> {
    return (await this.#get<{ readonly configuration: Configuration }>(`${routes.configurationAt}?epoch=${epoch}`))
      .configuration;
  }

  undo(epoch: number): Promise<Versioned> {
    return this.#post(routes.undo, { epoch });
  }

  setAttributes(request: AttributesRequest): Promise<unknown> {
    return this.#post(routes.attributes, request);
  }

  cleanUp(request: CleanUpRequest): Promise<unknown> {
    return this.#post(routes.cleanUp, request);
  }

  /** Answers when the node is fenced; a device may take its time. */
  fence(request: FenceRequest): Promise<{ readonly target: string; readonly reason: string }> {
    return this.#post(routes.fence, request, 180_000);
  }

  confirmDown(target: string): Promise<unknown> {
    return this.#post(routes.confirmDown, { target });
  }

  async fencingHistory(): Promise<readonly FencingRow[]> {
    return (await this.#get<{ readonly history: readonly FencingRow[] }>(routes.fencingHistory)).history;
  }

  cleanFencingHistory(target?: string): Promise<unknown> {
    return this.#post(
      `${routes.fencingHistory}/clean${target === undefined ? '' : `?target=${encodeURIComponent(target)}`}`,
      {},
    );
  }

  device(
    request: DeviceRequest,
  ): Promise<{ readonly isOk: boolean; readonly reason: string; readonly targets?: readonly string[] }> {
    return this.#post(routes.device, request, 180_000);
  }

  devices(target: string): Promise<{ readonly devices: readonly string[] }> {
    return this.#get(`${routes.devices}?target=${encodeURIComponent(target)}`);
  }

  messaging(): Promise<Readonly<Record<string, unknown>>> {
    return this.#get(routes.messaging);
  }

  /** What messaging did in the last minute, written to a file on the daemon's machine. */
  async recordMessaging(): Promise<string> {
    return (await this.#post<{ readonly path: string }>(routes.recordMessaging, {})).path;
  }

  quorum(): Promise<Readonly<Record<string, unknown>>> {
    return this.#get(routes.quorum);
  }

  quorumProceed(): Promise<unknown> {
    return this.#post(routes.quorumProceed, {});
  }

  quorumForce(): Promise<unknown> {
    return this.#post(routes.quorumForce, {});
  }

  /** Links and timing as they are in force on the node that answers. */
  network(): Promise<NetworkReport> {
    return this.#get(routes.network);
  }

  /** Answers when all nodes have it, or none. */
  changeNetwork(change: NetworkRequest['change']): Promise<unknown> {
    return this.#post(routes.network, { change });
  }

  keys(): Promise<KeyReport> {
    return this.#get(routes.keys);
  }

  /** Answers when the new key is on this node's disk; the rest happens by itself, and `keys` tells how far it is. */
  rotateKey(without: readonly string[]): Promise<{ readonly to: number }> {
    return this.#post(routes.rotateKey, { without });
  }

  async transitions(): Promise<readonly TransitionRow[]> {
    return (await this.#get<{ readonly transitions: readonly TransitionRow[] }>(routes.transitions)).transitions;
  }

  /** What this daemon has kept, oldest first, from number `since` on. */
  async events(since = 0): Promise<readonly EventRow[]> {
    return (await this.#get<{ readonly events: readonly EventRow[] }>(`${routes.events}?since=${since}`)).events;
  }

  /** What all members of the cluster remember; `since` is in milliseconds since 1970. */
  gather(what: 'events' | 'files' | 'inputs', since = 0): Promise<Gathered> {
    return this.#get(`${routes.gather}?what=${what}&since=${since}`, GATHER_MS);
  }

  /** What a transition was decided from, with whoever keeps that. */
  gatherInput(transition: string): Promise<Gathered> {
    return this.#get(`${routes.gather}?what=input&transition=${encodeURIComponent(transition)}`, GATHER_MS);
  }

  /** Events as they happen. */
  async *eventStream(): AsyncGenerator<EventRow> {
    for await (const line of this.#transport.lines(routes.eventStream)) {
      if (line.startsWith('data:')) yield JSON.parse(line.slice('data:'.length)) as EventRow;
    }
  }

  /** True once the cluster is idle; false if it was not within `timeoutMs`. */
  async waitUntilIdle(timeoutMs: number): Promise<boolean> {
    const path = `${routes.wait}?timeout=${timeoutMs}`;
    return (await this.#get<{ readonly isIdle: boolean }>(path, timeoutMs + 5000)).isIdle;
  }

  /** The node leaves the cluster in order, and its daemon ends. Answers at once. */
  shutDown(): Promise<unknown> {
    return this.#post(routes.shutDown, {});
  }

  async metrics(): Promise<string> {
    const { status, body } = await this.#transport.request({ method: 'GET', path: routes.metrics });
    return status === 200 ? body : thrown(status, body);
  }

  async #get<T>(path: string, timeoutMs?: number): Promise<T> {
    const timeout = timeoutMs === undefined ? {} : { timeoutMs };
    return parsed(await this.#transport.request({ method: 'GET', path, ...timeout }));
  }

  async #post<T>(path: string, body: unknown, timeoutMs?: number): Promise<T> {
    const timeout = timeoutMs === undefined ? {} : { timeoutMs };
    return parsed(await this.#transport.request({ method: 'POST', path, body: JSON.stringify(body), ...timeout }));
  }
}

const parsed = <T>({ status, body }: { readonly status: number; readonly body: string }): T =>
  status >= 200 && status < 300 ? (JSON.parse(body) as T) : thrown(status, body);

function thrown(status: number, body: string): never {
  let error: ErrorBody['error'] | undefined;
  try {
    error = (JSON.parse(body) as Partial<ErrorBody>).error;
  } catch {
    error = undefined;
  }
  if (error === undefined) throw new SystoleError('failed', `the daemon answered ${status}: ${body.slice(0, 200)}`);
  const code: ErrorCode = error.code;
  throw new SystoleError(code, error.message, error.details === undefined ? {} : { details: error.details });
}
