/**
 * Every history of a few nodes, up to a depth: views form from any set of nodes while others stay behind in theirs,
 * changes of the base are proposed, received by some, delivered, nodes restart, and a device gives its vote to any one view
 * at a time. After each step two laws are checked: no two views hold quorum at once, and each quorate view shares a member
 * with the quorate one before it.
 *
 * Breadth first over canonical states, so a violation comes with the shortest history that leads to it. The policy under
 * test is handed in, so that broken variants can be tried: an enumeration that finds nothing in those would prove nothing.
 */
import type { Policy, QuorumDecision, QuorumMemory, QuorumReport } from '../src/index.ts';

interface ViewState {
  readonly number: number;
  readonly members: readonly number[];
  readonly reports: readonly QuorumReport[];
  readonly decision: QuorumDecision;
  readonly change?: Uint8Array;
  readonly received: readonly number[];
  readonly delivered: readonly number[];
  /** The device's vote is this view's. */
  readonly isGranted: boolean;
}

interface NodeState {
  readonly memory: QuorumMemory;
  readonly highest: number;
  /** Undefined after a restart, until a view takes it in. */
  readonly view: ViewState | undefined;
}

interface ModelState {
  readonly nodes: readonly NodeState[];
  readonly lastQuorate: { readonly number: number; readonly members: readonly number[] } | undefined;
}

export interface ModelResult {
  readonly states: number;
  /** The shortest history that breaks a law, in words; undefined when none was found. */
  readonly violation: readonly string[] | undefined;
}

export interface ModelOptions {
  readonly nodes: number;
  readonly depth: number;
  readonly restarts?: boolean;
  /** Stop after so many states: a bound for variants that are expected to fail. */
  readonly statesMax?: number;
  /** Actions by name that lead to where the enumeration starts, so that it reaches further from there. */
  readonly after?: readonly string[];
  /** The law that consecutive quorate views share a member; not promised with two_node, nor by a device that grants anybody. */
  readonly chain?: boolean;
  /** There is a device, and it grants whom it likes: whatever its algorithm is, it does nothing worse. */
  readonly device?: boolean;
}

interface Visited {
  readonly state: ModelState;
  readonly history: History | undefined;
}

interface History {
  readonly action: string;
  readonly before: History | undefined;
}

export function explore(policy: Policy, options: ModelOptions): ModelResult {
  const { nodes, depth, restarts = true, statesMax = Infinity, chain = true, after: prefix = [] } = options;
  const next = (from: ModelState): Generator<Step> => steps(policy, from, restarts, chain, options.device === true);
  const fresh: NodeState = { memory: policy.start(undefined), highest: 0, view: undefined };
  let start: ModelState = { nodes: Array.from({ length: nodes }, () => fresh), lastQuorate: undefined };
  for (const wanted of prefix) {
    const step = [...next(start)].find(({ action }) => action === wanted);
    if (step === undefined) throw new Error(`"${wanted}" is not possible here`);
    if (step.broken !== undefined) return { states: 0, violation: [...prefix, step.broken] };
    start = step.state;
  }
  const seen = new Set<string>([keyOf(start)]);
  let frontier: Visited[] = [{ state: start, history: undefined }];
  for (let level = 0; level < depth; level += 1) {
    const reached: Visited[] = [];
    for (const { state, history } of frontier) {
      for (const { action, state: after, broken } of next(state)) {
        const path: History = { action, before: history };
        if (broken !== undefined) return { states: seen.size, violation: [...told(path), broken] };
        const key = keyOf(after);
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size >= statesMax) return { states: seen.size, violation: undefined };
        reached.push({ state: after, history: path });
      }
    }
    frontier = reached;
  }
  return { states: seen.size, violation: undefined };
}

interface Step {
  readonly action: string;
  readonly state: ModelState;
  readonly broken?: string;
}

function* steps(
  policy: Policy,
  state: ModelState,
  restarts: boolean,
  chain: boolean,
  hasDevice: boolean,
): Generator<Step> {
  const all = state.nodes.map((_, index) => index + 1);
  for (let mask = 1; mask < 2 ** all.length; mask += 1) {
    const members = all.filter((node) => (mask & (1 << (node - 1))) !== 0);
    yield checked(policy, `view of ${members.join(' ')}`, form(policy, state, members), chain);
  }
  if (hasDevice) {
    for (const view of new Set(state.nodes.map((node) => node.view))) {
      if (view === undefined || view.isGranted) continue;
      yield checked(policy, `the device grants view ${view.number}`, grant(policy, state, view), chain);
    }
  }
  for (const node of all) {
    const { view, memory } = at(state, node);
    if (view === undefined) continue;
    if (view.members[0] === node && view.change === undefined && holds(policy, state, view)) {
      const body = policy.proposeChange(
        { view: asView(view), self: node, memory, reports: view.reports, activeSince: 0, left: [] },
        Number.MAX_SAFE_INTEGER,
      );
      if (body !== undefined) {
        const proposed = { ...view, change: body };
        yield { action: `node ${node} proposes`, state: replaceView(state, view, proposed) };
      }
    }
    if (view.change !== undefined && !view.received.includes(node)) {
      const after = replaceView(state, view, { ...view, received: [...view.received, node].toSorted((a, b) => a - b) });
      const remembered = policy.changeReceived(view.change, memory, asView(view));
      yield checked(policy, `node ${node} receives`, setNode(after, node, { memory: remembered }), chain);
    }
    if (view.change !== undefined && view.received.length === view.members.length && !view.delivered.includes(node)) {
      const delivered = [...view.delivered, node].toSorted((a, b) => a - b);
      const moved = policy.changeDelivered(view.change, memory, asView(view));
      yield checked(
        policy,
        `node ${node} delivers`,
        setNode(replaceView(state, view, { ...view, delivered }), node, { memory: moved }),
        chain,
      );
    }
    if (restarts) {
      yield {
        action: `node ${node} restarts`,
        state: setNode(state, node, { memory: policy.start(memory), view: undefined }),
      };
    }
  }
}

function form(policy: Policy, state: ModelState, members: readonly number[]): ModelState {
  const number = Math.max(...members.map((node) => at(state, node).highest)) + 1;
  const reports = members.map((node) => ({ node, memory: at(state, node).memory }));
  const bare = { tag: { number }, members: members.map((node) => ({ node })) };
  let decision: QuorumDecision | undefined;
  const memories = members.map((self) => {
    const own = policy.decide({ view: bare, self, reports, memory: at(state, self).memory, deviceGranted: false });
    decision ??= own;
    return own.memory;
  });
  if (decision === undefined) return state;
  const view: ViewState = { number, members, reports, decision, received: [], delivered: [], isGranted: false };
  const nodes = state.nodes.map((node, index): NodeState => {
    const memory = memories[members.indexOf(index + 1)];
    return memory === undefined ? node : { memory, highest: number, view };
  });
  return { ...state, nodes };
}

/** The vote is this view's from now on: the lease of whoever had it is over. Both decide again. */
function grant(policy: Policy, state: ModelState, to: ViewState): ModelState {
  let after = state;
  for (const view of new Set(state.nodes.map((node) => node.view))) {
    if (view !== undefined && (view === to || view.isGranted)) after = decideAgain(policy, after, view, view === to);
  }
  return after;
}

function decideAgain(policy: Policy, state: ModelState, view: ViewState, isGranted: boolean): ModelState {
  const { reports } = view;
  const decisions = new Map(
    present(state, view).map((self) => {
      const { memory } = at(state, self);
      return [self, policy.decide({ view: asView(view), self, reports, memory, deviceGranted: isGranted })];
    }),
  );
  const [decision = view.decision] = decisions.values();
  const decided: ViewState = { ...view, decision, isGranted };
  const nodes = state.nodes.map((node, index) => {
    const own = decisions.get(index + 1);
    return own === undefined ? node : { ...node, memory: own.memory, view: decided };
  });
  return { ...state, nodes };
}

function checked(policy: Policy, action: string, state: ModelState, chain: boolean): Step {
  const holding = new Set<ViewState>();
  for (const { view } of state.nodes) if (view !== undefined && holds(policy, state, view)) holding.add(view);
  if (holding.size > 1) {
    const views = [...holding].map((view) => `{${present(state, view).join(' ')}} of view ${view.number}`);
    return { action, state, broken: `both hold quorum: ${views.join(' and ')}` };
  }
  const [view] = holding;
  const before = state.lastQuorate;
  if (view === undefined || view.number === before?.number) return { action, state };
  const moved = { ...state, lastQuorate: { number: view.number, members: view.members } };
  if (before === undefined || !chain || view.members === before.members) return { action, state: moved };
  if (!view.members.some((node) => before.members.includes(node))) {
    return {
      action,
      state,
      broken: `view {${view.members.join(' ')}} shares no member with {${before.members.join(' ')}}`,
    };
  }
  if (view.number < before.number)
    return { action, state, broken: `view ${view.number} is quorate after ${before.number}` };
  return { action, state: moved };
}

/** Some member that is still in this view believes itself quorate: those still here are enough, in its memory. */
function holds(policy: Policy, state: ModelState, view: ViewState): boolean {
  if (!view.decision.ok) return false;
  const here = present(state, view);
  return here.some((node) => policy.enough(here, at(state, node).memory, view.isGranted, view.decision));
}

const present = (state: ModelState, view: ViewState): readonly number[] =>
  view.members.filter((node) => at(state, node).view === view);

function at(state: ModelState, node: number): NodeState {
  const found = state.nodes[node - 1];
  if (found === undefined) throw new Error(`no node ${node}`);
  return found;
}

const asView = ({ number, members }: ViewState) => ({ tag: { number }, members: members.map((node) => ({ node })) });

const replaceView = (state: ModelState, view: ViewState, by: ViewState): ModelState => ({
  ...state,
  nodes: state.nodes.map((node) => (node.view === view ? { ...node, view: by } : node)),
});

const setNode = (state: ModelState, node: number, change: Partial<NodeState>): ModelState => ({
  ...state,
  nodes: state.nodes.map((old, index) => (index === node - 1 ? { ...old, ...change } : old)),
});

function told(history: History | undefined): readonly string[] {
  return history === undefined ? [] : [...told(history.before), history.action];
}

/** Equal for states that differ only in the values of view numbers, not in their order. */
function keyOf(state: ModelState): string {
  const numbers = new Set<number>([0]);
  const views: ViewState[] = [];
  for (const { memory, highest, view } of state.nodes) {
    numbers
      .add(memory.lineage)
      .add(highest)
      .add(memory.pending?.viewNumber ?? 0);
    if (view === undefined || views.includes(view)) continue;
    views.push(view);
    numbers.add(view.number);
    for (const report of view.reports) numbers.add(report.memory.lineage).add(report.memory.pending?.viewNumber ?? 0);
  }
  numbers.add(state.lastQuorate?.number ?? 0);
  const order = [...numbers].toSorted((a, b) => a - b);
  const rank = (number: number): number => order.indexOf(number);
  const memoryKey = ({ base, pending, lineage, lastQuorateMembers, waiting }: QuorumMemory): string =>
    `${baseKey(base)}${pending === undefined ? '' : `p${baseKey(pending.base)}@${rank(pending.viewNumber)}`}l${rank(lineage)}[${lastQuorateMembers.join('')}]${waiting ? 'w' : ''}`;
  const nodes = state.nodes.map(
    ({ memory, highest, view }) =>
      `${memoryKey(memory)}h${rank(highest)}v${view === undefined ? '' : views.indexOf(view)}`,
  );
  const viewKeys = views.map(
    (view) =>
      `${rank(view.number)}{${view.members.join('')}}${view.decision.ok ? 'q' : ''}${view.isGranted ? 'g' : ''}${view.change?.join('.') ?? ''}r${view.received.join('')}d${view.delivered.join('')}` +
      view.reports
        .map((report) =>
          report.memory.pending === undefined
            ? ''
            : `${baseKey(report.memory.pending.base)}@${rank(report.memory.pending.viewNumber)}`,
        )
        .join(','),
  );
  const last = state.lastQuorate;
  return `${nodes.join('|')}#${viewKeys.join('|')}#${last === undefined ? '' : `${rank(last.number)}{${last.members.join('')}}`}`;
}

const baseKey = ({ generation, revision, voters, deviceVotes }: QuorumMemory['base']): string =>
  `${generation}.${revision}d${deviceVotes}(${voters.map(({ node, votes }) => (votes === 1 ? node : `${node}x${votes}`)).join('')})`;
