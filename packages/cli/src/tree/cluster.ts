/** The `cluster` level, and what is below it: votes, links, the key. */
import { any, type Level, many, one, optional } from './entry.ts';

const nodeCommands = () => import('../commands/node.ts');
const setupCommands = () => import('../commands/setup.ts');
const netCommands = () => import('../commands/net.ts');
const keyCommands = () => import('../commands/key.ts');
const clusterCommands = () => import('../commands/cluster.ts');

export const cluster: Level = {
  word: 'cluster',
  summary: 'the cluster and the daemon here: init, join, start, stop, health',
  alone: async (context) => (await clusterCommands()).status(context),
  children: [
    {
      word: 'init',
      summary: 'make the first node of a cluster: key and configuration, with a token for the others',
      details:
        'usage: cluster init --name CLUSTER --address ADDRESS [--node NAME] [--nodes A,B,…] [--two-node] [--multicast GROUP | --peers A,B] [--port N] [--dir FOLDER]',
      arguments: [any('OPTION', 'text')],
      isRaw: true,
      run: async (context, args) => (await setupCommands()).init(context, args),
    },
    {
      word: 'join',
      summary: 'make this machine a node of an existing cluster, by its token',
      details: 'usage: cluster join TOKEN --address ADDRESS [--node NAME] [--dir FOLDER]',
      arguments: [any('TOKEN', 'text')],
      isRaw: true,
      run: async (context, args) => (await setupCommands()).join(context, args),
    },
    {
      word: 'token',
      summary: 'print the token by which machines join',
      arguments: [any('OPTION', 'text')],
      isRaw: true,
      run: async (context, args) => (await setupCommands()).token(context, args),
    },
    {
      word: 'start',
      summary: 'start the daemon here',
      arguments: [],
      run: async (context) => (await clusterCommands()).service(context, 'start'),
    },
    {
      word: 'stop',
      summary: 'leave the cluster in order and end the daemon here',
      arguments: [],
      run: async (context) => (await clusterCommands()).stop(context),
    },
    {
      word: 'restart',
      summary: 'stop and start the daemon here',
      arguments: [],
      run: async (context) => (await clusterCommands()).service(context, 'restart'),
    },
    {
      word: 'enable',
      summary: 'start the daemon at boot',
      arguments: [],
      run: async (context) => (await clusterCommands()).service(context, 'enable'),
    },
    {
      word: 'disable',
      summary: 'do not start the daemon at boot',
      arguments: [],
      run: async (context) => (await clusterCommands()).service(context, 'disable'),
    },
    {
      word: 'status',
      summary: 'this daemon, its members and its quorum',
      arguments: [],
      run: async (context) => (await clusterCommands()).status(context),
    },
    {
      word: 'health',
      summary: 'check what usually goes wrong',
      arguments: [],
      run: async (context) => (await clusterCommands()).health(context),
    },
    {
      word: 'wait_for_startup',
      aliases: ['wait-for-startup'],
      summary: 'wait until the daemon here has a controller and quorum',
      arguments: [optional('SECONDS', 'text')],
      run: async (context, args) => (await clusterCommands()).waitForStartup(context, args),
    },
    {
      word: 'crash_test',
      aliases: ['crash-test', 'test'],
      summary: 'break something on purpose, and see how the cluster takes it',
      details:
        'kill-daemon kills the daemon here; fence-node fences another; split-brain [SECONDS] cuts this node off for a time.\n' +
        'Each says what it will disturb and asks; refused where no device can fence the victim.',
      arguments: [
        one('kill-daemon|fence-node|split-brain', ['kill-daemon', 'fence-node', 'split-brain']),
        optional('NODE|SECONDS', 'node'),
      ],
      run: async (context, args) => await (await import('../commands/crash-test.ts')).crashTest(context, args),
    },
    {
      word: 'remove',
      summary: 'take a node out of the cluster for good',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).remove(context, args),
    },
  ],
};

export const quorum: Level = {
  word: 'quorum',
  summary: 'votes: who is missing, and forcing when they are gone for good',
  alone: async (context) => (await clusterCommands()).quorumStatus(context),
  children: [
    {
      word: 'status',
      summary: 'votes and members',
      arguments: [],
      run: async (context) => (await clusterCommands()).quorumStatus(context),
    },
    {
      word: 'proceed',
      summary: 'do not wait for all nodes at the first start',
      arguments: [],
      run: async (context) => (await clusterCommands()).quorumProceed(context),
    },
    {
      word: 'force',
      aliases: ['unblock'],
      summary: 'act without a majority: the absent nodes are off and stay off',
      arguments: [],
      run: async (context) => (await clusterCommands()).quorumForce(context),
    },
  ],
};

export const net: Level = {
  word: 'net',
  aliases: ['messaging', 'corosync'],
  summary: 'links and members as the messaging layer sees them',
  alone: async (context) => (await clusterCommands()).network(context),
  children: [
    {
      word: 'status',
      aliases: ['show'],
      summary: 'links, peers, membership',
      arguments: [],
      run: async (context) => (await clusterCommands()).network(context),
    },
    {
      word: 'get',
      summary:
        'a value of the messaging layer, or all: link_mode, timing.heartbeat, timing.suspect, timing.suspect_max',
      arguments: [optional('NAME', ['link_mode', 'timing.heartbeat', 'timing.suspect', 'timing.suspect_max'])],
      run: async (context, args) => (await netCommands()).getValue(context, args),
    },
    {
      word: 'set',
      summary: 'change such a value on all nodes',
      arguments: [
        one('NAME', ['link_mode', 'timing.profile', 'timing.heartbeat', 'timing.suspect', 'timing.suspect_max']),
        one('VALUE', 'text'),
      ],
      run: async (context, args) => (await netCommands()).setValue(context, args),
    },
    {
      word: 'record',
      summary: 'write down what messaging did in the last minute, for "systoled --replay"',
      arguments: [optional('FILE', 'file')],
      run: async (context, args) => (await clusterCommands()).record(context, args),
    },
    {
      word: 'link',
      summary: 'the links, each with the peers on it',
      children: [
        {
          word: 'show',
          aliases: ['list', 'status'],
          summary: 'every link with its peers: state, round trip, loss',
          arguments: [optional('LINK', 'text')],
          run: async (context, args) => (await clusterCommands()).links(context, args),
        },
        {
          word: 'add',
          summary: 'another link, on all nodes at once',
          details:
            'net link add NODE=ADDRESS… [multicast=GROUP] [port=N] [priority=N] [mtu=N] [mode=auto|multicast|unicast] [ttl=N]\n' +
            'Each node checks its address first; the link stays only if all members answer over it.',
          arguments: [many('NODE=ADDRESS', 'text')],
          isRaw: true,
          run: async (context, args) => (await netCommands()).addLink(context, args),
        },
        {
          word: 'update',
          aliases: ['set'],
          summary: 'other addresses or options of a link; the others carry the cluster meanwhile',
          arguments: [one('LINK', 'text'), many('NODE=ADDRESS|OPTION=VALUE', 'text')],
          isRaw: true,
          run: async (context, args) => (await netCommands()).updateLink(context, args),
        },
        {
          word: 'remove',
          aliases: ['delete'],
          summary: 'take a link away, unless it is the only one to somebody',
          arguments: [one('LINK', 'text')],
          run: async (context, args) => (await netCommands()).removeLink(context, args),
        },
      ],
      alone: async (context) => (await clusterCommands()).links(context, []),
    },
  ],
};

export const key: Level = {
  word: 'key',
  summary: 'the secret that all nodes share',
  alone: async (context) => (await keyCommands()).keyStatus(context),
  children: [
    {
      word: 'generate',
      summary: 'write a new key; the same file goes to all nodes',
      arguments: [one('FILE', 'file')],
      run: async (context, args) => (await setupCommands()).generateKey(context, args),
    },
    {
      word: 'rotate',
      summary: 'change the cluster key while the cluster runs',
      details:
        'key rotate [--without NODE,NODE]: every member accepts the new key, then all use it, then the old one is forgotten.\n' +
        'Nodes that are away hold it up, unless they are left out with --without: copy the key file there by hand then.',
      arguments: [any('--without NODE', 'node')],
      isRaw: true,
      run: async (context, args) => (await keyCommands()).rotateKey(context, args),
    },
    {
      word: 'status',
      summary: 'which keys are in use, and how far a change of the key is',
      arguments: [],
      run: async (context) => (await keyCommands()).keyStatus(context),
    },
  ],
};
