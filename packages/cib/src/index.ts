/**
 * Configuration and status of the cluster: the model, versions, changes, and Pacemaker's XML at the door. What checks a
 * CIB from outside against the schemas is at `@systole/cib/schema`: loading the schemas takes longer than everything
 * else together, and most programs check nothing.
 */
export * from './acl.ts';
export * from './attributes.ts';
export * from './change.ts';
export * from './digest.ts';
export * from './empty.ts';
export * from './facts.ts';
export * from './model/attributes.ts';
export * from './model/cib.ts';
export * from './model/configuration.ts';
export * from './model/constraints.ts';
export * from './model/resources.ts';
export * from './model/status.ts';
export * from './replica.ts';
export * from './named-resources.ts';
export * from './parameter-digest.ts';
export * from './primitives.ts';
export * from './rules/calendar.ts';
export * from './rules/compare.ts';
export * from './rules/evaluate.ts';
export * from './rules/references.ts';
export * from './score.ts';
export * from './version.ts';
export { exportCib, exportConfiguration } from './xml/export.ts';
export { type Imported, importCib, type ImportProblem } from './xml/import.ts';
export { type Note, parseBoolean, parseRole } from './xml/reading.ts';
export { selectXml } from './xml/select.ts';
export { escapeXml } from './xml/writer.ts';
export { parseXPath } from './xml/xpath.ts';
