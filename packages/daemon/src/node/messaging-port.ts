/**
 * Messaging as the node sees it: the engine itself where all runs in one thread (the simulator, tests), or one that runs
 * in a thread of its own and answers later with the input `messaging` (the daemon).
 */
import type { Cib } from '@systole/cib';
import { fail, type Instant, invariant, ok, type Result } from '@systole/kernel';
import {
  type Configuration,
  createEngine,
  type EngineEffect,
  type EngineInput,
  type EngineStatus,
  type NodeId,
  type QuorumPolicy,
  type StateRecord,
} from '@systole/messaging';
import { quorumOptions, quorumPolicy, type QuorumSettings } from '@systole/quorum';
import type { NodeConfiguration, NodePorts } from './contract.ts';
import { NodeIds } from './node-ids.ts';

/** All that messaging must know of the cluster; plain data. */
export interface MessagingSetup {
  readonly configuration: Configuration;
  /** Checked: these settings go together. */
  readonly quorum: QuorumSettings;
  /** For what quorum says to operators. */
  readonly names: readonly (readonly [NodeId, string])[];
}

export interface MessagingPort {
  /**
   * What is to be done at once; nothing, where the engine runs elsewhere. `view`: the number of the view that a
   * submission is meant for; in any other it is rejected.
   */
  step(input: EngineInput, now: Instant, view?: number): readonly EngineEffect[];
  /** When a `tick` is due; far away, where the engine keeps its own time. */
  wakeAt(): Instant;
  /** As of now, or where the engine runs elsewhere as of its last word. */
  status(now: Instant): EngineStatus;
  /** The set of nodes has changed. */
  reconfigure(setup: MessagingSetup, now: Instant): readonly EngineEffect[];
  /**
   * Whether quorum is held at this very moment, whatever has been told so far. Where messaging runs elsewhere, what it
   * said may wait unread while this thread stood still; nothing may be started or fenced on such old news.
   */
  isQuorumHeldNow(): boolean;
}

/** Expected nodes and those of the configuration, each once, in order of their names. */
export function allNames({ nodes, self }: Pick<NodeConfiguration, 'nodes' | 'self'>, cib: Cib): readonly string[] {
  const configured = cib.configuration.nodes
    .filter(({ type }) => (type ?? 'member') === 'member')
    .map(({ name }) => name);
  return [...new Set([self, ...nodes, ...configured])].toSorted((a, b) => (a < b ? -1 : 1));
}

/** Fails where two names cannot live in one cluster, or options of quorum do not go together. */
export function messagingSetup(
  configuration: NodeConfiguration,
  names: readonly string[],
): Result<MessagingSetup, string> {
  const ids = NodeIds.of(names);
  if (!ids.ok) return ids;
  const self = ids.value.id(configuration.self);
  if (self === undefined) return fail(`${configuration.self} is not one of the nodes`);
  const { votes = {}, ...settings } = configuration.quorum;
  const voters = ids.value.names.map((name) => ({ node: ids.value.id(name) ?? 0, votes: votes[name] ?? 1 }));
  const checked = quorumOptions({ ...settings, voters });
  if (!checked.ok) return fail(checked.error.join('; '));
  return ok({
    configuration: { ...configuration.messaging, self, nodes: ids.value.all, revision: 1 },
    quorum: { ...settings, voters },
    names: ids.value.names.map((name) => [ids.value.id(name) ?? 0, name] as const),
  });
}

/** The engine in this thread. */
export function localMessaging(
  setup: MessagingSetup,
  ports: Pick<NodePorts, 'random' | 'seal' | 'wallClock' | 'quorumPolicy'>,
  saved: StateRecord | undefined,
  now: Instant,
): MessagingPort {
  let policy = ports.quorumPolicy ?? policyOf(setup);
  const engine = createEngine({
    configuration: setup.configuration,
    seal: ports.seal,
    random: ports.random,
    quorum: delegate(() => policy),
    ...(saved === undefined ? {} : { saved }),
    wall: ports.wallClock(),
    now,
  });
  return {
    step: (input, at) => engine.step(input, at),
    wakeAt: () => engine.wakeAt(),
    status: (at) => engine.status(at),
    reconfigure: (changed, at) => {
      if (ports.quorumPolicy === undefined) policy = policyOf(changed);
      return engine.step({ type: 'reconfigure', configuration: changed.configuration }, at);
    },
    isQuorumHeldNow: () => true, // what it said last was said in this very step
  };
}

function policyOf({ quorum, names }: MessagingSetup): QuorumPolicy {
  const byId = new Map(names);
  const checked = quorumOptions({ ...quorum, nameOf: (node) => byId.get(node) ?? String(node) });
  invariant(checked.ok, 'options of quorum were checked when the setup was made');
  return quorumPolicy(checked.value.options);
}

/** A policy that is replaced when the set of nodes changes; the engine keeps one reference. */
const delegate = (policy: () => QuorumPolicy): QuorumPolicy => ({
  start: (saved) => policy().start(saved),
  decide: (input) => policy().decide(input),
  enough: (nodes, memory, deviceGranted, decision) => policy().enough(nodes, memory, deviceGranted, decision),
  votes: (node, memory) => policy().votes(node, memory),
  proposeChange: (context, now) => policy().proposeChange(context, now),
  changeReceived: (body, memory, view) => policy().changeReceived(body, memory, view),
  changeDelivered: (body, memory, view) => policy().changeDelivered(body, memory, view),
});
