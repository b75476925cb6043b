/**
 * What the results of checks mean for a service: which servers are up, whether they are enough, and the weight that each
 * should have now. Pure: results and the time go in, the wanted rules come out.
 */
import type { Check, RealServer, VirtualService } from './rules.ts';

interface CheckState {
  /** Results in a row that were like the last one. */
  streak: number;
  last: boolean | undefined;
  isUp: boolean;
}

interface ServerState {
  readonly checks: CheckState[];
  isUp: boolean;
  /** When it came up again, for a slow start. */
  upSince: number;
  /** A script may answer with a weight of its own. */
  weight: number | undefined;
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

  constructor(service: VirtualService) {
    this.service = service;
    for (const server of service.servers) {
      const isUp = !service.isDownAtFirst;
      const checks = checksOf(service, server).map(() => ({ streak: 0, last: undefined, isUp }));
      this.#servers.set(server.address, { checks, isUp, upSince: Number.NEGATIVE_INFINITY, weight: undefined });
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
    if (result.ok) server.weight = result.weight;
    if (state.isUp !== result.ok && state.streak >= (result.ok ? check.up : check.down)) state.isUp = result.ok;

    const events: PoolEvent[] = [];
    const isUp = server.checks.every((one) => one.isUp);
    if (isUp !== server.isUp) {
      server.isUp = isUp;
      if (isUp) server.upSince = now;
      events.push({ what: isUp ? 'up' : 'down', service: this.service.name, server: address, reason: result.reason });
    }
    return [...events, ...this.#judgeQuorum()];
  }

  #judgeQuorum(): readonly PoolEvent[] {
    const { quorum, hysteresis, name } = this.service;
    const weight = this.#weightUp();
    const has = this.#hasQuorum ? weight > 0 && weight >= quorum - hysteresis : weight >= quorum + hysteresis;
    if (has === this.#hasQuorum) return [];
    this.#hasQuorum = has;
    const reason = `servers that are up have a weight of ${weight}; ${quorum} are wanted`;
    return [{ what: has ? 'up' : 'down', service: name, reason }];
  }

  #weightUp(): number {
    const { servers } = this.service;
    return servers.reduce((sum, server) => sum + (this.isUp(server.address) ? Math.max(1, server.weight) : 0), 0);
  }

  #check(address: string, index: number): Check | undefined {
    const server = this.service.servers.find((one) => one.address === address);
    return server === undefined ? undefined : checksOf(this.service, server)[index];
  }

  /** The servers that the kernel should have now. */
  wanted(now: number): readonly WantedServer[] {
    const { service } = this;
    if (!this.#hasQuorum && service.sorry !== undefined) {
      return [{ address: service.sorry, weight: 1, line: sorryLine(service, service.sorry) }];
    }
    return service.servers.flatMap((server): readonly WantedServer[] => {
      const state = this.#servers.get(server.address);
      if (state?.isUp !== true) {
        return service.onDown === 'quiesce' ? [{ address: server.address, weight: 0, line: server.line }] : [];
      }
      return [{ address: server.address, weight: this.#weight(server, state, now), line: server.line }];
    });
  }

  #weight(server: RealServer, state: ServerState, now: number): number {
    const full = state.weight ?? server.weight;
    const passed = now - state.upSince;
    if (this.service.slowStartMs === 0 || passed >= this.service.slowStartMs || full === 0) return full;
    const step = Math.floor((passed / this.service.slowStartMs) * slowStartSteps) + 1;
    return Math.max(1, Math.floor((full * step) / slowStartSteps));
  }
}

export interface CheckResult {
  readonly ok: boolean;
  readonly reason: string;
  readonly weight?: number;
}

/** A server's own checks, or else its service's. */
export const checksOf = (service: VirtualService, server: RealServer): readonly Check[] =>
  server.checks.length > 0 ? server.checks : service.checks;

/** The sorry server is reached in the way the others are; a local one always directly. */
function sorryLine(service: VirtualService, address: string): string {
  const method = /\s(-[gmi])\b/u.exec(service.servers[0]?.line ?? '')?.[1] ?? '-g';
  return `-a ${service.name} -r ${address} ${address.startsWith('127.') ? '-g' : method} -w 1`;
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

const withWeight = (line: string, weight: number): string =>
  /\s(?:-w|--weight)\s+\d+/u.test(line)
    ? line.replace(/\s(?:-w|--weight)\s+\d+/u, ` -w ${weight}`)
    : `${line} -w ${weight}`;
