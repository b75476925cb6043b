/**
 * What a delivered message does to the CIB: the function that every member calls with the same arguments in the same
 * order. Nothing of this node's own (its name, its clock, its part in the message) may enter here.
 */
import { afterStatusChange, applyChange, type Cib, type Conflict } from '@systole/cib';
import { fail, ok, type Result } from '@systole/kernel';
import type { Attributes, Cleaned, ControllerMessage, Perform } from './messages.ts';
import { fenced, isJoined, joined, leftCleanly, lost, nodeState, withAttributes } from './status/node-state.ts';
import {
  failureAttributes,
  lastFailureId,
  withoutOldFailure,
  withoutPending,
  withoutRecords,
  withPending,
  withResult,
} from './status/operations.ts';
import { agentName, historyName } from './action.ts';
import type { DepartedMember, ViewMember } from './contract.ts';

export interface Applied {
  readonly cib: Cib;
  /** `cleaned`: the histories that were forgotten, for the nodes that must forget them as well. */
  readonly forgotten: readonly { readonly node: string; readonly resource: string }[];
}

/** Fails only for a `change` that does not fit any more; then nothing has changed. */
export function applyMessage(cib: Cib, from: string, message: ControllerMessage): Result<Applied, readonly Conflict[]> {
  switch (message.type) {
    case 'change': {
      if (message.ifEpoch !== undefined && message.ifEpoch !== cib.version.epoch) {
        return fail([{ path: 'version.epoch', expected: message.ifEpoch, found: cib.version.epoch }]);
      }
      const applied = applyChange(cib, message.change);
      return applied.ok ? ok({ cib: applied.value, forgotten: [] }) : applied;
    }
    case 'join':
      return status(cib, joined(cib, { name: from, ...message }));
    case 'perform':
      return status(cib, performed(cib, message));
    case 'result':
      return status(cib, withResult(cib, { node: from, ...message }));
    case 'cancelled':
      return status(cib, withoutRecords(cib, from, message.resource, message.removed));
    case 'forgotten':
      return status(cib, withoutRecords(cib, from, message.resource, message.records));
    case 'refused':
      return status(cib, message.resource === undefined ? cib : withoutPending(cib, from, message.resource));
    case 'attributes':
      return status(cib, withTheirAttributes(cib, message));
    case 'cleaned':
      return cleaned(cib, message);
    case 'fenced':
      return status(cib, message.action === 'on' ? cib : fenced(cib, message.target));
    case 'hello':
    case 'state':
    case 'settled':
      return ok({ cib, forgotten: [] });
  }
}

/** Members that went while the view changed. */
export function applyDepartures(cib: Cib, departed: readonly DepartedMember[]): Cib {
  const after = departed.reduce(
    (before, { name, cause }) => (cause === 'left' ? leftCleanly(before, name) : lost(before, name)),
    cib,
  );
  return counted(cib, after);
}

/**
 * Nodes that an operator has just added have never run anything for this cluster: they count as down, not as lost.
 * (Those that the cluster enters itself, at its start, may be running: nobody has seen them yet.)
 */
export function withNewNodes(cib: Cib, before: Cib): Cib {
  const known = new Set(before.configuration.nodes.map(({ name }) => name));
  const added = cib.configuration.nodes.filter(({ name, type }) => !known.has(name) && (type ?? 'member') === 'member');
  return added.reduce((after, { name }) => (nodeState(after, name) === undefined ? fenced(after, name) : after), cib);
}

/** A CIB taken over may speak of members that are not here, or of an earlier life of one that is. */
export function reconciled(cib: Cib, members: readonly ViewMember[]): Cib {
  const absent = cib.status.nodes.filter((state) => {
    if (state.inCluster !== 'true' || state.isRemote === true) return false;
    const name = state.name ?? state.id;
    const member = members.find((candidate) => candidate.name === name);
    return member === undefined || !isJoined(cib, name, member.incarnation);
  });
  return counted(
    cib,
    absent.reduce((before, state) => lost(before, state.name ?? state.id), cib),
  );
}

const status = (before: Cib, after: Cib): Result<Applied, never> => ok({ cib: counted(before, after), forgotten: [] });

/** The same CIB if nothing changed, else with its next version. */
const counted = (before: Cib, after: Cib): Cib =>
  after === before ? before : { ...after, version: afterStatusChange(before.version) };

function performed(cib: Cib, { to, transitionKey, action }: Perform): Cib {
  const agent = agentName(action);
  if (action.kind !== 'rsc' || agent === undefined) return cib;
  return withPending(cib, {
    node: to,
    resource: historyName(action),
    agent,
    operation: action.operation,
    key: action.key,
    transitionKey,
    ...(action.source === undefined ? {} : { migrateSource: action.source }),
    ...(action.target === undefined ? {} : { migrateTarget: action.target }),
  });
}

/** A node that is not there has no attributes that would last until it leaves. */
function withTheirAttributes(cib: Cib, { node, values, failuresOf }: Attributes): Cib {
  if (nodeState(cib, node)?.inCluster !== 'true') return cib;
  const after = withAttributes(cib, node, values);
  return failuresOf === undefined ? after : withoutOldFailure(after, node, failuresOf);
}

function cleaned(cib: Cib, message: Cleaned): Result<Applied, never> {
  const forgotten: { node: string; resource: string }[] = [];
  let after = cib;
  for (const state of cib.status.nodes) {
    const node = state.name ?? state.id;
    if (message.node !== undefined && message.node !== node) continue;
    const names = failureAttributes(cib, node, message);
    const failed = new Set(names.map((name) => name.replace(/^(?:fail-count|last-failure)-/, '').replace(/#.*$/, '')));
    after = withAttributes(after, node, Object.fromEntries(names.map((name) => [name, null])));
    for (const { id, operations } of state.history) {
      const isMeant =
        message.resource === undefined || id === message.resource || id.startsWith(`${message.resource}:`);
      const hasFailed = failed.has(id) || operations.some((record) => record.id === lastFailureId(id));
      if (!isMeant || (!message.isWhole && !hasFailed)) continue;
      forgotten.push({ node, resource: id });
      after = withoutRecords(after, node, id);
    }
  }
  return ok({ cib: counted(cib, after), forgotten });
}
