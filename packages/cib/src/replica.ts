/**
 * This node's copy of the CIB. All members apply the same changes in the same order, so all copies stay the same; a
 * node that was away takes a whole copy from one that was not. No I/O: the owner saves and sends.
 */
import { fail, ok, type Epoch, type Result } from '@systole/kernel';
import { applyChange, type Change, type Conflict, diff, invertChange, touchesConfiguration } from './change.ts';
import { cibDigest } from './digest.ts';
import { emptyCib } from './empty.ts';
import type { Cib } from './model/cib.ts';
import type { Configuration } from './model/configuration.ts';
import { compareVersions, type CibVersion, formatVersion } from './version.ts';

/** So many earlier configurations can be returned to. */
export const earlierConfigurationsMax = 100;

/** Who changed the configuration, when, and how to take it back. */
export interface ConfigurationRecord {
  /** The version that the change led to. */
  readonly version: CibVersion;
  readonly at: Epoch;
  readonly user: string;
  /** The command that was given, if one was. */
  readonly command?: string;
  readonly inverse: Change;
}

/** Everything of a replica that must survive. */
export interface ReplicaState {
  readonly cib: Cib;
  /** Oldest first. */
  readonly records: readonly ConfigurationRecord[];
}

export interface Author {
  readonly at: Epoch;
  readonly user: string;
  readonly command?: string;
}

export class Replica {
  #state: ReplicaState;

  constructor(state: ReplicaState = { cib: emptyCib, records: [] }) {
    this.#state = state;
  }

  get cib(): Cib {
    return this.#state.cib;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Equal on two members exactly if their copies are. */
  digest(): string {
    return cibDigest(this.cib);
  }

  /** Applies a change in its turn. Fails, and changes nothing, where an edit meets something else than it expects. */
  accept(change: Change, author: Author): Result<Cib, readonly Conflict[]> {
    const applied = applyChange(this.cib, change);
    if (!applied.ok) return applied;
    const records = touchesConfiguration(change)
      ? [
          ...this.#state.records.slice(1 - earlierConfigurationsMax),
          { version: applied.value.version, ...author, inverse: invertChange(change, applied.value.version) },
        ]
      : this.#state.records;
    this.#state = { cib: applied.value, records };
    return applied;
  }

  /**
   * Takes over a whole copy. An older one than ours is refused unless `force` says that the quorate partition has
   * decided for it: ours then was never acknowledged.
   */
  install(state: ReplicaState, options: { readonly force: boolean }): Result<Cib, string> {
    const [theirs, ours] = [state.cib.version, this.cib.version];
    if (compareVersions(theirs, ours) < 0 && !options.force) {
      return fail(`the offered CIB ${formatVersion(theirs)} is older than ours, ${formatVersion(ours)}`);
    }
    this.#state = state;
    return ok(state.cib);
  }

  /** The change that leads from the present configuration back to the one that was in force at `epoch`. */
  changeBackTo(epoch: number): Result<Change, string> {
    const earlier = this.configurationAt(epoch);
    if (!earlier.ok) return earlier;
    return ok(diff(this.cib, { ...this.cib, configuration: earlier.value }));
  }

  /** The configuration that was in force at `epoch`; fails if it is the future or too long ago. */
  configurationAt(epoch: number): Result<Configuration, string> {
    const present = this.cib.version.epoch;
    if (epoch > present) return fail(`configuration ${epoch} is not there yet; the present one is ${present}`);
    let cib = this.cib;
    for (const record of this.#state.records.toReversed()) {
      if (record.version.epoch <= epoch) break;
      const undone = applyChange(cib, record.inverse);
      if (!undone.ok)
        return fail(`configuration ${record.version.epoch} cannot be taken back: its record does not fit`);
      cib = { ...undone.value, version: record.inverse.base };
    }
    const oldest = this.#state.records[0];
    if (epoch < present && (oldest === undefined || epoch < oldest.version.epoch - 1)) {
      return fail(`configuration ${epoch} is no longer kept; the last ${this.#state.records.length} changes are`);
    }
    return ok(cib.configuration);
  }
}
