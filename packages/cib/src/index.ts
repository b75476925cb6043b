/** Configuration and status of the cluster: the model, versions, changes, and Pacemaker's XML at the door. */
export * from './document.ts';
export * from './schema/check.ts';
