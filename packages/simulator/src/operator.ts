/**
 * The people at the cluster: an operator who sets it up and gives commands as the plan says, and a client that changes the
 * configuration again and again. What either was told is safe must never be lost.
 */
import type { Cib } from '@systole/cib';
import { diff } from '@systole/cib';
import { nodeIdOf } from '@systole/daemon/node';
import type { ClusterKey } from '@systole/messaging';
import type { Agenda } from './agenda.ts';
import type { Arbiter } from './arbiter.ts';
import { configurationFor, machineName } from './cluster-configuration.ts';
import type { Daemons, Running } from './daemons.ts';
import { between, pick } from './draw.ts';
import type { WorldEvent } from './events.ts';
import { commanded, maintained, requestOf } from './operator-commands.ts';
import type { OperatorCommand, Plan } from './plan.ts';

/** A cluster that has not formed by then is not set up any more. */
const SETUP_MAX_MS = 60_000;
/** After the end of the faults: some departures are only noticed, or end, some time later. */
const FORGIVE_AFTER_MS = [5000, 20_000, 40_000, 80_000] as const;
/** A change of the links has ended, or will not, after so long: a link is tried for five seconds. */
const LINK_CHANGE_MS = 7000;
/** The client's changes that stay in the configuration. */
const MARKERS_KEPT = 40;

export interface OperatorParts {
  readonly plan: Plan;
  readonly agenda: Agenda;
  readonly daemons: Daemons;
  readonly arbiter: Arbiter | undefined;
  /** The cluster key that a machine's key file says is sealed with. */
  readonly primaryKeyOf: (machine: number) => ClusterKey | undefined;
  readonly see: (event: WorldEvent) => void;
}

export class Operator {
  readonly #parts: OperatorParts;
  #isConfigured = false;
  #isAtRest = false;
  #looksAfterArbiter = false;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** Loads the configuration as soon as a quorate node knows all others. */
  setUp(done: () => void): void {
    if (this.#isConfigured) return;
    const { plan, agenda, daemons } = this.#parts;
    agenda.after(500, () => this.setUp(done));
    if (agenda.now > SETUP_MAX_MS) return;
    const chosen = daemons.all.find(([, { quorum, cib }]) => quorum === 'held' && cib !== undefined);
    if (chosen === undefined) return;
    const [machine, { cib }] = chosen;
    // Nodes enter the CIB by themselves; the operator waits until all are known.
    if (cib === undefined || cib.configuration.nodes.length < plan.settings.nodes) return;
    const wanted = { ...cib, configuration: configurationFor(plan.settings, cib.configuration) };
    const request = { type: 'change', change: diff(cib, wanted), user: 'root', command: 'set up' } as const;
    daemons.ask(machine, request, (answer) => {
      if (!answer.ok || this.#isConfigured) return;
      this.#isConfigured = true;
      done();
      if (plan.settings.loadMs > 0) agenda.after(plan.settings.loadMs, () => this.#load(1));
    });
  }

  /**
   * The client stops, and the operator forgives the nodes that came and went too often: each of them may be kept out for
   * five minutes by any other, which is longer than a run waits (simulator, seed 21728).
   */
  rest(): void {
    this.#isAtRest = true;
    const { agenda, daemons, plan } = this.#parts;
    const nodes = Array.from({ length: plan.settings.nodes }, (_, index) => nodeIdOf(machineName(index + 1)));
    for (const after of FORGIVE_AFTER_MS) {
      agenda.after(after, () => {
        for (const [, { life }] of daemons.all) for (const node of nodes) life.give({ type: 'readmit', node });
        this.#endMaintenance();
        for (const [index, command] of this.#linkChanges().entries())
          agenda.after(index * LINK_CHANGE_MS, () => this.command(command));
      });
    }
  }

  /** All that were asked for, in their order: any of them may have been carried out by some nodes only. */
  #linkChanges(): readonly OperatorCommand[] {
    return this.#parts.plan.entries.flatMap(({ fault }) => {
      const isOne =
        fault.kind === 'operator' && (fault.command.type === 'addLink' || fault.command.type === 'removeLink');
      return isOne ? [fault.command] : [];
    });
  }

  command(command: OperatorCommand): void {
    const { daemons, agenda } = this.#parts;
    const chosen = this.#someNode('operator', agenda.now);
    const cib = chosen?.[1].cib;
    if (chosen === undefined || cib === undefined) return;
    const [machine] = chosen;
    const request = requestOf(command, this.#parts.plan.settings.nodes);
    if (request !== undefined) {
      daemons.ask(machine, request, () => undefined);
      if (command.type === 'rotateKey') this.#lookAfterArbiter();
      return;
    }
    const wanted = commanded(cib, command);
    if (wanted !== undefined) this.#change(machine, wanted, cib, undefined);
  }

  /** Changes a parameter of the first of the instances that is a primitive: it is restarted. */
  touch(instances: readonly string[]): void {
    const { plan, agenda } = this.#parts;
    const resource = plan.settings.resources.find(({ id, kind }) => kind === 'primitive' && instances.includes(id))?.id;
    if (resource !== undefined) this.command({ type: 'parameter', resource, value: agenda.now });
  }

  /** The arbiter's key file is changed by hand, some time after the cluster's key. */
  #lookAfterArbiter(): void {
    const { arbiter, agenda, plan, primaryKeyOf } = this.#parts;
    if (arbiter === undefined || this.#looksAfterArbiter) return;
    this.#looksAfterArbiter = true;
    const look = (): void => {
      agenda.after(between(1000, 6000, plan.seed, 'arbiterKey', agenda.now), look);
      const some = this.#someNode('arbiterKey', agenda.now);
      const key = some === undefined ? undefined : primaryKeyOf(some[0]);
      if (key !== undefined && key.id > (arbiter.keyId ?? 0)) arbiter.putKey(key);
    };
    look();
  }

  /** Maintenance ends: nobody looks after what runs while it lasts. Asked until the configuration says so. */
  #endMaintenance(): void {
    const { agenda, daemons } = this.#parts;
    const cib = this.#someNode('endMaintenance', agenda.now)?.[1].cib;
    if (cib === undefined || daemons.all.length === 0) return;
    for (const command of maintained(cib)) this.command(command);
  }

  #load(count: number): void {
    if (this.#isAtRest) return;
    const { agenda, plan } = this.#parts;
    agenda.after(between(1, 2 * plan.settings.loadMs, plan.seed, 'load', count), () => this.#load(count + 1));
    const chosen = this.#someNode('load', count);
    const cib = chosen?.[1].cib;
    if (chosen === undefined || cib === undefined) return;
    const marker = `m${count}`;
    // The oldest by number go. By place they would not: one that was put into an old CIB stands among older ones.
    const old = cib.configuration.tags.map(({ id }) => Number(id.slice(1))).toSorted((a, b) => b - a);
    const oldest = old[MARKERS_KEPT - 1] ?? 0;
    const kept = cib.configuration.tags.filter(({ id }) => Number(id.slice(1)) >= oldest);
    const tags = [...kept, { id: marker, members: [] }];
    this.#change(chosen[0], { ...cib, configuration: { ...cib.configuration, tags } }, cib, marker);
  }

  #change(machine: number, wanted: Cib, cib: Cib, marker: string | undefined): void {
    const change = diff(cib, wanted);
    if (change.edits.length === 0) return;
    const { daemons, see } = this.#parts;
    daemons.ask(machine, { type: 'change', change, user: 'root' }, (answer) => {
      if (answer.ok) see({ type: 'acknowledged', machine, marker, change });
    });
  }

  /** Some running node that has a CIB, those with quorum first. */
  #someNode(...names: readonly (string | number)[]): readonly [number, Running] | undefined {
    const able = this.#parts.daemons.all.filter(([, running]) => running.cib !== undefined);
    const quorate = able.filter(([, running]) => running.quorum === 'held');
    const from = quorate.length > 0 ? quorate : able;
    return from.length === 0 ? undefined : pick(from, this.#parts.plan.seed, 'someNode', ...names);
  }
}
