/** The agents of this machine: where they are, which there are, what they say of themselves. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystoleError } from '@systole/kernel';
import {
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
import { didYouMean } from '../language/suggest.ts';

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
/** Where this machine's agents are. */
export const agentPlaces = (): AgentPlaces =>
  standardPlaces({ ra: join(packages, 'ra'), stonith: join(packages, 'stonith') });
const places = agentPlaces;

/** Describing takes this long at most. */
const DESCRIBE_MS = 10_000;

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

export const noAgent = (name: string): SystoleError => {
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

/**
 * Why an agent cannot be run here; undefined if it can, or if only the daemon knows where it looks (its own places for
 * init scripts and units).
 */
export function absenceOf(agent: AgentName): string | undefined {
  if (agent.class !== 'ocf' && agent.class !== 'stonith') return undefined;
  const located = locateAgent(agent, places(), (paths) => paths.find((path) => existsSync(path)));
  return located === undefined ? noAgent(formatAgentName(agent)).message : undefined;
}

/** The program of an agent, or where it describes itself; undefined if it is not here. */
export function pathOf(agent: AgentName): string | undefined {
  const located = locateAgent(agent, places(), (paths) => paths.find((path) => existsSync(path)));
  return located?.path;
}

/** @throws SystoleError if there is no such agent, or it does not describe itself. */
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

export function run(
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
