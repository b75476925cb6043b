/**
 * Agents' own descriptions, read once by running each agent, and kept until agents on disk change. Only OCF agents
 * are asked: a description serves to tell which parameters may change without a restart, and others offer no reload.
 */
import type { AgentName } from '@systole/cib';
import type { ProcessEnded, StartProcess } from '@systole/kernel';
import {
  type AgentDescription,
  type AgentPlaces,
  describeCommand,
  type FirstExisting,
  formatAgentName,
  locateAgent,
  parseDescription,
} from '@systole/ra';

/** Agents answer in 20 to 900 ms; one that takes longer than this goes without. */
const describeTimeoutMs = 30_000;
const describeOutputLimitBytes = 1024 * 1024;
const prefix = 'lrm/describe/';

/** Whether a process only reads an agent's description: it changes nothing, and nobody need know of it afterwards. */
export const readsDescription = (processId: string): boolean => processId.startsWith(prefix);

type Entry =
  | { readonly type: 'asked' }
  | { readonly type: 'known'; readonly description: AgentDescription }
  | { readonly type: 'none'; readonly reason: string };

export class Descriptions {
  readonly #entries = new Map<string, Entry>();
  readonly #places: AgentPlaces;
  readonly #firstExisting: FirstExisting;

  constructor(places: AgentPlaces, firstExisting: FirstExisting) {
    this.#places = places;
    this.#firstExisting = firstExisting;
  }

  /** The process that reads an agent's description, if it has not been read and is not being read. */
  wanted(agent: AgentName): StartProcess | undefined {
    const name = formatAgentName(agent);
    if (agent.class !== 'ocf' || this.#entries.has(name)) return undefined;
    const located = locateAgent(agent, this.#places, this.#firstExisting);
    const command = located === undefined ? undefined : describeCommand(agent, located, this.#places);
    if (command === undefined) return undefined;
    this.#entries.set(name, { type: 'asked' });
    return {
      type: 'startProcess',
      id: `${prefix}${name}`,
      ...command,
      timeoutMs: describeTimeoutMs,
      killAfterMs: 0,
      outputLimitBytes: describeOutputLimitBytes,
    };
  }

  /** Takes the answer in; tells the agent's name if the process was one of ours. */
  ended(input: ProcessEnded): string | undefined {
    if (!readsDescription(input.id)) return undefined;
    const name = input.id.slice(prefix.length);
    if (!this.#entries.has(name)) return name;
    const parsed =
      input.outcome.type === 'exited' && input.outcome.code === 0
        ? parseDescription(input.stdout)
        : ({ ok: false, error: `meta-data ended with ${JSON.stringify(input.outcome)}` } as const);
    this.#entries.set(
      name,
      parsed.ok ? { type: 'known', description: parsed.value } : { type: 'none', reason: parsed.error },
    );
    return name;
  }

  isBeingRead(agent: AgentName): boolean {
    return this.#entries.get(formatAgentName(agent))?.type === 'asked';
  }

  of(agent: AgentName): AgentDescription | undefined {
    const entry = this.#entries.get(formatAgentName(agent));
    return entry?.type === 'known' ? entry.description : undefined;
  }

  /** Why an agent has no usable description, if it was read and has none. */
  problem(agent: string): string | undefined {
    const entry = this.#entries.get(agent);
    return entry?.type === 'none' ? entry.reason : undefined;
  }

  /** What is being read goes on; the rest is read again when next needed. */
  forget(): void {
    for (const [name, entry] of this.#entries) if (entry.type !== 'asked') this.#entries.delete(name);
  }
}
