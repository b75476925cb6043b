/** Puts results into a copy of the status, as the cluster itself would record them. Used by simulations only. */
import { type Cib, type NodeState, operationDigest, type OperationRecord, type ResourceHistory } from '@systole/cib';

/** A result to be recorded. */
export interface Result {
  readonly node: string;
  /** The node's id in the status, if it has no entry yet. */
  readonly nodeId: string;
  /** Names that the history may have for the resource; the last one is used if there is none yet. */
  readonly names: readonly string[];
  readonly agent: ResourceHistory['agent'];
  readonly operation: string;
  readonly intervalMs: number;
  readonly exitCode: number;
  readonly expectedExitCode: number;
  /** Seconds since 1970. */
  readonly at: number;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly migration?: { readonly source: string; readonly target: string };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type DraftHistory = Mutable<Omit<ResourceHistory, 'operations'>> & { operations: OperationRecord[] };
type DraftState = Mutable<Omit<NodeState, 'history' | 'transientAttributes'>> & {
  history: DraftHistory[];
  transientAttributes: NodeState['transientAttributes'];
};

/** A status that is being changed; the CIB it came from stays as it is. */
export class StatusDraft {
  readonly #cib: Cib;
  readonly #states: DraftState[];
  readonly #byName: Map<string, DraftState>;

  constructor(cib: Cib) {
    this.#cib = cib;
    this.#states = cib.status.nodes.map((state) => ({
      ...state,
      history: state.history.map((history) => ({ ...history, operations: [...history.operations] })),
    }));
    this.#byName = new Map();
    for (const state of this.#states) {
      if (state.name !== undefined && !this.#byName.has(state.name)) this.#byName.set(state.name, state);
    }
  }

  /** The changed CIB. */
  finish(): Cib {
    return { ...this.#cib, status: { ...this.#cib.status, nodes: this.#states } };
  }

  /** The entry of a node; made if there is none. An entry that has only an id gets the name. */
  node(name: string, id: string): DraftState {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const unnamed = this.#states.find((state) => state.id === id);
    const state: DraftState = unnamed ?? { id, history: [], transientAttributes: [] };
    state.name = name;
    if (unnamed === undefined) this.#states.push(state);
    this.#byName.set(name, state);
    return state;
  }

  /** In the cluster and joined, or out of it. */
  setMember(name: string, id: string, isUp: boolean): DraftState {
    const state = this.node(name, id);
    state.inCluster = String(isUp);
    state.controller = isUp ? 'online' : 'offline';
    state.join = isUp ? 'member' : 'down';
    state.expected = isUp ? 'member' : 'down';
    return state;
  }

  /** What a restart clears: the histories and transient attributes of a node. */
  forget(name: string, id: string): void {
    const state = this.node(name, id);
    state.history = [];
    state.transientAttributes = [];
  }

  setTransient(name: string, id: string, pairs: Readonly<Record<string, string>>): void {
    const state = this.node(name, id);
    const [first, ...others] = state.transientAttributes;
    const kept = (first?.pairs ?? []).filter((pair) => !(pair.name !== undefined && pair.name in pairs));
    const added = Object.entries(pairs).map(([key, value]) => ({ name: key, value }));
    state.transientAttributes = [{ ...first, pairs: [...kept, ...added] }, ...others];
  }

  transient(name: string, attribute: string): string | undefined {
    const sets = this.#byName.get(name)?.transientAttributes ?? [];
    return sets.flatMap((set) => set.pairs).find((pair) => pair.name === attribute)?.value;
  }

  removeHistory(name: string, resource: string): void {
    const state = this.#byName.get(name);
    if (state !== undefined) state.history = state.history.filter((history) => history.id !== resource);
  }

  removeOperation(name: string, resource: string, operation: string, intervalMs: number): void {
    const history = this.#byName.get(name)?.history.find((one) => one.id === resource);
    if (history === undefined) return;
    history.operations = history.operations.filter(
      (one) => one.operation !== operation || one.intervalMs !== intervalMs || one.id.endsWith('_last_failure_0'),
    );
  }

  removeTransient(name: string, isGone: (attribute: string) => boolean): void {
    const state = this.#byName.get(name);
    if (state === undefined) return;
    state.transientAttributes = state.transientAttributes.map((set) => ({
      ...set,
      pairs: set.pairs.filter((pair) => pair.name === undefined || !isGone(pair.name)),
    }));
  }

  record(result: Result): void {
    const state = this.node(result.node, result.nodeId);
    const history = this.#historyOf(state, result);
    for (const record of recordsFor(result, history)) {
      const at = history.operations.findIndex((one) => one.id === record.id);
      if (at === -1) history.operations.push(record);
      else history.operations[at] = record;
    }
  }

  #historyOf(state: DraftState, result: Result): DraftHistory {
    for (const name of result.names) {
      const known = state.history.find((history) => history.id === name);
      if (known !== undefined) return known;
    }
    const made: DraftHistory = { id: result.names.at(-1) ?? '', agent: result.agent, operations: [] };
    state.history.push(made);
    return made;
  }
}

/** A failure goes to an entry of its own; a failed one-time operation to that of the last one as well. */
function recordsFor(result: Result, history: DraftHistory): readonly OperationRecord[] {
  const { intervalMs, exitCode, expectedExitCode } = result;
  // An agent that reloaded runs with its new parameters, as if it had been started with them.
  const operation = result.operation === 'reload-agent' || result.operation === 'reload' ? 'start' : result.operation;
  const key = `${history.id}_${operation}_${intervalMs}`;
  const isMigration = operation === 'migrate_to' || operation === 'migrate_from';
  const isFailure = !isMigration && exitCode !== expectedExitCode;
  const callId = Math.max(0, ...history.operations.map((one) => one.callId)) + 1;
  // Of no transition: newer than what is pending in one of the same DC (stored inputs name theirs by crosses).
  const transitionKey = `${callId}:-1:${expectedExitCode}:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`;
  const last = `${history.id}_last_0`;
  const ids = isMigration
    ? [key]
    : isFailure
      ? [`${history.id}_last_failure_0`, ...(intervalMs === 0 ? [last] : [])]
      : [intervalMs > 0 ? key : last];
  const { parameters, timeoutMs = 0 } = result;
  const digest =
    parameters === undefined ? undefined : operationDigest(parameters, intervalMs > 0 ? { timeoutMs } : undefined);
  return ids.map((id) => ({
    id,
    key,
    operation,
    intervalMs,
    callId,
    exitCode,
    status: 0,
    transitionKey,
    transitionMagic: `0:${exitCode};${transitionKey}`,
    onNode: result.node,
    lastChange: result.at,
    ...(digest === undefined ? {} : { digest }),
    ...(result.migration === undefined
      ? {}
      : { migrateSource: result.migration.source, migrateTarget: result.migration.target }),
  }));
}
