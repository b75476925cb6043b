/**
 * The agents of the simulated world: what a started process does to the services of its machine, how long it takes, and
 * how it goes wrong when the plan says so.
 */
import { exitCode } from '@systole/ra';
import { between, share } from './draw.ts';
import type { Service, Services } from './services.ts';

export interface AgentFault {
  /** `lies`: a monitor says that a healthy service is broken. */
  readonly kind: 'fails' | 'hangs' | 'slow' | 'lies';
  readonly resource: string;
  /** Absent: every operation. */
  readonly operation?: string;
  /** Absent: on every machine. */
  readonly machine?: number;
}

export interface Run {
  readonly machine: number;
  readonly instance: string;
  readonly resource: string;
  readonly operation: string;
  /** How many runs there were before, of this operation of this instance on this machine. */
  readonly count: number;
}

/** What a run will come to: after `durationMs` with `code`, or never by itself. */
export interface Course {
  readonly durationMs: number | undefined;
  readonly ignoresTerm: boolean;
  readonly end: () => { readonly code: number; readonly reason: string };
  /** It was ended from outside, half done. */
  readonly interrupt: () => void;
}

export class Agents {
  readonly #seed: number;
  readonly #services: Services;
  readonly #faults = new Set<AgentFault>();
  readonly #counts = new Map<string, number>();

  constructor(seed: number, services: Services) {
    this.#seed = seed;
    this.#services = services;
  }

  add(fault: AgentFault): void {
    this.#faults.add(fault);
  }

  remove(fault: AgentFault): void {
    this.#faults.delete(fault);
  }

  heal(): void {
    this.#faults.clear();
  }

  /** Begins a run. What begins to start counts as running from here on. */
  begin(machine: number, instance: string, operation: string): Course {
    const key = `${machine} ${instance} ${operation}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const run: Run = { machine, instance, resource: instance.replace(/:\d+$/, ''), operation, count };
    const fault = this.#faultOf(run);
    const usual = this.#durationOf(run);
    const course = this.#course(run, fault);
    if (fault?.kind === 'hangs')
      return { ...course, durationMs: undefined, ignoresTerm: share(this.#seed, 'term', key, count) < 0.3 };
    return { ...course, durationMs: fault?.kind === 'slow' ? usual * 20 : usual, ignoresTerm: false };
  }

  #faultOf(run: Run): AgentFault | undefined {
    for (const fault of this.#faults) {
      if (fault.resource !== run.resource) continue;
      if (fault.operation !== undefined && fault.operation !== run.operation) continue;
      if (fault.machine === undefined || fault.machine === run.machine) return fault;
    }
    return undefined;
  }

  #durationOf({ machine, instance, operation, count }: Run): number {
    const key = `${machine} ${instance} ${operation}`;
    const isQuick = operation === 'monitor' || operation === 'meta-data' || operation === 'notify';
    return isQuick ? between(5, 30, this.#seed, 'quick', key, count) : between(20, 400, this.#seed, 'long', key, count);
  }

  #course(run: Run, fault: AgentFault | undefined): Pick<Course, 'end' | 'interrupt'> {
    const { machine, instance, operation } = run;
    const services = this.#services;
    const here = (): Service | undefined => services.on(machine, instance);
    const set = (state: Service['state'] | 'stopped', why: string): void => services.set(machine, instance, state, why);
    const fails = fault?.kind === 'fails';
    const halfDone = (): boolean => share(this.#seed, 'half', machine, instance, operation, run.count) < 0.5;
    const nothing = (): void => undefined;
    switch (operation) {
      case 'start': {
        const wasRunning = here() !== undefined;
        if (!wasRunning) set('starting', 'start begins');
        const giveUp = (why: string): void => {
          const service = here();
          if (service?.state !== 'starting') return;
          if (halfDone()) {
            set('started', why);
            service.isFailed = true;
          } else set('stopped', why);
        };
        return {
          end: () => {
            if (fails) {
              giveUp('start failed');
              return result(exitCode.generic, 'the plan says so');
            }
            if (here()?.state === 'starting') set('started', 'started');
            return result(exitCode.ok);
          },
          interrupt: () => giveUp('start interrupted'),
        };
      }
      case 'stop': {
        const before = here();
        if (before !== undefined && before.state !== 'stopping') set('stopping', 'stop begins');
        return {
          end: () => {
            if (fails) return result(exitCode.generic, 'the plan says so');
            set('stopped', 'stopped');
            return result(exitCode.ok);
          },
          interrupt: nothing, // it still counts as running
        };
      }
      case 'promote':
        if (here() !== undefined && here()?.state !== 'promoted') set('promoting', 'promote begins');
        return {
          end: () => {
            if (here() === undefined) return result(exitCode.notRunning);
            if (fails) {
              set(halfDone() ? 'promoted' : 'started', 'promote failed');
              return result(exitCode.generic, 'the plan says so');
            }
            set('promoted', 'promoted');
            return result(exitCode.ok);
          },
          interrupt: () => {
            if (here()?.state === 'promoting') set(halfDone() ? 'promoted' : 'started', 'promote interrupted');
          },
        };
      case 'demote':
        if (here()?.state === 'promoted' || here()?.state === 'promoting') set('demoting', 'demote begins');
        return {
          end: () => {
            if (here() === undefined) return result(exitCode.notRunning);
            if (fails) return result(exitCode.generic, 'the plan says so');
            set('started', 'demoted');
            return result(exitCode.ok);
          },
          interrupt: nothing,
        };
      case 'monitor':
      case 'status':
        return {
          end: () => {
            const service = here();
            if (service === undefined) return result(exitCode.notRunning);
            if (fails || fault?.kind === 'lies' || service.isFailed)
              return result(service.state === 'promoted' ? exitCode.failedPromoted : exitCode.generic, 'it is broken');
            return result(
              service.state === 'promoted' || service.state === 'demoting' ? exitCode.promoted : exitCode.ok,
            );
          },
          interrupt: nothing,
        };
      case 'notify':
      case 'validate-all':
      case 'meta-data':
        return { end: () => result(exitCode.ok), interrupt: nothing };
      default:
        return { end: () => result(exitCode.unimplemented, `no operation ${operation}`), interrupt: nothing };
    }
  }
}

const result = (code: number, reason = ''): { readonly code: number; readonly reason: string } => ({ code, reason });

/** What the simulated OCF agent says of itself. */
export const agentDescription = `<resource-agent name="service"><version>1.1</version>
<parameters><parameter name="value"><content type="string"/></parameter></parameters>
<actions>${['start', 'stop', 'monitor', 'promote', 'demote', 'notify', 'meta-data', 'validate-all']
  .map((name) => `<action name="${name}" timeout="20s"/>`)
  .join('')}</actions></resource-agent>`;
