/**
 * The cluster keys that one node holds, and the rotation it takes part in. Kept as a whole in the node's key file, so a
 * crash finds the ring before a step of the rotation or the ring after it.
 *
 * The ring itself says how far a node has come; there is no other record of a rotation:
 *
 *     before   [A*]          the new key B has not arrived
 *     added    [A*, B]       B is accepted; A still seals
 *     primary  [B*, A]       B seals; A is still accepted
 *     done     [B*]
 */
import type { ClusterKey } from './configuration.ts';

/** What all members agreed to change to. */
export interface Rotation {
  /** Id of the new key. */
  readonly to: number;
  /** Tells it from another key of the same id: 8 digits that follow from the key, and from which it does not follow. */
  readonly print: string;
  /** Number of the view in which it began: where two rotations meet, the later one counts. */
  readonly number: number;
  /** Nodes that the operator left out: nobody waits for them, and they need the new key file before they can come back. */
  readonly without: readonly string[];
}

export interface KeyRing {
  /** Exactly one is primary. */
  readonly keys: readonly ClusterKey[];
  readonly rotation?: Rotation;
}

export const stages = ['before', 'added', 'primary', 'done'] as const;
export type Stage = (typeof stages)[number];

/** A ring as it is shown to others: which keys, never the keys. */
export interface RingReport {
  readonly keys: readonly { readonly id: number; readonly print: string }[];
  /** Id of the key that this node seals with. */
  readonly primary: number;
  readonly rotation?: Rotation;
  /** An arbiter answers this node under an older key only. */
  readonly arbiterBehind?: boolean;
}

export const primaryOf = ({ keys }: KeyRing): ClusterKey => keys.find(({ primary }) => primary) as ClusterKey;

/** How far a node has come with `rotation`. */
export function stageOf({ keys, primary }: RingReport, { to, print }: Rotation): Stage {
  if (!keys.some((key) => key.id === to && key.print === print)) return 'before';
  if (primary !== to) return 'added';
  return keys.length > 1 ? 'primary' : 'done';
}

/** The ring that accepts `key` as well. A key of the same id that was never sealed with gives way to it. */
export const withKey = ({ keys }: KeyRing, key: Uint8Array, rotation: Rotation): KeyRing => ({
  keys: [...keys.filter(({ id, primary }) => primary || id !== rotation.to), { id: rotation.to, key, primary: false }],
  rotation,
});

/** The ring that seals with the new key; it stands first, as in the key file. */
export const withPrimary = ({ keys }: KeyRing, rotation: Rotation): KeyRing => ({
  keys: [
    ...keys.filter(({ id }) => id === rotation.to).map((key) => ({ ...key, primary: true })),
    ...keys.filter(({ id }) => id !== rotation.to).map((key) => ({ ...key, primary: false })),
  ],
  rotation,
});

/** The ring with the new key alone: the rotation is over. */
export const withoutOthers = ({ keys }: KeyRing, { to }: Rotation): KeyRing => ({
  keys: keys.filter(({ id }) => id === to).map((key) => ({ ...key, primary: true })),
});

/** The id of the next new key. */
export const nextKeyId = ({ keys }: KeyRing): number => {
  let id = (primaryOf({ keys }).id + 1) % 65_536;
  while (keys.some((key) => key.id === id)) id = (id + 1) % 65_536;
  return id;
};
