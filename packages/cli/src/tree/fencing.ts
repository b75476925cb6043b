/** The `stonith` level. */
import { type Level, one, optional } from './entry.ts';

const nodeCommands = () => import('../commands/node.ts');
const historyCommands = () => import('../commands/history.ts');
const otherCommands = () => import('../commands/other.ts');

export const fence: Level = {
  word: 'stonith',
  aliases: ['fencing'],
  summary: 'fencing devices and what they did',
  alone: async (context) => (await historyCommands()).fencing(context),
  children: [
    {
      word: 'history',
      summary: 'who was fenced, by whom, and how it ended',
      arguments: [],
      run: async (context) => (await historyCommands()).fencing(context),
    },
    {
      word: 'cleanup',
      summary: 'forget the history of a node, or all',
      arguments: [optional('NODE', 'node')],
      run: async (context, args) => (await otherCommands()).cleanFencing(context, args),
    },
    {
      word: 'devices',
      summary: 'devices that can fence a node',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await otherCommands()).fencingDevices(context, args),
    },
    {
      word: 'test',
      summary: 'ask a device whether it works',
      arguments: [
        one('DEVICE', 'primitive'),
        optional('monitor|list|status', ['monitor', 'list', 'status']),
        optional('NODE', 'node'),
      ],
      run: async (context, args) => (await otherCommands()).testDevice(context, args),
    },
    {
      word: 'fence',
      summary: 'fence a node now',
      arguments: [one('NODE', 'node'), optional('reboot|off|on', ['reboot', 'off', 'on'])],
      run: async (context, args) => (await nodeCommands()).fence(context, args),
    },
    {
      word: 'confirm',
      summary: 'declare that a node is down',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).clearState(context, args),
    },
  ],
};
