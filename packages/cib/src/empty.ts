/** The CIB of a cluster that has not been configured yet. */
import type { Cib } from './model/cib.ts';
import type { Configuration } from './model/configuration.ts';

export const emptyConfiguration: Configuration = {
  options: [],
  resourceDefaults: [],
  operationDefaults: [],
  nodes: [],
  resources: [],
  constraints: [],
  tags: [],
  fencingLevels: [],
  acls: { roles: [], targets: [], groups: [] },
  alerts: [],
};

/** Older than every other: a node that has it takes anybody's. */
export const emptyCib: Cib = {
  version: { adminEpoch: 0, epoch: 0, updates: 0 },
  header: {},
  configuration: emptyConfiguration,
  status: { nodes: [], tickets: [] },
};
