/** The `history` level. */
import { any, type Level, many, one, optional } from './entry.ts';

const timelineCommands = () => import('../commands/timeline.ts');
const transitionCommands = () => import('../commands/transition.ts');
const inputCommands = () => import('../commands/inputs.ts');
const lensCommands = () => import('../commands/lens.ts');
const historyCommands = () => import('../commands/history.ts');

export const history: Level = {
  word: 'history',
  summary: 'what happened, when, and because of what',
  alone: async (context) => (await timelineCommands()).events(context, []),
  children: [
    {
      word: 'events',
      aliases: ['log'],
      summary: 'the timeline',
      details:
        'events [SINCE] [WORD …]: SINCE is a duration (2h, 30min) or a date; only lines with all WORDs are shown.',
      arguments: [any('SINCE|WORD', 'text')],
      run: async (context, args) => (await timelineCommands()).events(context, args),
    },
    {
      word: 'resource',
      summary: 'events of a resource',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await timelineCommands()).events(context, args),
    },
    {
      word: 'node',
      summary: 'events of a node',
      arguments: [many('NODE', 'node')],
      run: async (context, args) => (await timelineCommands()).events(context, args),
    },
    {
      word: 'latest',
      summary: 'the last transition',
      arguments: [],
      run: async (context) => (await transitionCommands()).latest(context),
    },
    {
      word: 'transitions',
      summary: 'all transitions: who led them, what they did, and why',
      arguments: [],
      run: async (context) => (await timelineCommands()).transitions(context),
    },
    {
      word: 'transition',
      summary: 'one transition: what was decided and why, what happened, the same once more',
      details:
        'transition [show|log|graph|save|diff|tags] [NUMBER|ID|-N|last|FILE] …: 0 or last is the last, -1 the one before it; FILE\n' +
        'is what a decision was made from (saved here, in a report, or by Pacemaker).\n' +
        'show   [scores] [utilization]  what was decided, in which steps, because of what, and what went wrong\n' +
        'log                            all that the nodes told meanwhile\n' +
        'graph  [FILE]                  its actions and what waits for what, for Graphviz\n' +
        'save   [NAME|FILE]             what it was decided from, as a shadow copy or a file (.json.gz, .xml)\n' +
        'diff   [OTHER|live] [status]   what was another then; without OTHER, since the one before it\n' +
        'tags                           names of the resources, nodes and operations that it had to do with',
      arguments: [
        any('[show|log|graph|save|diff|tags] NUMBER|FILE', ['show', 'log', 'graph', 'save', 'diff', 'tags', 'last']),
      ],
      run: async (context, args) => (await transitionCommands()).transition(context, args),
    },
    {
      word: 'graph',
      summary: 'the actions of a transition and what waits for what, for Graphviz',
      arguments: [optional('NUMBER|ID|-N|last|FILE', 'text'), optional('FILE', 'file')],
      run: async (context, args) => (await transitionCommands()).graph(context, args),
    },
    {
      word: 'peinputs',
      summary: 'what transitions were decided from, as far as a node keeps it',
      details:
        'peinputs [SINCE] [NUMBER|FROM:TO …] [v]: SINCE is a duration (2h, 30min) or a date. v adds how each ended, and its cause.',
      arguments: [any('SINCE|NUMBER|FROM:TO|v', 'text')],
      run: async (context, args) => (await inputCommands()).peinputs(context, args),
    },
    {
      word: 'limit',
      summary: 'the period that later commands of the history look at',
      details:
        'limit [FROM [TO]]: a duration before now (2h, 30min) or a date. Without FROM the whole time is looked at again.\n' +
        'It holds until the shell or the script ends.',
      arguments: [optional('FROM', 'text'), optional('TO', 'text')],
      run: async (context, args) => (await lensCommands()).limit(context, args),
    },
    {
      word: 'setnodes',
      summary: 'the nodes whose word later commands of the history look at; without a name, all',
      details: 'It holds until the shell or the script ends.',
      arguments: [any('NODE', 'node')],
      run: async (context, args) => (await lensCommands()).setNodes(context, args),
    },
    {
      word: 'exclude',
      summary: 'leave out lines that fit a regular expression',
      details: 'exclude [REGEX|clear]: without a word it is shown. It holds until the shell or the script ends.',
      arguments: [optional('REGEX|clear', 'text')],
      run: async (context, args) => (await lensCommands()).exclude(context, args),
    },
    {
      word: 'configurations',
      aliases: ['changes'],
      summary: 'earlier configurations, who changed them and by which command',
      arguments: [],
      run: async (context) => (await historyCommands()).configurations(context),
    },
    {
      word: 'info',
      summary: 'the period that is remembered, and how much happened in it',
      arguments: [],
      run: async (context) => (await historyCommands()).info(context),
    },
    {
      word: 'show',
      summary: 'an earlier configuration, by its number',
      details: 'Or that of a decision: by the id of its transition, or a file that has what it was made from.',
      arguments: [optional('NUMBER', 'configuration')],
      run: async (context, args) => (await historyCommands()).showConfiguration(context, args),
    },
    {
      word: 'diff',
      summary: 'what changed between two configurations, or from one until now',
      details: 'Each is a number, the id of a transition, a file, or live.',
      arguments: [one('NUMBER', 'configuration'), optional('NUMBER', 'configuration')],
      run: async (context, args) => (await historyCommands()).compare(context, args),
    },
    {
      word: 'restore',
      summary: 'return to an earlier configuration',
      arguments: [one('NUMBER', 'configuration')],
      run: async (context, args) => (await historyCommands()).restore(context, args),
    },
    {
      word: 'fencing',
      summary: 'who was fenced, by whom, and how it ended',
      arguments: [],
      run: async (context) => (await historyCommands()).fencing(context),
    },
  ],
};
