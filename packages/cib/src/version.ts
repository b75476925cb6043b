/** Versions of the CIB: which of two is newer, and what a change does to them. */

/** Compared in the order of the fields. */
export interface CibVersion {
  /** Raised by an operator's hand only, to make one copy win over all others. */
  readonly adminEpoch: number;
  /** Raised by every change of the configuration; `updates` starts again from 0. */
  readonly epoch: number;
  /** Raised by every change of the status. */
  readonly updates: number;
}

/** Negative if `a` is older than `b`, 0 if they are the same, positive if it is newer. */
export const compareVersions = (a: CibVersion, b: CibVersion): number =>
  a.adminEpoch - b.adminEpoch || a.epoch - b.epoch || a.updates - b.updates;

/** `0.12.3`, as people say it. */
export const formatVersion = (version: CibVersion): string =>
  `${version.adminEpoch}.${version.epoch}.${version.updates}`;

export const afterConfigurationChange = (version: CibVersion): CibVersion => ({
  adminEpoch: version.adminEpoch,
  epoch: version.epoch + 1,
  updates: 0,
});

export const afterStatusChange = (version: CibVersion): CibVersion => ({ ...version, updates: version.updates + 1 });
