/**
 * The shell's words, once: levels, commands, their arguments, what they do and how they are explained. One-shot commands,
 * scripts, the interactive shell, help and completion all read this. What a command does is loaded when it is called.
 */
import type { Context } from './shell/context.ts';

/** What an argument names, for completion. */
export type Kind =
  | 'node'
  | 'resource'
  | 'primitive'
  | 'group'
  | 'template'
  | 'id'
  | 'selection'
  | 'agent'
  | 'option'
  | 'parameter'
  | 'meta'
  | 'file'
  | 'shadow'
  | 'ticket'
  | 'text'
  | readonly string[];

export interface Argument {
  readonly name: string;
  readonly kind: Kind;
  readonly isOptional?: true;
  /** May be given several times; only the last. */
  readonly isRepeated?: true;
}

export interface Command {
  readonly word: string;
  readonly aliases?: readonly string[];
  /** One line, without a full stop. */
  readonly summary: string;
  /** More, if there is more to say. */
  readonly details?: string;
  readonly arguments: readonly Argument[];
  /** Reads its arguments itself, options included. */
  readonly isRaw?: true;
  /** @returns the exit status if it is not 0. */
  readonly run: (context: Context, args: readonly string[]) => Promise<number | void> | number | void;
}

export interface Level {
  readonly word: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly children: readonly (Command | Level)[];
  /** What the level's word alone does in a one-shot command; without it, help is shown. */
  readonly alone?: Command['run'];
}

export const isLevel = (entry: Command | Level): entry is Level => 'children' in entry;

const one = (name: string, kind: Kind): Argument => ({ name, kind });
const optional = (name: string, kind: Kind): Argument => ({ name, kind, isOptional: true });
const many = (name: string, kind: Kind): Argument => ({ name, kind, isRepeated: true });
const any = (name: string, kind: Kind): Argument => ({ name, kind, isOptional: true, isRepeated: true });

const nodeCommands = () => import('./commands/node.ts');
const resourceCommands = () => import('./commands/resource.ts');
const moveCommands = () => import('./commands/move.ts');
const valueCommands = () => import('./commands/values.ts');
const configureCommands = () => import('./commands/configure.ts');
const clusterCommands = () => import('./commands/cluster.ts');
const cibCommands = () => import('./commands/cib.ts');
const agentCommands = () => import('./commands/ra.ts');
const historyCommands = () => import('./commands/history.ts');
const answerCommands = () => import('./commands/answers.ts');
const otherCommands = () => import('./commands/other.ts');
const scriptCommands = () => import('./commands/script.ts');

const setShowDelete = ['set', 'show', 'delete'];

/** Set, show or delete a value of something. */
const valueCommand = (
  word: string,
  summary: string,
  subject: Argument,
  run: Command['run'],
  aliases: readonly string[] = [],
): Command => ({
  word,
  aliases,
  summary,
  arguments: [subject, one('set|show|delete', setShowDelete), optional('NAME', 'parameter'), optional('VALUE', 'text')],
  run,
});

const node: Level = {
  word: 'node',
  summary: 'nodes: standby, maintenance, attributes, fencing',
  alone: async (context) => (await nodeCommands()).show(context, []),
  children: [
    {
      word: 'show',
      aliases: ['list', 'print'],
      summary: 'nodes with their state and attributes',
      arguments: [optional('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).show(context, args),
    },
    {
      word: 'standby',
      summary: 'move everything away from a node and start nothing there',
      details: 'With --wait it returns when the last resource has moved.',
      arguments: [any('NODE', 'node')],
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
      ['status_attr'],
    ),
    valueCommand('utilization', 'capacity of a node', one('NODE', 'node'), async (context, args) =>
      (await valueCommands()).nodeUtilization(context, args),
    ),
  ],
};

const resource: Level = {
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
    valueCommand('param', 'parameter of a resource', one('RESOURCE', 'resource'), async (context, args) =>
      (await valueCommands()).resourceParameter(context, args),
    ),
    valueCommand('meta', 'meta attribute of a resource', one('RESOURCE', 'resource'), async (context, args) =>
      (await valueCommands()).resourceMeta(context, args),
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
      run: async (context, args) => (await import('./commands/secret.ts')).secret(context, args),
    },
    {
      word: 'trace',
      summary: 'let the agent of a resource write a trace of an operation',
      arguments: [
        one('RESOURCE', 'primitive'),
        optional('OPERATION', ['start', 'stop', 'monitor', 'promote', 'demote']),
      ],
      run: async (context, args) => (await resourceCommands()).trace(context, args),
    },
    {
      word: 'untrace',
      summary: 'end of trace',
      arguments: [
        one('RESOURCE', 'primitive'),
        optional('OPERATION', ['start', 'stop', 'monitor', 'promote', 'demote']),
      ],
      run: async (context, args) => (await resourceCommands()).untrace(context, args),
    },
  ],
};

/** A statement of the configuration language; the language checks its words. */
const statement = (word: string, summary: string, usage: string): Command => ({
  word,
  summary,
  details: `usage: ${usage}`,
  arguments: [any('…', 'text')],
  isRaw: true,
  run: async (context, args) => (await configureCommands()).statement(context, [word, ...args]),
});

const configure: Level = {
  word: 'configure',
  aliases: ['config'],
  summary: 'the configuration: define, change, show, load, commit, undo',
  alone: async (context, args) => (await configureCommands()).alone(context, args),
  children: [
    {
      word: 'show',
      summary: 'the configuration as text, or parts of it',
      details:
        'show [xml|json] [ID … type:KIND tag:NAME related:ID obscure:PATTERN changed]. Values named passw* are hidden on a terminal.\n' +
        'show --from-xml FILE prints a CIB file.',
      arguments: [any('ID', 'selection')],
      isRaw: true,
      run: async (context, args) => (await configureCommands()).show(context, args),
    },
    statement(
      'node',
      'a node with attributes and capacities',
      'node [ID:] NAME[:remote] [attributes NAME=VALUE …] [utilization NAME=VALUE …]',
    ),
    statement(
      'primitive',
      'a resource',
      'primitive ID {[CLASS:[PROVIDER:]]TYPE | @TEMPLATE} [params NAME=VALUE …] [meta NAME=VALUE …]\n' +
        '         [utilization NAME=VALUE …] [op NAME [SETTING=VALUE …] …]',
    ),
    statement('group', 'primitives that start in order on one node', 'group ID PRIMITIVE … [params …] [meta …]'),
    statement(
      'clone',
      'copies of a primitive or group on several nodes',
      'clone ID RESOURCE [params …] [meta clone-max=N promotable=true …]',
    ),
    statement(
      'bundle',
      'containers with an address each',
      'bundle ID docker|podman image=NAME [replicas=N …] [network …] [storage …] [primitive ID]',
    ),
    statement(
      'rsc_template',
      'a template to make primitives from',
      'rsc_template ID [CLASS:[PROVIDER:]]TYPE [params …] [meta …] [op …]',
    ),
    statement(
      'location',
      'where a resource prefers or avoids to be',
      'location ID RESOURCE|/PATTERN/|{ RESOURCES } [role=R] {SCORE: NODE | rule …}',
    ),
    statement(
      'colocation',
      'together, or apart',
      'colocation ID SCORE: RESOURCE[:ROLE] RESOURCE[:ROLE] … [node-attribute=NAME]',
    ),
    statement(
      'order',
      'one after the other',
      'order ID [Mandatory:|Optional:|Serialize:] RESOURCE[:ACTION] RESOURCE[:ACTION] … [symmetrical=false]',
    ),
    statement(
      'rsc_ticket',
      'runs only while the site holds a ticket',
      'rsc_ticket ID TICKET: RESOURCE[:ROLE] … [loss-policy=stop|demote|fence|freeze]',
    ),
    statement('property', 'cluster options', 'property [SET:] [rule …] NAME=VALUE …'),
    statement('rsc_defaults', 'defaults for all resources', 'rsc_defaults [SET:] [rule …] NAME=VALUE …'),
    statement('op_defaults', 'defaults for all operations', 'op_defaults [SET:] [rule …] NAME=VALUE …'),
    statement(
      'fencing_topology',
      'which devices fence a node, in which order',
      'fencing_topology [NODE:|pattern:REGEX|attr:NAME=VALUE] DEVICE[,DEVICE …] …',
    ),
    statement('tag', 'a name for several things', 'tag NAME ID …'),
    statement(
      'alert',
      'a program that is told what happens',
      'alert ID PATH [attributes …] [meta …] [select nodes|fencing|resources …] [to RECIPIENT …]',
    ),
    statement(
      'role',
      'what a role may read and change',
      'role ID read|write|deny cib|status|property:NAME|meta:RESOURCE:NAME|ref:ID|xpath:PATH …',
    ),
    statement('acl_target', 'roles of a user', 'acl_target USER ROLE …'),
    statement('acl_group', 'roles of a group of users', 'acl_group GROUP ROLE …'),
    statement('monitor', 'add a monitor operation', 'monitor RESOURCE[:ROLE] INTERVAL[:TIMEOUT]'),
    statement('xml', 'an element as XML', "xml '<ELEMENT …/>'"),
    statement('set', 'change one value', 'set ID.NAME VALUE | set ID.OPERATION[.INTERVAL].NAME VALUE'),
    {
      ...statement('delete', 'delete, with what hangs on it', 'delete ID …'),
      aliases: ['rm'],
    },
    statement('rename', 'give another id; what names it follows', 'rename ID NEW-ID'),
    statement(
      'modgroup',
      'members of a group',
      'modgroup GROUP add PRIMITIVE [before|after PRIMITIVE] | modgroup GROUP remove PRIMITIVE',
    ),
    statement('load', 'read a file', 'load [xml] replace|update|push FILE'),
    statement('filter', 'change the text by a program', "filter 'PROGRAM' [ID …]"),
    statement('erase', 'delete everything but the nodes', 'erase [nodes]'),
    {
      word: 'edit',
      summary: 'change the text in an editor',
      arguments: [any('ID', 'selection')],
      run: async (context, args) => (await configureCommands()).edit(context, args),
    },
    {
      word: 'save',
      summary: 'write the configuration to a file',
      arguments: [any('[xml] [ID …] FILE', 'file')],
      run: async (context, args) => (await configureCommands()).save(context, args),
    },
    {
      word: 'commit',
      summary: 'put what was edited into force, as one change',
      arguments: [optional('force', ['force'])],
      run: async (context, args) => (await configureCommands()).commitEdits(context, args),
    },
    {
      word: 'diff',
      summary: 'what was edited and is not committed',
      arguments: [],
      run: async (context) => (await configureCommands()).diffEdits(context),
    },
    {
      word: 'refresh',
      aliases: ['cancel'],
      summary: 'drop what was edited',
      arguments: [],
      run: async (context) => (await configureCommands()).refresh(context),
    },
    {
      word: 'simulate',
      aliases: ['ptest'],
      summary: 'what the cluster would do if this were committed',
      arguments: [any('scores|actions|utilization', ['scores', 'actions', 'utilization', 'nograph'])],
      run: async (context, args) => (await configureCommands()).simulateEdits(context, args),
    },
    {
      word: 'verify',
      summary: 'look for mistakes and traps',
      arguments: [],
      run: async (context) => (await configureCommands()).verifyEdits(context),
    },
    {
      word: 'undo',
      summary: 'take back the last change of the configuration',
      arguments: [],
      run: async (context) => (await historyCommands()).undo(context),
    },
    {
      word: 'get-property',
      aliases: ['get_property'],
      summary: 'value of a cluster option, or its default',
      arguments: [any('NAME', 'option')],
      run: async (context, args) => (await configureCommands()).getProperty(context, args),
    },
    {
      word: 'describe',
      summary: 'what cluster options mean, with their defaults and present values',
      arguments: [any('NAME', 'option')],
      run: async (context, args) => (await configureCommands()).describeOptions(context, args),
    },
    {
      word: 'validate-all',
      aliases: ['validate_all'],
      summary: 'let the agent check the parameters of a primitive',
      arguments: [one('PRIMITIVE', 'primitive')],
      run: async (context, args) => (await agentCommands()).validateResource(context, args),
    },
    {
      word: 'apply',
      summary: 'make the configuration what a file says; changes nothing if it is so already',
      arguments: [one('FILE', 'file')],
      run: async (context, args) => (await configureCommands()).statement(context, ['load', 'push', ...args]),
    },
  ],
};

const cluster: Level = {
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
      run: async (context, args) => (await clusterCommands()).init(context, args),
    },
    {
      word: 'join',
      summary: 'make this machine a node of an existing cluster, by its token',
      details: 'usage: cluster join TOKEN --address ADDRESS [--node NAME] [--dir FOLDER]',
      arguments: [any('TOKEN', 'text')],
      isRaw: true,
      run: async (context, args) => (await clusterCommands()).join(context, args),
    },
    {
      word: 'token',
      summary: 'print the token by which machines join',
      arguments: [any('OPTION', 'text')],
      isRaw: true,
      run: async (context, args) => (await clusterCommands()).token(context, args),
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
      word: 'remove',
      summary: 'take a node out of the cluster for good',
      arguments: [one('NODE', 'node')],
      run: async (context, args) => (await nodeCommands()).remove(context, args),
    },
  ],
};

const cib: Level = {
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
      summary: "replace the configuration by that of a CIB in Pacemaker's XML",
      arguments: [optional('FILE', 'file')],
      run: async (context, args) => (await cibCommands()).importXml(context, args),
    },
    {
      word: 'new',
      summary: 'make a shadow copy, of the live configuration or empty, and work on it',
      arguments: [one('NAME', 'text'), optional('empty', ['empty'])],
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

const ra: Level = {
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
      arguments: [one('TYPE', 'text')],
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
      run: async (context, args) => (await import('./commands/ra-test.ts')).test(context, args),
    },
  ],
};

const history: Level = {
  word: 'history',
  summary: 'what happened, when, and because of what',
  alone: async (context) => (await historyCommands()).events(context, []),
  children: [
    {
      word: 'events',
      aliases: ['log'],
      summary: 'the timeline',
      details:
        'events [SINCE] [WORD …]: SINCE is a duration (2h, 30min) or a date; only lines with all WORDs are shown.',
      arguments: [any('SINCE|WORD', 'text')],
      run: async (context, args) => (await historyCommands()).events(context, args),
    },
    {
      word: 'resource',
      summary: 'events of a resource',
      arguments: [many('RESOURCE', 'resource')],
      run: async (context, args) => (await historyCommands()).events(context, args),
    },
    {
      word: 'node',
      summary: 'events of a node',
      arguments: [many('NODE', 'node')],
      run: async (context, args) => (await historyCommands()).events(context, args),
    },
    {
      word: 'latest',
      summary: 'the last transition',
      arguments: [],
      run: async (context) => (await historyCommands()).latest(context),
    },
    {
      word: 'transitions',
      summary: 'transitions of the DC',
      arguments: [],
      run: async (context) => (await historyCommands()).transitions(context),
    },
    {
      word: 'transition',
      summary: 'one transition',
      arguments: [optional('NUMBER', 'text')],
      run: async (context, args) => (await historyCommands()).transition(context, args),
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
      arguments: [optional('NUMBER', 'text')],
      run: async (context, args) => (await historyCommands()).showConfiguration(context, args),
    },
    {
      word: 'diff',
      summary: 'what changed between two configurations, or from one until now',
      arguments: [one('NUMBER', 'text'), optional('NUMBER', 'text')],
      run: async (context, args) => (await historyCommands()).compare(context, args),
    },
    {
      word: 'restore',
      summary: 'return to an earlier configuration',
      arguments: [one('NUMBER', 'text')],
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

const maintenance: Level = {
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

const quorum: Level = {
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

const net: Level = {
  word: 'net',
  aliases: ['corosync'],
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
      ],
      alone: async (context) => (await clusterCommands()).links(context, []),
    },
  ],
};

const recipe = (kind: readonly string[]): Argument => one('RECIPE', kind);
const recipeNames = ['vip', 'web-server', 'database', 'lvs', 'fence-ipmi'];

const scripts: Level = {
  word: 'script',
  aliases: ['template'],
  summary: 'recipes: an address, a web server, a database, load balancers, fencing',
  alone: async (context) => (await scriptCommands()).list(context),
  children: [
    {
      word: 'list',
      summary: 'all recipes',
      arguments: [],
      run: async (context) => (await scriptCommands()).list(context),
    },
    {
      word: 'show',
      aliases: ['json'],
      summary: 'what a recipe makes, and its parameters',
      arguments: [recipe(recipeNames)],
      run: async (context, args) => (await scriptCommands()).show(context, args),
    },
    {
      word: 'verify',
      summary: 'whether a recipe fits into the configuration',
      arguments: [recipe(recipeNames), any('NAME=VALUE', 'text')],
      run: async (context, args) => (await scriptCommands()).verify(context, args),
    },
    {
      word: 'run',
      aliases: ['apply'],
      summary: 'the text of a recipe, to review; --force applies it, --dry-run shows what would happen',
      arguments: [recipe(recipeNames), any('NAME=VALUE', 'text')],
      run: async (context, args) => (await scriptCommands()).run(context, args),
    },
  ],
};

const fence: Level = {
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

const optionsLevel: Level = {
  word: 'options',
  summary: 'settings of this shell',
  children: [
    {
      word: 'show',
      summary: 'settings and their values',
      arguments: [optional('NAME', 'text')],
      run: async (context, args) => (await otherCommands()).showSettings(context, args),
    },
    {
      word: 'set',
      summary: 'change a setting',
      arguments: [one('NAME', ['editor', 'pager', 'output', 'wait', 'format']), one('VALUE', 'text')],
      run: async (context, args) => (await otherCommands()).changeSetting(context, args),
    },
    {
      word: 'save',
      summary: 'keep the settings',
      arguments: [],
      run: async (context) => (await otherCommands()).saveSettings(context),
    },
    {
      word: 'reset',
      summary: 'back to the defaults',
      arguments: [],
      run: async (context) => (await otherCommands()).resetSettings(context),
    },
  ],
};

const key: Level = {
  word: 'key',
  summary: 'the secret that all nodes share',
  children: [
    {
      word: 'generate',
      summary: 'write a new key; the same file goes to all nodes',
      arguments: [one('FILE', 'file')],
      run: async (context, args) => (await clusterCommands()).generateKey(context, args),
    },
  ],
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
      arguments: [one('RESOURCE|NODE', 'resource'), optional('NODE', 'node')],
      run: async (context, args) => (await answerCommands()).explain(context, args),
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
      word: 'help',
      aliases: ['?'],
      summary: 'explain a level or a command',
      arguments: [any('WORD', 'text')],
      run: async (context, args) => (await import('./shell/help.ts')).help(context, args),
    },
    {
      word: 'complete',
      summary: 'what may stand next; for completion in other shells',
      arguments: [any('WORD', 'text')],
      isRaw: true,
      run: async (context, args) => (await import('./shell/complete.ts')).answer(context, args),
    },
    {
      word: 'completion',
      summary: 'a script for bash, zsh or fish that completes these commands',
      arguments: [one('SHELL', ['bash', 'zsh', 'fish'])],
      run: async (context, args) => (await import('./shell/complete.ts')).script(context, args),
    },
  ],
};

/** All words of an entry. */
export const wordsOf = (entry: Command | Level): readonly string[] => [entry.word, ...(entry.aliases ?? [])];

/** The entry meant by a word: itself, or the only one that begins so. */
export function findEntry(level: Level, word: string): Command | Level | 'ambiguous' | undefined {
  const wanted = word.toLowerCase();
  const exact = level.children.find((entry) => wordsOf(entry).includes(wanted));
  if (exact !== undefined) return exact;
  const starting = level.children.filter((entry) => wordsOf(entry).some((each) => each.startsWith(wanted)));
  return starting.length > 1 ? 'ambiguous' : starting[0];
}

/** How a command is written: `node fence NODE [reboot|off|on]`. */
export function usageOf(path: readonly string[], command: Command): string {
  const args = command.arguments.map(({ name, isOptional, isRepeated }) => {
    const repeated = isRepeated === true ? `${name} …` : name;
    return isOptional === true ? `[${repeated}]` : repeated;
  });
  return [...path, command.word, ...args].join(' ');
}
