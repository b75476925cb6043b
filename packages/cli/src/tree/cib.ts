/** The `cib` level. */
import { any, type Level, one, optional } from './entry.ts';

const cibCommands = () => import('../commands/cib.ts');

export const cib: Level = {
  word: 'cib',
  summary: 'the whole CIB: export, import, shadow copies',
  children: [
    {
      word: 'export',
      summary: "the live CIB as Pacemaker's XML",
      arguments: [optional('FILE', 'file')],
      run: async (context, args) => (await cibCommands()).exportXml(context, args),
    },
    {
      word: 'import',
      summary: "replace the configuration by that of a CIB in Pacemaker's XML, or make a shadow copy of it",
      details:
        'import [FILE]: the live configuration becomes that of the CIB.\n' +
        'import FILE NAME: a shadow copy; nothing else changes.\n' +
        'import TRANSITION|FILE [NAME]: a shadow copy of what a transition was decided from (7, -1, last, its id, or a file).',
      arguments: [optional('FILE|TRANSITION', 'file'), optional('NAME', 'text')],
      run: async (context, args) => (await import('../commands/cib-import.ts')).importCopy(context, args),
    },
    {
      word: 'new',
      summary: 'make a shadow copy, of the live configuration or empty, and work on it',
      arguments: [one('NAME', 'text'), any('empty|force', ['empty', 'force'])],
      run: async (context, args) => (await cibCommands()).create(context, args),
    },
    {
      word: 'use',
      summary: 'work on a shadow copy; without a name, on the live configuration',
      arguments: [optional('NAME', 'shadow')],
      run: async (context, args) => (await cibCommands()).use(context, args),
    },
    {
      word: 'list',
      summary: 'shadow copies',
      arguments: [],
      run: async (context) => (await cibCommands()).list(context),
    },
    {
      word: 'diff',
      summary: 'what differs between a shadow copy and the live configuration, or between two files',
      arguments: [any('NAME|FILE', 'shadow')],
      run: async (context, args) => (await cibCommands()).compare(context, args),
    },
    {
      word: 'commit',
      summary: 'put a shadow copy into force',
      arguments: [optional('NAME', 'shadow')],
      run: async (context, args) => (await cibCommands()).commitShadow(context, args),
    },
    {
      word: 'reset',
      summary: 'copy the live configuration into a shadow copy again',
      arguments: [one('NAME', 'shadow')],
      run: async (context, args) => (await cibCommands()).reset(context, args),
    },
    {
      word: 'delete',
      summary: 'delete a shadow copy',
      arguments: [one('NAME', 'shadow')],
      run: async (context, args) => (await cibCommands()).remove(context, args),
    },
  ],
};
