/** `systole ra`: agents on this machine, their descriptions, and running one action by hand. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { SystoleError } from '@systole/kernel';
import { agentCommand, type AgentDescription, type AgentName, formatAgentName, locateAgent } from '@systole/ra';
import { Draft } from '../language/draft.ts';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { readValues } from '../shell/values.ts';
import { agentNamed, agentPlaces as places, describeAgent, installedAgents, noAgent, run } from './agents-here.ts';

/** One action by hand takes so long at most. */
const ACTION_MS = 120_000;

// --- what there is ---------------------------------------------------------------------------------------------

export function classes(context: Context): void {
  const agents = installedAgents();
  const rows = ['ocf', 'lsb', 'systemd', 'service', 'stonith'].map((name) => {
    const own = agents.filter((agent) => agent.class === name);
    const providers = [...new Set(own.flatMap((agent) => agent.provider ?? []))];
    return { class: name, agents: own.length, providers };
  });
  context.answer(
    rows,
    table(
      rows.map((row) => [
        row.class,
        row.class === 'service' ? 'lsb or systemd, whichever is there' : `${row.agents} agents`,
        row.providers.join(', '),
      ]),
    ),
  );
}

export function list(context: Context, args: readonly string[]): void {
  const [wanted, provider] = args;
  const names = installedAgents()
    .filter(
      (agent) =>
        (wanted === undefined || agent.class === wanted) && (provider === undefined || agent.provider === provider),
    )
    .map(formatAgentName);
  context.answer(names, names.join('\n'));
}

export function providers(context: Context, args: readonly string[]): void {
  const [type = ''] = args;
  const found = installedAgents().flatMap((agent) =>
    agent.class === 'ocf' && agent.type === type ? (agent.provider ?? []) : [],
  );
  if (found.length === 0) throw noAgent(type);
  context.answer(found, found.join('\n'));
}

export function info(context: Context, args: readonly string[]): void {
  const agent = agentNamed(args[0] ?? '');
  const description = describeAgent(agent);
  context.answer(description, () => infoText(agent, description));
}

function infoText(agent: AgentName, description: AgentDescription): string {
  const parameters = description.parameters
    .filter(({ isDeprecated }) => !isDeprecated)
    .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
  const lines = parameters.map((parameter) => {
    const kind = [
      parameter.isRequired ? 'required' : '',
      parameter.uniqueGroup === undefined ? '' : 'unique',
      parameter.type,
    ]
      .filter((word) => word !== '')
      .join(', ');
    const fallback =
      parameter.default === undefined || parameter.default === '' ? '' : `, default ${parameter.default}`;
    return `  ${parameter.name}${parameter.isRequired ? '*' : ''} (${kind}${fallback})\n      ${clean(parameter.shortDescription || parameter.longDescription)}`;
  });
  const actions = description.actions.map(({ name, timeoutMs, intervalMs, role }) => [
    name,
    timeoutMs === undefined ? '' : `timeout ${timeoutMs / 1000}s`,
    intervalMs === undefined || intervalMs === 0 ? '' : `interval ${intervalMs / 1000}s`,
    role ?? '',
  ]);
  return `${formatAgentName(agent)}: ${clean(description.shortDescription)}\n\n${description.longDescription.trim()}\n\nParameters (* required):\n${lines.join('\n')}\n\nActions, with the times the agent advises:\n${table(actions, '  ')}`;
}

const clean = (text: string): string => text.replace(/\s+/g, ' ').trim();

// --- running by hand -------------------------------------------------------------------------------------------

function runAction(
  agent: AgentName,
  operation: string,
  resource: string,
  parameters: Readonly<Record<string, string>>,
): ReturnType<typeof run> {
  const all = places();
  const located = locateAgent(agent, all, (paths) => paths.find((path) => existsSync(path)));
  if (located === undefined) throw noAgent(formatAgentName(agent));
  const node = hostname();
  return run(
    agentCommand(
      { agent, resource, operation, intervalMs: 0, timeoutMs: ACTION_MS, parameters, meta: {}, node, nodeId: node },
      located,
      all,
    ),
    ACTION_MS,
  );
}

export function validate(context: Context, args: readonly string[]): number {
  const [name = '', ...pairs] = args;
  const parameters = Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`expected NAME=VALUE, found "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const result = runAction(agentNamed(name), 'validate-all', 'validate', parameters);
  return tell(context, 'validate-all', result);
}

function tell(context: Context, action: string, { code, stdout, stderr }: ReturnType<typeof run>): number {
  const output = [stdout, stderr]
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n');
  context.answer(
    { action, exitCode: code, stdout, stderr },
    `${output}${output === '' ? '' : '\n'}${action}: exit code ${code}${code === 0 ? '' : ` (${exitWords[code] ?? 'unknown'})`}`,
  );
  return code === 0 ? 0 : 1;
}

const exitWords: Readonly<Record<number, string>> = {
  1: 'error',
  2: 'wrong parameters',
  3: 'unimplemented',
  4: 'no permission',
  5: 'not installed',
  6: 'not configured',
  7: 'not running',
  8: 'promoted',
  9: 'promoted and failed',
};

async function primitiveOf(
  context: Context,
  id: string,
): Promise<{
  readonly agent: AgentName;
  readonly parameters: Readonly<Record<string, string>>;
  readonly isManaged: boolean;
}> {
  const cib = await context.client.cib();
  const draft = new Draft(cib.configuration);
  const item = draft.need(id);
  if (item.kind !== 'primitive')
    throw new SystoleError('refused', `${id} is a ${item.kind}; only primitives have agents`);
  const template = item.value.template === undefined ? undefined : draft.find(item.value.template);
  const agent = item.value.agent ?? (template?.kind === 'template' ? template.value.agent : undefined);
  if (agent === undefined) throw new SystoleError('notFound', `${id} has no agent`);
  const own = Object.fromEntries(readValues(item, 'parameters'));
  const inherited = template === undefined ? {} : Object.fromEntries(readValues(template, 'parameters'));
  const report = await context.client.status();
  const row = report.resources.find((each) => each.id === id);
  return { agent, parameters: { ...inherited, ...own }, isManaged: row?.managed ?? true };
}

export async function validateResource(context: Context, args: readonly string[]): Promise<number> {
  const { agent, parameters } = await primitiveOf(context, args[0] ?? '');
  return tell(context, 'validate-all', runAction(agent, 'validate-all', args[0] ?? '', parameters));
}

/** Only for what the cluster leaves alone: else it would work against it. */
export async function action(context: Context, args: readonly string[]): Promise<number> {
  const [id = '', operation = ''] = args;
  const { agent, parameters, isManaged } = await primitiveOf(context, id);
  const isHarmless = operation === 'monitor' || operation === 'validate-all';
  if (isManaged && !isHarmless && !context.options.isForced) {
    throw new SystoleError(
      'refused',
      `${id} is managed by the cluster, which would work against you; first: systole resource unmanage ${id}`,
    );
  }
  return tell(context, operation, runAction(agent, operation, id, parameters));
}
