/**
 * The shell's words, once: a level a file in `tree/`. One-shot commands, scripts, the interactive shell, help and
 * completion all read this. What a command does is loaded when it is called.
 */
import { maintenance, ra } from './tree/agents.ts';
import { cib } from './tree/cib.ts';
import { cluster, key, net, quorum } from './tree/cluster.ts';
import { configure } from './tree/configure.ts';
import { UsageError } from './shell/failure.ts';
import { any, type Command, isOffered, type Level, nameOf, one, optional } from './tree/entry.ts';
import { fence } from './tree/fencing.ts';
import { history } from './tree/history.ts';
import { node } from './tree/node.ts';
import { resource } from './tree/resource.ts';
import { sbd } from './tree/sbd.ts';
import { optionsLevel, scripts } from './tree/settings.ts';

const answerCommands = () => import('./commands/answers.ts');
const otherCommands = () => import('./commands/other.ts');

/** Words by which one moves between levels; the interactive shell and scripts take them themselves (`shell/script.ts`). */
const moving: Readonly<Record<'cd' | 'up' | 'pwd' | 'quit', Omit<Command, 'word' | 'run'>>> = {
  cd: { summary: 'change into a level; cd .. leaves it', arguments: [optional('LEVEL', 'text')] },
  up: { aliases: ['back', 'end'], summary: 'leave a level', arguments: [] },
  pwd: { summary: 'the level one is in', arguments: [] },
  quit: { aliases: ['bye', 'exit'], summary: 'leave the shell; what is not committed is asked for', arguments: [] },
};

export const root: Level = {
  word: 'systole',
  summary: 'a high-availability cluster',
  children: [
    {
      word: 'status',
      summary: 'what is wrong, what to do about it; nodes and resources',
      details:
        'status [full|brief|bynode|inactive|ops|failcounts|simple|xml] [--watch]\n' +
        'status wait [SECONDS] returns when nothing is left to do; status query RESOURCE is-state STATE | get-nodes answers scripts.',
      arguments: [
        any('VIEW', ['full', 'brief', 'bynode', 'inactive', 'ops', 'failcounts', 'simple', 'xml', 'wait', 'query']),
      ],
      isRaw: true,
      run: async (context, args) => (await import('./commands/status.ts')).status(context, args),
    },
    cluster,
    node,
    resource,
    configure,
    cib,
    ra,
    history,
    maintenance,
    quorum,
    sbd,
    net,
    fence,
    optionsLevel,
    key,
    scripts,
    {
      word: 'verify',
      summary: 'look for mistakes and traps in the live configuration, or in a file',
      arguments: [optional('FILE', 'file')],
      run: async (context, args) => (await answerCommands()).verify(context, args),
    },
    {
      word: 'simulate',
      summary: 'what the cluster would do',
      arguments: [any('OPTION', 'text')],
      isRaw: true,
      run: async (context, args) => (await otherCommands()).simulate(context, args),
    },
    {
      word: 'explain',
      summary: 'why here, why not there, what blocks it',
      details:
        'usage: explain RESOURCE|NODE [--node NODE] [--xml FILE | --transition WHICH] [--at TIME]: instead of the running cluster, FILE\n' +
        'is a CIB or what a transition was decided from; WHICH is a transition: its number, its id, or last',
      arguments: [one('RESOURCE|NODE', 'resource|node'), optional('NODE', 'node')],
      isRaw: true,
      run: async (context, args) => (await import('./commands/explain.ts')).explain(context, args),
    },
    {
      word: 'rule',
      summary: 'which rules hold now, or at a time, on each node',
      details: 'usage: rule check [ID] [--at TIME]; ID is that of the rule, or of what has it',
      arguments: [any('check ID', 'id')],
      isRaw: true,
      run: async (context, args) => (await answerCommands()).checkRules(context, args),
    },
    {
      word: 'availability',
      summary: 'time up, outages, mean time to repair',
      details: 'usage: availability [RESOURCE] [--since DURATION] [--target 99.99]',
      arguments: [any('RESOURCE', 'resource')],
      isRaw: true,
      run: async (context, args) => (await answerCommands()).availability(context, args),
    },
    {
      word: 'report',
      summary: 'one archive with configuration, status, events and transitions; secrets removed',
      arguments: [optional('FILE', 'file')],
      run: async (context, args) => (await import('./commands/report.ts')).report(context, args),
    },
    {
      word: 'ls',
      summary: 'commands and levels here',
      arguments: [],
      run: (context) => context.out(root.children.filter(isOffered).map(nameOf).join('\n')),
    },
    ...(['cd', 'up', 'pwd', 'quit'] as const).map((word): Command => ({
      word,
      ...moving[word],
      run: () => {
        throw new UsageError(`${word} moves about in the interactive shell; here there is nowhere to go`);
      },
    })),
    {
      word: 'help',
      aliases: ['?'],
      summary: 'explain a level or a command',
      arguments: [any('WORD', 'text')],
      run: async (context, args) => (await import('./shell/help.ts')).help(context, args),
    },
    {
      word: 'complete',
      isHidden: true,
      summary: 'what may stand next; for completion in other shells',
      arguments: [any('WORD', 'text')],
      isRaw: true,
      run: async (context, args) => (await import('./shell/complete.ts')).answer(context, args),
    },
    {
      word: 'completion',
      summary: 'a script for bash, zsh or fish that completes these commands',
      arguments: [one('SHELL', ['bash', 'zsh', 'fish'])],
      run: async (context, args) => (await import('./shell/completion-scripts.ts')).script(context, args),
    },
  ],
};
