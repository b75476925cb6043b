/** `systole ra`: agents on this machine, their descriptions, and running one action by hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystoleError } from '@systole/kernel';
import {
  agentCommand,
  type AgentCommand,
  type AgentDescription,
  type AgentName,
  type AgentPlaces,
  describeCommand,
  formatAgentName,
  locateAgent,
  parseDescription,
  standardPlaces,
} from '@systole/ra';
import { Draft } from '../language/draft.ts';
import { didYouMean } from '../language/suggest.ts';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { readValues } from '../shell/values.ts';

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
/** Where this machine's agents are. */
export const agentPlaces = (): AgentPlaces =>
  standardPlaces({ ra: join(packages, 'ra'), stonith: join(packages, 'stonith') });
const places = agentPlaces;

/** Describing takes this long at most, and one action by hand that long. */
const DESCRIBE_MS = 10_000;
const ACTION_MS = 120_000;

// --- what there is ---------------------------------------------------------------------------------------------

const filesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return [];
    throw error;
  }
};

const many = (folders: string | readonly string[]): readonly string[] =>
  typeof folders === 'string' ? [folders] : folders;

/** All agents of this machine. */
export function installedAgents(): readonly AgentName[] {
  const { own, ocf, lsb, systemdUnits, fence } = places();
  const agents: AgentName[] = filesIn(own)
    .filter((name) => existsSync(join(own, name, name)))
    .map((type) => ({ class: 'ocf', provider: 'systole', type }));
  for (const folder of ocf) {
    for (const provider of filesIn(folder)) {
      for (const type of filesIn(join(folder, provider)))
        if (!type.startsWith('.') && !type.endsWith('.sh')) agents.push({ class: 'ocf', provider, type });
    }
  }
  for (const folder of many(lsb))
    for (const type of filesIn(folder))
      if (!/^(?:README|skeleton|rc.*|functions)$/.test(type)) agents.push({ class: 'lsb', type });
  for (const folder of systemdUnits) {
    for (const file of filesIn(folder))
      if (file.endsWith('.service')) agents.push({ class: 'systemd', type: file.slice(0, -'.service'.length) });
  }
  for (const folder of fence)
    for (const type of filesIn(folder)) if (type.startsWith('fence_')) agents.push({ class: 'stonith', type });
  const seen = new Set<string>();
  return agents.filter((agent) => {
    const name = formatAgentName(agent);
    return !seen.has(name) && seen.add(name);
  });
}

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

const noAgent = (name: string): SystoleError => {
  const installed = installedAgents();
  return new SystoleError(
    'notFound',
    `there is no agent "${name}" on this machine${didYouMean(name, [...installed.map(formatAgentName), ...installed.map((agent) => agent.type)])}`,
  );
};

/** As in statements: a type alone is of ocf:heartbeat, a fence agent if it begins so, or the only one of that type. */
export function agentNamed(text: string): AgentName {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 3) return { class: first, provider: second, type: third };
  const ofType = (type: string, wanted: string): AgentName => {
    const found = installedAgents().filter((agent) => agent.type === type && agent.class === wanted);
    return (
      found.find((agent) => agent.provider === 'heartbeat') ??
      found[0] ?? { class: wanted, provider: 'heartbeat', type }
    );
  };
  if (parts.length === 2) return first === 'ocf' ? ofType(second, 'ocf') : { class: first, type: second };
  return first.startsWith('fence_') ? { class: 'stonith', type: first } : ofType(first, 'ocf');
}

// --- descriptions ----------------------------------------------------------------------------------------------

/** @throws SystoleError if there is no such agent, or it does not describe itself. */
/**
 * Why an agent cannot be run here; undefined if it can, or if only the daemon knows where it looks (its own places for
 * init scripts and units).
 */
export function absenceOf(agent: AgentName): string | undefined {
  if (agent.class !== 'ocf' && agent.class !== 'stonith') return undefined;
  const located = locateAgent(agent, places(), (paths) => paths.find((path) => existsSync(path)));
  return located === undefined ? noAgent(formatAgentName(agent)).message : undefined;
}

export function describeAgent(agent: AgentName): AgentDescription {
  const all = places();
  const located = locateAgent(agent, all, (paths) => paths.find((path) => existsSync(path)));
  if (located === undefined) throw noAgent(formatAgentName(agent));
  const command = describeCommand(agent, located, all);
  if (command === undefined)
    throw new SystoleError(
      'refused',
      `${formatAgentName(agent)} is an init script: it takes no parameters and does not describe itself`,
    );
  const { stdout } = run(command, DESCRIBE_MS);
  const description = parseDescription(stdout);
  if (!description.ok) throw new SystoleError('failed', `${formatAgentName(agent)}: ${description.error}`);
  return description.value;
}

function run(
  command: AgentCommand,
  timeoutMs: number,
): { readonly code: number; readonly stdout: string; readonly stderr: string } {
  const [program = '', ...args] = command.argv;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: { ...command.environment },
    input: command.stdin,
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 4 * 1024 * 1024,
  });
  if (error !== undefined)
    throw new SystoleError('failed', `cannot run ${program}: ${error.message}`, { cause: error });
  return { code: status ?? 1, stdout, stderr };
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
