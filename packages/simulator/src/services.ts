/**
 * The true state of every service on every machine: what really runs, whatever the cluster believes.
 *
 * Nothing here stops a service from being started on two machines at once: that it can happen is the point, and law S1
 * is what notices it. A service counts as running from the moment its start begins until its stop has ended.
 */

export type ServiceState = 'starting' | 'started' | 'promoting' | 'promoted' | 'demoting' | 'stopping';

export interface Service {
  state: ServiceState;
  /** It runs, but its monitor says that it is broken. */
  isFailed: boolean;
}

/** Something that changed in the world; laws look at it at once. */
export interface ServiceEvent {
  readonly machine: number;
  /** The primitive's id, without the number of an instance. */
  readonly resource: string;
  /** `web:1` for an instance that has a number of its own. */
  readonly instance: string;
  readonly before: ServiceState | 'stopped';
  readonly after: ServiceState | 'stopped';
  readonly why: string;
}

export class Services {
  readonly #machines = new Map<number, Map<string, Service>>();
  readonly #tell: (event: ServiceEvent) => void;

  constructor(tell: (event: ServiceEvent) => void) {
    this.#tell = tell;
  }

  /** Undefined while stopped. */
  on(machine: number, instance: string): Service | undefined {
    return this.#machines.get(machine)?.get(instance);
  }

  set(machine: number, instance: string, after: ServiceState | 'stopped', why: string): void {
    const here = this.#machines.get(machine) ?? new Map<string, Service>();
    this.#machines.set(machine, here);
    const service = here.get(instance);
    const before = service?.state ?? 'stopped';
    if (before === after) return;
    if (after === 'stopped') here.delete(instance);
    else if (service === undefined) here.set(instance, { state: after, isFailed: false });
    else service.state = after;
    this.#tell({ machine, resource: resourceOf(instance), instance, before, after, why });
  }

  /** The machine lost its power: nothing runs there any more. */
  powerOff(machine: number): void {
    for (const instance of (this.#machines.get(machine) ?? new Map<string, Service>()).keys())
      this.set(machine, instance, 'stopped', 'power off');
  }

  /** Machines on which an instance of the resource is in any state but stopped, in ascending order. */
  where(
    resource: string,
  ): readonly { readonly machine: number; readonly instance: string; readonly service: Service }[] {
    const found: { machine: number; instance: string; service: Service }[] = [];
    for (const [machine, here] of this.#machines) {
      for (const [instance, service] of here) {
        if (resourceOf(instance) === resource) found.push({ machine, instance, service });
      }
    }
    return found.toSorted((a, b) => a.machine - b.machine);
  }

  /** What runs on a machine, by instance. */
  running(machine: number): readonly (readonly [string, Service])[] {
    return [...(this.#machines.get(machine) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** `web:1` is an instance of `web`. */
export const resourceOf = (instance: string): string => instance.replace(/:\d+$/, '');
