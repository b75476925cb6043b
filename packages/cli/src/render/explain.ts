/** Why a resource is where it is, and why it is not elsewhere: the scheduler's own numbers, in words. */
import { formatScore, INFINITY } from '@systole/cib';
import type { Decision, PrimitiveInstance } from '@systole/pe';
import { type ActionExplanation, type Change, explain, isPrimitive, noteInWords } from '@systole/pe';

type Instance = Decision['situation']['instances'][number];
type Contribution = Decision['placement']['contributions'][number];

export interface NodeAnswer {
  readonly node: string;
  readonly isHere: boolean;
  /** The score it was placed with; absent where it is not allowed at all. */
  readonly score?: number;
  readonly reasons: readonly string[];
}

export interface InstanceAnswer {
  readonly resource: string;
  readonly role: string;
  readonly nodes: readonly string[];
  /** Where the scheduler would have it now. */
  readonly wanted?: string;
  /** Why it will be where it will be, or nowhere; the tie-break where scores are equal. */
  readonly sentence: string;
  /** What would be done with it now, why, and after what. */
  readonly actions: readonly ActionExplanation[];
  /** What keeps it from running, or from being managed. */
  readonly obstacles: readonly string[];
  readonly where: readonly NodeAnswer[];
}

/** All primitives that a name means: itself, instances of a clone, members of a group. */
export function explainResource(decision: Decision, id: string): readonly InstanceAnswer[] {
  const { situation } = decision;
  const found = situation.instances.filter((instance) => instance.id === id || instance.configId === id);
  return found.flatMap((instance) => leaves(instance)).map((instance) => explainInstance(decision, instance));
}

const leaves = (instance: Instance): readonly PrimitiveInstance[] =>
  isPrimitive(instance) ? [instance] : instance.children.flatMap((child) => leaves(child));

function explainInstance(decision: Decision, instance: PrimitiveInstance): InstanceAnswer {
  const { situation, placement } = decision;
  const place = placement.places[instance.index];
  const own = contributionsOf(decision, instance);
  const explained = explain(decision, instance.id)?.instances.find((one) => one.instance === instance.id);
  const where = situation.nodes.map((node): NodeAnswer => {
    const placed = placement.nodes[node.index];
    // What was banned at the last moment (no room, enough instances) shows only in what is allowed in the end.
    const isBanned = (place?.allowed[node.index]?.score ?? 0) <= -INFINITY;
    const score = isBanned ? -INFINITY : lastScore(decision, instance.id, node.name);
    const state = nodeReasons(node, placed);
    const here = own.filter(({ node: on, score: added }) => (on === undefined || on === node) && added !== 0);
    const reasons = here.map(contributionText);
    return {
      node: node.name,
      isHere: instance.activeNodes.includes(node),
      ...(score === undefined ? {} : { score }),
      reasons: [...new Set([...state, ...reasons])],
    };
  });
  return {
    resource: instance.id,
    role: instance.role,
    nodes: instance.activeNodes.map(({ name }) => name),
    ...(place?.node === undefined ? {} : { wanted: place.node.name }),
    sentence: explained?.sentence ?? '',
    actions: explained?.actions ?? [],
    obstacles: [...blockedChange(explained?.change), ...obstacles(decision, instance)],
    where: where.toSorted((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity)),
  };
}

/** Its own, and those of what it is in. */
function contributionsOf({ placement }: Decision, instance: PrimitiveInstance): readonly Contribution[] {
  const chain = new Set<Instance>();
  for (let each: Instance | undefined = instance; each !== undefined; each = each.parent) chain.add(each);
  return placement.contributions.filter((contribution) => chain.has(contribution.instance));
}

const lastScore = ({ placement }: Decision, id: string, node: string): number | undefined =>
  placement.scores.findLast((row) => row.rsc === id && row.node === node && row.stage === 'primitive')?.score;

type SituationNode = Decision['situation']['nodes'][number];
type PlacedNode = Decision['placement']['nodes'][number];

function nodeReasons(node: SituationNode, placed: PlacedNode | undefined): readonly string[] {
  if (node.isUnclean) return ['the node is unclean'];
  if (placed?.isUnclean === true) return ['the node is to be fenced'];
  if (!node.isOnline) return [node.isPending ? 'the node is still joining' : 'the node is offline'];
  if (node.isStandby)
    return [
      node.isStandbyByFailure ? 'the node is in standby because an operation failed there' : 'the node is in standby',
    ];
  if (node.isMaintenance) return ['the node is in maintenance'];
  if (node.isShutdown) return ['the node is leaving'];
  return placed?.isAvailable === false ? ['the node takes no resources now'] : [];
}

/** What should be done and cannot: the first thing to know at night. */
function blockedChange(change: Change | undefined): readonly string[] {
  if (change?.blocked !== true) return [];
  const because = change.reason === undefined ? '' : `: ${noteInWords(change.reason)}`;
  return [`it should ${change.change}, and cannot${because}`];
}

function obstacles({ situation }: Decision, instance: PrimitiveInstance): readonly string[] {
  const found: string[] = [];
  if (!situation.hasQuorum && situation.options.noQuorumPolicy !== 'ignore')
    found.push(`this partition has no quorum (no-quorum-policy is ${situation.options.noQuorumPolicy})`);
  if (situation.options.isFencingEnabled && !situation.options.hasFencing)
    found.push('fencing is enabled, but there is no fence device: nothing is started');
  if (situation.options.isMaintenance) found.push('the whole cluster is in maintenance: systole maintenance off');
  else if (instance.isMaintenance)
    found.push(`it is in maintenance: systole resource maintenance ${instance.configId} off`);
  if (instance.isDisabled)
    found.push(`it is stopped on purpose (target-role): systole resource start ${instance.configId}`);
  // What is blocked is not managed either; that it is blocked says more.
  if (!instance.isManaged && !instance.isMaintenance && !instance.isBlocked)
    found.push(`it is not managed: systole resource manage ${instance.configId}`);
  if (instance.isBlocked)
    found.push(`it is blocked after a failure: mend it, then systole resource cleanup ${instance.configId}`);
  if (instance.pending !== undefined)
    found.push(`${instance.pending.operation} on ${instance.pending.node.name} has not finished`);
  for (const [node, entry] of instance.lastFailures) {
    const { record } = entry as { readonly record?: { readonly operation?: string; readonly exitReason?: string } };
    const what = record?.operation ?? 'an operation';
    const reason = record?.exitReason === undefined || record.exitReason === '' ? '' : `: ${record.exitReason}`;
    found.push(`${what} failed on ${node.name}${reason}`);
  }
  return found;
}

function contributionText({ score, source }: Contribution): string {
  return `${formatScore(score).padStart(9)}  ${sourceText(source)}`;
}

function sourceText(source: Contribution['source']): string {
  switch (source.type) {
    case 'status':
      return source.reason;
    case 'location':
      return `location ${source.constraint}${source.rule === undefined ? '' : `, rule ${source.rule}`}`;
    case 'stickiness':
      return 'stickiness: it is there';
    case 'failures':
      return source.count >= INFINITY
        ? 'it failed there in a way that counts as too often: systole resource cleanup, when the cause is gone'
        : `${source.count} failures there, migration-threshold is ${source.threshold}`;
    case 'health':
      return "the node's health";
    case 'ticket':
      return `ticket ${source.ticket} (${source.constraint}) is not held`;
    case 'lock':
      return 'shutdown-lock: it waits for its node';
    case 'exclusiveDiscovery':
      return 'only where a location with resource-discovery=exclusive says';
    case 'remote':
      return 'it cannot run on a remote node';
    case 'utilization':
      return 'too little capacity is left there';
    case 'targetRole':
      return 'it is to be stopped (target-role, or on-fail after a failure)';
    case 'limit':
      return 'no more instances are wanted there';
    case 'promotion':
      return 'promotion score';
    case 'colocation': {
      const side = source.direction === 'primary' ? ', which depends on it' : '';
      // What follows from the resources themselves has a name that nobody gave.
      const name = source.constraint.startsWith('#') ? 'belongs together' : `colocation ${source.constraint}`;
      return `${name} with ${source.other.id}${side}`;
    }
  }
}

export function renderExplanation(answers: readonly InstanceAnswer[], onlyNode: string | undefined): string {
  return answers.map((answer) => oneExplanation(answer, onlyNode)).join('\n\n');
}

/** Each node with its score and where that comes from; nodes of which the same is to be said share a line. */
function nodeLines(answer: InstanceAnswer, onlyNode: string | undefined): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const { node, score, reasons, isHere } of answer.where) {
    if (onlyNode !== undefined && node !== onlyNode) continue;
    const mark = isHere ? ', here' : node === answer.wanted ? ', chosen' : '';
    const text = [`${scoreText(score)}${mark}`, ...reasons.map((reason) => `      ${reason}`)].join('\n');
    const names = byText.get(text);
    if (names === undefined) byText.set(text, [node]);
    else names.push(node);
  }
  return [...byText].map(([text, names]) => `  ${names.join(', ')}: ${text}`);
}

function scoreText(score: number | undefined): string {
  if (score === undefined) return 'not allowed';
  return score <= -INFINITY ? 'must not (-INFINITY)' : `score ${formatScore(score)}`;
}

/** Said once for all nodes, unless it waits for something. */
const isFirstProbe = ({ key, waitsFor }: ActionExplanation): boolean =>
  key.endsWith('_monitor_0') && waitsFor.length === 0;

function oneExplanation(answer: InstanceAnswer, onlyNode: string | undefined): string {
  const at = answer.nodes.length === 0 ? 'runs nowhere' : `is ${answer.role} on ${answer.nodes.join(', ')}`;
  const moves =
    answer.wanted !== undefined && !answer.nodes.includes(answer.wanted) ? `; it would go to ${answer.wanted}` : '';
  const obstacles = answer.obstacles.map((text) => `  ! ${text}`);
  const nodes = nodeLines(answer, onlyNode);
  const probed = answer.actions.filter(isFirstProbe);
  const probes =
    probed.length === 0
      ? []
      : [
          `  > probe: nobody knows whether it runs on ${probed.map(({ node }) => node).join(', ')}: look before it starts`,
        ];
  const others = answer.actions.filter((action) => !isFirstProbe(action));
  const actions = others.map(({ operation, sentence, waitsFor }) => {
    const shown = waitsFor.slice(0, 3).join(', ');
    const more = waitsFor.length > 3 ? ` and ${waitsFor.length - 3} more` : '';
    const after = waitsFor.length === 0 ? '' : `; after ${shown}${more}`;
    return `  > ${operation}: ${sentence}${after}`;
  });
  const why = answer.sentence === '' ? [] : [`  ${answer.sentence}`];
  return [`${answer.resource} ${at}${moves}`, ...why, ...obstacles, ...nodes, ...probes, ...actions].join('\n');
}
