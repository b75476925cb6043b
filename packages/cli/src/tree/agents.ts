/** The `ra` level, and `maintenance`, where agents are run by hand. */
import { any, type Level, one, optional } from './entry.ts';

const agentCommands = () => import('../commands/ra.ts');
const otherCommands = () => import('../commands/other.ts');

export const ra: Level = {
  word: 'ra',
  summary: 'resource agents: what there is, and what they take',
  children: [
    {
      word: 'classes',
      summary: 'classes of agents on this machine',
      arguments: [],
      run: async (context) => (await agentCommands()).classes(context),
    },
    {
      word: 'list',
      summary: 'agents of a class, or all',
      arguments: [optional('CLASS', ['ocf', 'lsb', 'systemd', 'stonith']), optional('PROVIDER', 'text')],
      run: async (context, args) => (await agentCommands()).list(context, args),
    },
    {
      word: 'providers',
      summary: 'providers of an agent',
      arguments: [one('TYPE', 'text'), optional('CLASS', ['ocf'])],
      run: async (context, args) => (await agentCommands()).providers(context, args),
    },
    {
      word: 'info',
      aliases: ['meta'],
      summary: 'what an agent does, its parameters and actions',
      arguments: [one('AGENT', 'agent')],
      run: async (context, args) => (await agentCommands()).info(context, args),
    },
    {
      word: 'validate',
      summary: 'let an agent check parameters',
      arguments: [one('AGENT', 'agent'), any('NAME=VALUE', 'parameter')],
      run: async (context, args) => (await agentCommands()).validate(context, args),
    },
    {
      word: 'test',
      summary: 'put an agent through its contract (starts and stops what it runs)',
      arguments: [one('AGENT', 'agent'), any('NAME=VALUE', 'parameter')],
      run: async (context, args) => (await import('../commands/ra-test.ts')).test(context, args),
    },
  ],
};

export const maintenance: Level = {
  word: 'maintenance',
  summary: 'maintenance of the whole cluster, and agents by hand',
  children: [
    {
      word: 'on',
      summary: 'leave all resources alone (maintenance-mode)',
      arguments: [],
      run: async (context) => (await otherCommands()).clusterMaintenance(context, true),
    },
    {
      word: 'off',
      summary: 'end maintenance',
      arguments: [],
      run: async (context) => (await otherCommands()).clusterMaintenance(context, false),
    },
    {
      word: 'action',
      summary: 'run one action of a resource here by hand; it must be unmanaged',
      arguments: [
        one('PRIMITIVE', 'primitive'),
        one('ACTION', ['start', 'stop', 'monitor', 'promote', 'demote', 'validate-all']),
      ],
      run: async (context, args) => (await agentCommands()).action(context, args),
    },
  ],
};
