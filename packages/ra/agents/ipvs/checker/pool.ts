/**
 * What the results of checks mean for a service: which servers are up, whether they are enough, and the weight that each
 * should have now. Pure: results and the time go in, the wanted rules come out.
 */
import type { Check } from './check-line.ts';
import type { CheckResult } from './result.ts';
import { checksOf, type RealServer, type SorryServer, type VirtualService } from './rules.ts';

interface CheckState {
  /** Results in a row that were like the last one. */
  streak: number;
  last: boolean | undefined;
  isUp: boolean;
  /** A script or file may say how much the server can take. */
  weight: number | undefined;
}

interface ServerState {
  readonly checks: CheckState[];
  isUp: boolean;
  /** When it came up again, for a slow start. */
  upSince: number;
  /** Taken out of service by hand. */
  isResting: boolean;
  /** Of the last result that made it up or down. */
  reason: string;
}

/** Something that happened to a service or one of its servers, for the log and the notify program. */
export interface PoolEvent {
  readonly what: 'up' | 'down';
  readonly service: string;
  /** Absent when the service as a whole gained or lost its quorum. */
  readonly server?: string;
  readonly reason: string;
}

/** A server of the service as it should be in the kernel; those that are not listed should not be there. */
export interface WantedServer {
  readonly address: string;
  readonly weight: number;
  /** The line that adds it. */
  readonly line: string;
}

/** How many steps a slow start takes. */
const slowStartSteps = 10;

export class Pool {
  readonly service: VirtualService;
  readonly #servers = new Map<string, ServerState>();
  #hasQuorum: boolean;

  /** `known` are servers that were down when somebody last looked, with the reason. */
  constructor(service: VirtualService, known: ReadonlyMap<string, string> = new Map()) {
    this.service = service;
    for (const server of service.servers) {
      const before = known.get(server.address);
      const isChecked = checksOf(service, server).length > 0;
      const isUp = !isChecked || (!service.isDownAtFirst && before === undefined);
      const checks = checksOf(service, server).map(() => ({ streak: 0, last: undefined, isUp, weight: undefined }));
      const reason = before ?? 'not checked yet';
      this.#servers.set(server.address, { checks, isUp, upSince: Number.NEGATIVE_INFINITY, isResting: false, reason });
    }
    this.#hasQuorum = this.#weightUp() >= service.quorum;
  }

  get hasQuorum(): boolean {
    return this.#hasQuorum;
  }

  isUp(address: string): boolean {
    return this.#servers.get(address)?.isUp ?? false;
  }

  /** Takes in the result of a server's check (by its place among the server's checks). `weight`: a script's own. */
  report(address: string, index: number, result: CheckResult, now: number): readonly PoolEvent[] {
    const server = this.#servers.get(address);
    const state = server?.checks[index];
    const check = this.#check(address, index);
    if (server === undefined || state === undefined || check === undefined) return [];
    state.streak = state.last === result.ok ? state.streak + 1 : 1;
    state.last = result.ok;
    if (result.ok) state.weight = result.weight;
    if (state.isUp !== result.ok && state.streak >= (result.ok ? check.up : check.down)) state.isUp = result.ok;

    const events: PoolEvent[] = [];
    const isUp = server.checks.every((one) => one.isUp);
    if (isUp !== server.isUp) {
      server.isUp = isUp;
      server.reason = result.reason;
      if (isUp) server.upSince = now;
      events.push({ what: isUp ? 'up' : 'down', service: this.service.name, server: address, reason: result.reason });
    }
    return [...events, ...this.#judgeQuorum()];
  }

  /** Whether the results so far do not suffice to call the server the other way, so that the next look should come soon. */
  isInDoubt(address: string, index: number): boolean {
    const state = this.#servers.get(address)?.checks[index];
    return state?.last !== undefined && state.last !== state.isUp;
  }

  /** A server that rests gets no new connections; those that it has go on. */
  rest(address: string, isResting: boolean): readonly PoolEvent[] {
    const server = this.#servers.get(address);
    if (server === undefined || server.isResting === isResting) return [];
    server.isResting = isResting;
    return this.#judgeQuorum();
  }

  /** What an operator should know: who is down and why; nothing where all is well. */
  describe(): readonly string[] {
    const { name, servers } = this.service;
    const lines = servers.flatMap(({ address }) => {
      const state = this.#servers.get(address);
      return state === undefined || state.isUp ? [] : [`${address} of ${name} is down: ${state.reason}`];
    });
    return this.#hasQuorum ? lines : [`without quorum ${name}: ${this.#tellWeight()}`, ...lines];
  }

  #judgeQuorum(): readonly PoolEvent[] {
    const { quorum, hysteresis, name } = this.service;
    const weight = this.#weightUp();
    const has = this.#hasQuorum ? weight > 0 && weight >= quorum - hysteresis : weight >= quorum + hysteresis;
    if (has === this.#hasQuorum) return [];
    this.#hasQuorum = has;
    return [{ what: has ? 'up' : 'down', service: name, reason: this.#tellWeight() }];
  }

  #tellWeight(): string {
    return `servers that are up have a weight of ${this.#weightUp()}; ${this.service.quorum} are wanted`;
  }

  #weightUp(): number {
    return this.service.servers.reduce((sum, server) => {
      const state = this.#servers.get(server.address);
      return sum + (state?.isUp === true && !state.isResting ? weightOf(server, state) : 0);
    }, 0);
  }

  #check(address: string, index: number): Check | undefined {
    const server = this.service.servers.find((one) => one.address === address);
    return server === undefined ? undefined : checksOf(this.service, server)[index];
  }

  /** The servers that the kernel should have now. */
  wanted(now: number): readonly WantedServer[] {
    const { service } = this;
    if (!this.#hasQuorum && service.sorry !== undefined) {
      const kept = service.onDown === 'quiesce' ? service.servers : [];
      return [
        { address: service.sorry.address, weight: 1, line: sorryLine(service, service.sorry) },
        ...kept.map(({ address, line }) => ({ address, weight: 0, line })),
      ];
    }
    return service.servers.flatMap((server): readonly WantedServer[] => {
      const state = this.#servers.get(server.address);
      if (state?.isUp !== true) {
        return service.onDown === 'quiesce' ? [{ address: server.address, weight: 0, line: server.line }] : [];
      }
      if (state.isResting) return [{ address: server.address, weight: 0, line: server.line }];
      return [{ address: server.address, weight: this.#weight(server, state, now), line: server.line }];
    });
  }

  #weight(server: RealServer, state: ServerState, now: number): number {
    const full = weightOf(server, state);
    const passed = now - state.upSince;
    if (this.service.slowStartMs === 0 || passed >= this.service.slowStartMs || full === 0) return full;
    const step = Math.floor((passed / this.service.slowStartMs) * slowStartSteps) + 1;
    return Math.max(1, Math.floor((full * step) / slowStartSteps));
  }
}

/** The least that any check says the server can take, or what the ruleset says. */
function weightOf(server: RealServer, { checks }: ServerState): number {
  const said = checks.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
  return said.length === 0 ? server.weight : Math.min(...said);
}

/** Without a word about it the sorry server is reached in the way the others are; a local one always directly. */
function sorryLine(service: VirtualService, { address, options }: SorryServer): string {
  const method = /\s(-[gmi])\b/u.exec(service.servers[0]?.line ?? '')?.[1] ?? '-g';
  const way = options === '' ? (address.startsWith('127.') ? '-g' : method) : options;
  return `-a ${service.name} -r ${address} ${way} -w 1`;
}

/** The lines for ipvsadm that lead from what the kernel has to what it should have. */
export function commands(
  service: string,
  present: readonly WantedServer[],
  wanted: readonly WantedServer[],
): readonly string[] {
  const lines: string[] = [];
  for (const server of wanted) {
    const old = present.find((one) => one.address === server.address);
    const line = withWeight(server.line, server.weight);
    if (old === undefined) lines.push(line);
    else if (old.weight !== server.weight) lines.push(line.replace(/^(?:-a|--add-server)\b/u, '-e'));
  }
  for (const server of present) {
    if (wanted.every((one) => one.address !== server.address)) lines.push(`-d ${service} -r ${server.address}`);
  }
  return lines;
}

export const withWeight = (line: string, weight: number): string =>
  /\s(?:-w|--weight)\s+\d+/u.test(line)
    ? line.replace(/\s(?:-w|--weight)\s+\d+/u, ` -w ${weight}`)
    : `${line} -w ${weight}`;
