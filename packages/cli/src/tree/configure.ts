/** The `configure` level: statements of the language, and work on what was edited. */
import { any, type Command, type Level, many, one, optional } from './entry.ts';

const configureCommands = () => import('../commands/configure.ts');
const commitCommands = () => import('../commands/configure-commit.ts');
const showCommands = () => import('../commands/configure-show.ts');
const graphCommands = () => import('../commands/configure-graph.ts');
const agentCommands = () => import('../commands/ra.ts');
const historyCommands = () => import('../commands/history.ts');

/** A statement of the configuration language; the language checks its words. */
const statement = (word: string, summary: string, usage: string): Command => ({
  word,
  summary,
  details: `usage: ${usage}`,
  arguments: [any('…', 'text')],
  isRaw: true,
  isStatement: true,
  run: async (context, args) => (await configureCommands()).statement(context, [word, ...args]),
});

export const configure: Level = {
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
      run: async (context, args) => (await showCommands()).show(context, args),
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
    // Words of former times, which the language reads.
    ...(['ms', 'master', 'collocation', 'user'] as const).map((word): Command => ({
      ...statement(word, 'as it was called once', `${word} …`),
      isHidden: true,
    })),
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
      run: async (context, args) => (await showCommands()).edit(context, args),
    },
    {
      word: 'save',
      summary: 'write the configuration to a file',
      arguments: [any('[xml] [ID …] FILE', 'file')],
      run: async (context, args) => (await showCommands()).save(context, args),
    },
    {
      word: 'graph',
      summary: 'resources and constraints as a picture, for Graphviz or Mermaid',
      details:
        'graph [dot|mermaid] [FILE], or graph FILE [dot|mermaid]. Without a file it is printed; dot -Tsvg makes a picture.\n' +
        'Solid arrows are orders, dashed ones colocations (to what is placed first), dotted ones preferences for nodes.',
      arguments: [optional('dot|mermaid|FILE', 'file'), optional('FILE|dot|mermaid', 'file')],
      run: async (context, args) => (await graphCommands()).graph(context, args),
    },
    {
      word: 'commit',
      summary: 'put what was edited into force, as one change',
      arguments: [optional('force', ['force'])],
      run: async (context, args) => (await commitCommands()).commitEdits(context, args),
    },
    {
      word: 'diff',
      summary: 'what was edited and is not committed',
      arguments: [],
      run: async (context) => (await commitCommands()).diffEdits(context),
    },
    {
      word: 'refresh',
      aliases: ['cancel'],
      summary: 'drop what was edited',
      arguments: [],
      run: async (context) => (await commitCommands()).refresh(context),
    },
    {
      word: 'simulate',
      aliases: ['ptest'],
      summary: 'what the cluster would do if this were committed',
      arguments: [any('scores|actions|utilization', ['scores', 'actions', 'utilization', 'nograph'])],
      run: async (context, args) => (await commitCommands()).simulateEdits(context, args),
    },
    {
      word: 'verify',
      summary: 'look for mistakes and traps',
      arguments: [],
      run: async (context) => (await commitCommands()).verifyEdits(context),
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
      run: async (context, args) => (await showCommands()).getProperty(context, args),
    },
    {
      word: 'describe',
      summary: 'what cluster options mean, with their defaults and present values',
      arguments: [any('NAME', 'option')],
      run: async (context, args) => (await showCommands()).describeOptions(context, args),
    },
    {
      word: 'validate-all',
      aliases: ['validate_all'],
      summary: 'let the agent check the parameters of a primitive',
      arguments: [one('PRIMITIVE', 'primitive')],
      run: async (context, args) => (await agentCommands()).validateResource(context, args),
    },
    {
      word: 'default-timeouts',
      aliases: ['default_timeouts'],
      summary: 'timeouts of operations as the agents advise them',
      arguments: [many('PRIMITIVE', 'primitive')],
      run: async (context, args) => (await configureCommands()).defaultTimeouts(context, args),
    },
    {
      word: 'apply',
      summary: 'make the configuration what a file says; changes nothing if it is so already',
      arguments: [one('FILE', 'file')],
      run: async (context, args) => (await configureCommands()).statement(context, ['load', 'push', ...args]),
    },
  ],
};
