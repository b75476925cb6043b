/** Configuration and status of the cluster: the model, versions, changes, and Pacemaker's XML at the door. */
export * from './change.ts';
export * from './digest.ts';
export * from './empty.ts';
export * from './model/attributes.ts';
export * from './model/cib.ts';
export * from './model/configuration.ts';
export * from './model/constraints.ts';
export * from './model/resources.ts';
export * from './model/status.ts';
export * from './replica.ts';
export * from './parameter-digest.ts';
export * from './schema/check.ts';
export * from './score.ts';
export * from './version.ts';
export * from './xml/index.ts';
