/**
 * What the status says of a node, and how it changes. All functions are pure and every member calls them with the same
 * arguments in the same order.
 *
 * | event | in the status | the policy engine sees |
 * |---|---|---|
 * | never seen | nothing | unclean (startup-fencing) |
 * | `joined` | member, expected member, its own history | online |
 * | `leftCleanly` | gone, expected down, history of what it left running | offline, clean |
 * | `lost` | gone, expected member, history kept | unclean: fence, then recover what ran there |
 * | `fenced` | gone, expected down, no history | offline, clean |
 *
 * Attributes that last until the node leaves go with it in all three cases: above all `shutdown`, which would make a
 * crash during a shutdown look like a clean end.
 */
import type { Cib, NodeState, ResourceHistory } from '@systole/cib';
import { sortedEntries } from '@systole/kernel';
import { mayRun } from './activity.ts';

/** The state of the node of this name, if the status has one. */
export const nodeState = (cib: Cib, name: string): NodeState | undefined =>
  cib.status.nodes.find((state) => (state.name ?? state.id) === name);

/** The id that the configuration gives the node; its name, where it is not configured. */
export const nodeId = (cib: Cib, name: string): string =>
  cib.configuration.nodes.find((node) => node.name === name)?.id ?? name;

/** The CIB with one node's state edited; it is made if there was none. The version is the caller's business. */
export function editNodeState(cib: Cib, name: string, edit: (state: NodeState) => NodeState): Cib {
  const { nodes } = cib.status;
  const index = nodes.findIndex((state) => (state.name ?? state.id) === name);
  const before = nodes[index] ?? { id: nodeId(cib, name), name, transientAttributes: [], history: [] };
  const after = edit(before);
  if (after === nodes[index]) return cib;
  const edited = index < 0 ? [...nodes, after] : nodes.with(index, after);
  return { ...cib, status: { ...cib.status, nodes: edited } };
}

const incarnationKey = 'systole-incarnation';

/** Which life of the node's daemon the state speaks of; undefined for states that others have written. */
export function knownIncarnation(state: NodeState | undefined): number | undefined {
  const text = state?.other?.[incarnationKey];
  return text === undefined ? undefined : Number(text);
}

/** True if the status counts this life of the node as a full member. */
export function isJoined(cib: Cib, name: string, incarnation: number): boolean {
  const state = nodeState(cib, name);
  return state?.join === 'member' && state.inCluster === 'true' && knownIncarnation(state) === incarnation;
}

export interface Joining {
  readonly name: string;
  readonly incarnation: number;
  readonly history: readonly ResourceHistory[];
  readonly attributes: Readonly<Record<string, string>>;
}

export const joined = (cib: Cib, { name, incarnation, history, attributes }: Joining): Cib =>
  editNodeState(cib, name, ({ id }) => ({
    id,
    name,
    inCluster: 'true',
    controller: 'online',
    join: 'member',
    expected: 'member',
    other: { [incarnationKey]: String(incarnation) },
    transientAttributes: attributeSet(id, new Map(Object.entries(attributes))),
    history,
  }));

const down =
  (expected: 'member' | 'down', isKept: (history: ResourceHistory) => boolean) =>
  (state: NodeState): NodeState => ({
    id: state.id,
    ...(state.name === undefined ? {} : { name: state.name }),
    inCluster: 'false',
    controller: 'offline',
    join: 'down',
    expected,
    ...(state.other === undefined ? {} : { other: state.other }),
    transientAttributes: [],
    history: state.history.filter(isKept),
  });

/**
 * What the cluster was not to stop (in maintenance, or unmanaged) runs on without the daemon: it must not be started
 * elsewhere, so its history stays (simulator, seed 31107).
 */
export const leftCleanly = (cib: Cib, name: string): Cib => editNodeState(cib, name, down('down', mayRun));

/**
 * The node went without saying so. If it was fenced while the membership still counted it, it is down already, and
 * stays clean: fencing it again would hit its next life.
 */
export const lost = (cib: Cib, name: string): Cib =>
  editNodeState(cib, name, (state) =>
    state.expected === 'down' && state.inCluster === 'false' ? state : down('member', () => true)(state),
  );

export const fenced = (cib: Cib, name: string): Cib =>
  editNodeState(
    cib,
    name,
    down('down', () => false),
  );

/** Transient attributes of a node by name. */
export function transientAttributes(state: NodeState | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { pairs } of state?.transientAttributes ?? []) {
    for (const { name, value } of pairs) {
      if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
    }
  }
  return values;
}

/** Sets transient attributes; null removes one. An attribute keeps its place when its value changes. */
export const withAttributes = (cib: Cib, name: string, values: Readonly<Record<string, string | null>>): Cib => {
  const before = transientAttributes(nodeState(cib, name));
  const after = new Map(before);
  for (const [attribute, value] of sortedEntries(new Map(Object.entries(values)))) {
    if (value === null) after.delete(attribute);
    else after.set(attribute, value);
  }
  const isSame = after.size === before.size && [...after].every(([key, value]) => before.get(key) === value);
  if (isSame) return cib;
  return editNodeState(cib, name, (state) => ({ ...state, transientAttributes: attributeSet(state.id, after) }));
};

const attributeSet = (id: string, values: ReadonlyMap<string, string>): NodeState['transientAttributes'] =>
  values.size === 0
    ? []
    : [
        {
          id: `status-${id}`,
          pairs: [...values].map(([name, value]) => ({ id: `status-${id}-${name.replaceAll('#', '.')}`, name, value })),
        },
      ];
