/** Pacemaker's XML at the door: import and export. */
export { escapeXml } from './writer.ts';
export { type Imported, importCib, type ImportProblem } from './import.ts';
export type { Note } from './reading.ts';
