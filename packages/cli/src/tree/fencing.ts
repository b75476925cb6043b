/** The `stonith` level. */
import { type Level, one, optional } from './entry.ts';

const nodeCommands = () => import('../commands/node.ts');
const historyCommands = () => import('../commands/history.ts');
const deviceCommands = () => import('../commands/fencing.ts');

export const fence: Level = {
  word: 'stonith',
  aliases: ['fencing'],
  summary: 'fencing devices and what they did',
  alone: async (context) => (await historyCommands()).fencing(context),
  children: [
    {
      word: 'list',
      aliases: ['show'],
      summary: 'all devices: where they are started, whom they can fence',
      arguments: [],
      run: async (context) => (await deviceCommands()).listDevices(context),
    },
    {
      word: 'level',
      summary: 'in which order devices are tried (configure fencing_topology changes it)',
      arguments: [],
      run: async (context) => (await deviceCommands()).showLevels(context),
    },
    {
      word: 'verify',
      summary: 'ask every device whether it works, and whether every node can be fenced',
      arguments: [],
      run: async (context) => await (await deviceCommands()).verifyDevices(context),
    },
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
      run: async (context, args) => (await deviceCommands()).cleanFencing(context, args),
    },
    {
      word: 'devices',
      summary: 'devices that can fence a node',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await deviceCommands()).fencingDevices(context, args),
    },
    {
      word: 'test',
      summary: 'ask a device whether it works',
      arguments: [
        one('DEVICE', 'primitive'),
        optional('monitor|list|status', ['monitor', 'list', 'status']),
        optional('NODE', 'node'),
      ],
      run: async (context, args) => (await deviceCommands()).testDevice(context, args),
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
