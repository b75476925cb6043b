/** Pacemaker's XML at the door: import and export. */
export { exportCib, exportConfiguration } from './export.ts';
export { type Imported, importCib, type ImportProblem } from './import.ts';
export { type Note, parseBoolean, parseRole } from './reading.ts';
export { selectXml } from './select.ts';
export { escapeXml } from './writer.ts';
