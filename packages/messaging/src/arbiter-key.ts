/** The key that a third site gets: enough to talk with the members about votes, useless for posing as one of them. */
import { hkdfSync } from 'node:crypto';
import type { ClusterKey } from './configuration.ts';

/** Derived from the cluster key, with the same id. The cluster key cannot be found from it. */
export const arbiterKey = ({ id, key, primary }: ClusterKey, clusterName: string): ClusterKey => ({
  id,
  primary,
  key: new Uint8Array(hkdfSync('sha256', key, clusterName, 'systole/1/arbiter', 32)),
});
