/** Where names for completion come from: the cluster, this machine's agents, the user's folder. Asked only when needed. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Cib } from '@systole/cib';
import type { Item } from '../language/items.ts';
import type { Context } from './context.ts';

export interface Names {
  readonly items: () => Promise<readonly Item[]>;
  readonly shadows: () => Promise<readonly string[]>;
  readonly agents: () => Promise<readonly string[]>;
  /** Names of an agent's parameters. */
  readonly parameters: (agent: string) => Promise<readonly string[]>;
  /** Numbers of earlier configurations. */
  readonly configurations: () => Promise<readonly string[]>;
}

/** Without a daemon there are no names of the cluster, and that is no failure here. */
export function namesOf(context: Context): Names {
  let cib: Promise<Cib | undefined> | undefined;
  return {
    items: async () => {
      if (context.session !== undefined) return context.session.session.draft.items;
      cib ??= context.client.cib().catch(() => undefined);
      const found = await cib;
      // In the shell the next completion looks again.
      if (context.isShell) cib = undefined;
      if (found === undefined) return [];
      const { fromConfiguration } = await import('../language/items.ts');
      return fromConfiguration(found.configuration);
    },
    shadows: async () => (await import('../commands/shadow.ts')).shadowNames(),
    agents: async () => {
      const [{ installedAgents }, { formatAgentName }] = await Promise.all([
        import('../commands/agents-here.ts'),
        import('@systole/ra'),
      ]);
      return installedAgents().map(formatAgentName);
    },
    parameters: parametersOf,
    configurations: async () => {
      const rows = await context.client.configurations().catch(() => []);
      return rows.map(({ version }) => String(version.epoch));
    },
  };
}

/** Asking an agent takes a tenth of a second and more: what it said is kept until its file changes. */
async function parametersOf(name: string): Promise<readonly string[]> {
  const { agentNamed, describeAgent, pathOf } = await import('../commands/agents-here.ts');
  try {
    const agent = agentNamed(name);
    const path = pathOf(agent);
    if (path === undefined) return [];
    const stamp = `${path} ${statSync(path).mtimeMs}`;
    const cache = join(
      process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
      'systole',
      'agents',
      `${encodeURIComponent(path)}.json`,
    );
    const kept = readCache(cache, stamp);
    if (kept !== undefined) return kept;
    const names = describeAgent(agent).parameters.map((parameter) => parameter.name);
    mkdirSync(dirname(cache), { recursive: true, mode: 0o700 });
    writeFileSync(cache, JSON.stringify({ stamp, names }));
    return names;
  } catch {
    // An agent that is not here, or does not describe itself, has no names to offer.
    return [];
  }
}

function readCache(file: string, stamp: string): readonly string[] | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly stamp?: string;
      readonly names?: readonly string[];
    };
    return kept.stamp === stamp ? kept.names : undefined;
  } catch {
    return undefined; // not there yet, or torn
  }
}
