/** The `node` level. */
import { any, type Level, one, optional, valueCommand } from './entry.ts';

const nodeCommands = () => import('../commands/node.ts');
const valueCommands = () => import('../commands/values.ts');

export const node: Level = {
  word: 'node',
  summary: 'nodes: standby, maintenance, attributes, fencing',
  alone: async (context) => (await nodeCommands()).show(context, []),
  children: [
    {
      word: 'show',
      aliases: ['list', 'print', 'status'],
      summary: 'nodes with their state and attributes',
      arguments: [optional('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).show(context, args),
    },
    {
      word: 'standby',
      summary: 'move everything away from a node and start nothing there',
      details:
        'With --wait it returns when the last resource has moved. "reboot" as last word: until the node leaves the cluster.',
      arguments: [any('NODE … [reboot|forever]', 'node')],
      run: async (context, args) => (await nodeCommands()).standby(context, args),
    },
    {
      word: 'online',
      summary: 'end standby',
      arguments: [any('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).online(context, args),
    },
    {
      word: 'maintenance',
      summary: 'leave what runs on a node alone: no monitors, no recovery',
      arguments: [any('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).maintenance(context, args),
    },
    {
      word: 'ready',
      summary: 'end maintenance',
      arguments: [any('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).ready(context, args),
    },
    {
      word: 'fence',
      summary: 'fence a node now',
      arguments: [one('NODE', 'node'), optional('reboot|off|on', ['reboot', 'off', 'on'])],
      run: async (context, args) => (await nodeCommands()).fence(context, args),
    },
    {
      word: 'clearstate',
      aliases: ['confirm-down'],
      summary: 'declare that a node is down, when fencing cannot prove it',
      details: 'If the node still runs something, that will run twice and destroy data. Look at the machine first.',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).clearState(context, args),
    },
    {
      word: 'delete',
      aliases: ['remove'],
      summary: 'take a node out of the configuration; its daemon must be stopped',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).remove(context, args),
    },
    valueCommand('attribute', 'permanent attribute of a node', one('NODE', 'node'), async (context, args) =>
      (await valueCommands()).nodeAttribute(context, args),
    ),
    valueCommand(
      'status-attr',
      'attribute that lasts until the node leaves',
      one('NODE', 'node'),
      async (context, args) => (await valueCommands()).transientAttribute(context, args),
      { aliases: ['status_attr'] },
    ),
    valueCommand('utilization', 'capacity of a node', one('NODE', 'node'), async (context, args) =>
      (await valueCommands()).nodeUtilization(context, args),
    ),
  ],
};
