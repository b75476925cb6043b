/** The `resource` level. */
import { any, type Level, many, one, optional, valueCommand } from './entry.ts';

const resourceCommands = () => import('../commands/resource.ts');
const moveCommands = () => import('../commands/move.ts');
const valueCommands = () => import('../commands/values.ts');
const answerCommands = () => import('../commands/answers.ts');

export const resource: Level = {
  word: 'resource',
  summary: 'resources: start, stop, move, clean up, values',
  alone: async (context) => (await resourceCommands()).status(context, []),
  children: [
    {
      word: 'status',
      aliases: ['show', 'list'],
      summary: 'state of resources',
      arguments: [any('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).status(context, args),
    },
    {
      word: 'start',
      summary: 'let resources run (target-role Started)',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).start(context, args),
    },
    {
      word: 'stop',
      summary: 'stop resources (target-role Stopped)',
      details: 'Says first what else would stop; --dry-run shows the whole plan.',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).stop(context, args),
    },
    {
      word: 'restart',
      summary: 'stop resources, wait, and start them again',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).restart(context, args),
    },
    {
      word: 'promote',
      summary: 'let a promotable clone be promoted (target-role Promoted)',
      arguments: [one('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).promote(context, args),
    },
    {
      word: 'demote',
      summary: 'keep a promotable clone unpromoted (target-role Unpromoted)',
      arguments: [one('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).demote(context, args),
    },
    {
      word: 'move',
      aliases: ['migrate'],
      summary: 'move a resource to a node, or away from where it is; leaves nothing behind',
      details:
        'A preference is set, and taken back as soon as the resource is there and would stay. With a duration (PT1H, 30min) it stays in\n' +
        'force so long; with "keep" until resource clear.',
      arguments: [one('RESOURCE', 'resource'), optional('NODE', 'node'), optional('DURATION|keep', ['keep'])],
      run: async (context, args) => (await moveCommands()).move(context, args),
    },
    {
      word: 'relocate',
      summary: 'everything to its preferred node: what would move, or do it',
      details: 'Stickiness is ignored until everything is where it prefers to be, and counts again afterwards.',
      arguments: [optional('show|run', ['show', 'run'])],
      run: async (context, args) => (await moveCommands()).relocate(context, args),
    },
    {
      word: 'safe-stop',
      aliases: ['safe-disable'],
      summary: 'stop resources only if nothing else stops or moves',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).safeStop(context, args),
    },
    {
      word: 'ban',
      summary: 'keep a resource off a node, for a time or until resource clear',
      arguments: [one('RESOURCE', 'resource'), optional('NODE', 'node'), optional('DURATION', 'text')],
      run: async (context, args) => (await moveCommands()).ban(context, args),
    },
    {
      word: 'clear',
      aliases: ['unmove', 'unmigrate', 'unban'],
      summary: 'end of move and ban',
      arguments: [one('RESOURCE', 'resource'), optional('NODE', 'node')],
      run: async (context, args) => (await moveCommands()).clear(context, args),
    },
    {
      word: 'cleanup',
      summary: 'forget failures, so that a resource may run there again',
      arguments: [optional('RESOURCE', 'resource'), optional('NODE', 'node')],
      run: async (context, args) => (await resourceCommands()).cleanUp(context, args),
    },
    {
      word: 'refresh',
      summary: 'forget all history and look anew what runs where',
      arguments: [optional('RESOURCE', 'resource'), optional('NODE', 'node')],
      run: async (context, args) => (await resourceCommands()).refresh(context, args),
    },
    {
      word: 'locate',
      summary: 'where a resource runs',
      arguments: [one('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).locate(context, args),
    },
    {
      word: 'failcount',
      summary: 'failures of a resource on a node',
      arguments: [
        one('RESOURCE', 'resource'),
        one('show|delete|set', ['show', 'delete', 'set']),
        optional('NODE', 'node'),
        optional('VALUE', 'text'),
      ],
      run: async (context, args) => (await resourceCommands()).failCount(context, args),
    },
    {
      word: 'manage',
      summary: 'let the cluster manage resources again (is-managed=true)',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).manage(context, args),
    },
    {
      word: 'unmanage',
      summary: 'leave resources alone; they are still monitored (is-managed=false)',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).unmanage(context, args),
    },
    {
      word: 'maintenance',
      summary: 'leave a resource alone entirely, without monitors: on or off',
      arguments: [one('RESOURCE', 'resource'), optional('on|off', ['on', 'off'])],
      run: async (context, args) => (await resourceCommands()).maintenance(context, args),
    },
    {
      word: 'constraints',
      summary: 'constraints that touch a resource',
      arguments: [one('RESOURCE', 'resource')],
      run: async (context, args) => (await resourceCommands()).constraints(context, args),
    },
    {
      word: 'operations',
      summary: 'what was done with a resource, where, and how it ended',
      arguments: [optional('RESOURCE', 'resource'), optional('NODE', 'node')],
      run: async (context, args) => (await resourceCommands()).operations(context, args),
    },
    {
      word: 'scores',
      summary: 'the numbers by which the scheduler chose nodes',
      arguments: [optional('RESOURCE', 'resource')],
      run: async (context, args) => (await answerCommands()).scores(context, args),
    },
    valueCommand(
      'param',
      'parameter of a resource',
      one('RESOURCE', 'resource'),
      async (context, args) => (await valueCommands()).resourceParameter(context, args),
      { names: 'parameter' },
    ),
    valueCommand(
      'meta',
      'meta attribute of a resource',
      one('RESOURCE', 'resource'),
      async (context, args) => (await valueCommands()).resourceMeta(context, args),
      { names: 'meta' },
    ),
    valueCommand('utilization', 'what a resource needs of a node', one('RESOURCE', 'resource'), async (context, args) =>
      (await valueCommands()).resourceUtilization(context, args),
    ),
    {
      word: 'secret',
      summary: 'value of a parameter that is kept out of the configuration, in a file of each node',
      details:
        'set writes the file here (without VALUE it is read from standard input); stash moves the value from the configuration\n' +
        'into the file, unstash moves it back. Every node needs its file: run set on each. The configuration then says lrm://.',
      arguments: [
        one('RESOURCE', 'primitive'),
        one('set|stash|unstash|delete|check|show', ['set', 'stash', 'unstash', 'delete', 'check', 'show']),
        one('PARAMETER', 'parameter'),
        optional('VALUE', 'text'),
      ],
      run: async (context, args) => (await import('../commands/secret.ts')).secret(context, args),
    },
    {
      word: 'trace',
      summary: 'let the agent of a resource write a trace of an operation, or of all',
      arguments: [
        one('RESOURCE', 'primitive'),
        optional('OPERATION', ['start', 'stop', 'monitor', 'promote', 'demote']),
        optional('INTERVAL', 'text'),
      ],
      run: async (context, args) => (await import('../commands/trace.ts')).trace(context, args),
    },
    {
      word: 'untrace',
      summary: 'end of trace',
      arguments: [
        one('RESOURCE', 'primitive'),
        optional('OPERATION', ['start', 'stop', 'monitor', 'promote', 'demote']),
        optional('INTERVAL', 'text'),
      ],
      run: async (context, args) => (await import('../commands/trace.ts')).untrace(context, args),
    },
  ],
};
