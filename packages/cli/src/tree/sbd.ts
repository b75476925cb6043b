/** The shell's words for the watchdog and for fencing by disk. */
import { any, type Level, many, one } from './entry.ts';

const sbdCommands = () => import('../commands/sbd.ts');

export const sbd: Level = {
  word: 'sbd',
  aliases: ['disks'],
  summary: 'the watchdog here, and the shared disks through which nodes are fenced',
  alone: async (context) => (await sbdCommands()).status(context),
  children: [
    {
      word: 'status',
      summary: 'watchdog, disks, their slots and messages',
      arguments: [],
      run: async (context) => (await sbdCommands()).status(context),
    },
    {
      word: 'configure',
      summary: 'watchdog and behaviour in the node’s file; without arguments shows them',
      details:
        'NAME=VALUE: watchdog-device, watchdog-timeout, start (always, clean), timeout-action (reboot, off, crashdump). An empty value removes a setting. Times of disks are given when they are added.',
      arguments: [any('NAME=VALUE', 'text')],
      run: async (context, args) => (await sbdCommands()).configure(context, args),
    },
    {
      word: 'device',
      summary: 'disks',
      children: [
        {
          word: 'add',
          summary: 'make slots on disks that have none, and enter them into the node’s file',
          details:
            'NAME=VALUE: watchdog-timeout (5), msgwait-timeout (10), allocate-timeout (2), loop-timeout (1), in seconds. A disk that has slots keeps them.',
          arguments: [many('DEVICE|NAME=VALUE', 'text')],
          run: async (context, args) => (await sbdCommands()).addDevices(context, args),
        },
        {
          word: 'remove',
          summary: 'take disks out of the node’s file; what is on them stays',
          arguments: [many('DEVICE', 'text')],
          run: async (context, args) => (await sbdCommands()).removeDevices(context, args),
        },
      ],
    },
    {
      word: 'message',
      summary: 'write a message to a node’s slot on the disks',
      details: 'That proves nothing by itself: systole node fence NODE waits for the proof.',
      arguments: [one('NODE', 'node'), one('MESSAGE', ['clear', 'test', 'reset', 'off', 'exit', 'crashdump'])],
      run: async (context, args) => (await sbdCommands()).message(context, args),
    },
    {
      word: 'purge',
      summary: 'no watchdog and no disks any more, for this node',
      arguments: [],
      run: async (context) => (await sbdCommands()).purge(context),
    },
  ],
};
