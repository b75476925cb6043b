/**
 * Actions on remote and guest nodes happen through a connection: after it starts, before it stops, and by fencing
 * what cannot be reached any more.
 */
import { type Draft, isPseudo } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, Role, type Subject } from '../graph/subject.ts';
import { currentNode } from './primitive.ts';
import { remoteState } from './remote-state.ts';

type Kind = 'up' | 'stop' | 'demote' | 'monitor' | 'recurring' | 'other';

/** Orders every action that was drafted so far. */
export function orderRemoteActions(plan: Plan): void {
  if (plan.situation.nodes.every((node) => node.kind === 'member')) return;
  // Newest first, as in all passes over the drafts.
  for (const draft of plan.drafts.toReversed()) {
    const { subject, node } = draft;
    if (subject === undefined) continue;
    if (isPrimitive(subject) && primitive(subject).isConnection && draft.operation === 'clear_failcount') {
      plan.order({ draft }, { subject, key: 'start_0' }, Means.ordered);
      continue;
    }
    if (node === undefined || node.kind === 'member' || isPseudo(draft)) continue;
    const connection = plan.connectionOf(node);
    if (connection === undefined) continue;
    // A resource that moves to a remote node stays where it is until that is there.
    if (draft.operation === 'start') {
      for (const stop of subject.drafts.get('stop_0') ?? []) {
        if (stop.node !== node) plan.order({ subject: connection, key: 'start_0' }, { draft: stop }, Means.ordered);
      }
    }
    if (connection.launcher === undefined) orderBehindConnection(plan, draft, connection);
    else orderInGuest(plan, draft, connection, connection.launcher);
  }
}

function kindOf(draft: Draft): Kind {
  switch (draft.operation) {
    case 'start':
    case 'promote':
      return 'up';
    case 'stop':
    case 'migrate_to':
    case 'migrate_from':
      return 'stop';
    case 'demote':
      return 'demote';
    default:
      if (draft.intervalMs > 0) return 'recurring';
      return draft.operation === 'monitor' ? 'monitor' : 'other';
  }
}

const startThen = (plan: Plan, first: Subject, draft: Draft, more: number): void =>
  plan.order({ subject: first, key: 'start_0' }, { draft }, Means.guestAllowed | Means.unrunnableFirstBlocks | more);

const thenStop = (plan: Plan, draft: Draft, connection: Subject, more: number): void =>
  plan.order({ draft }, { subject: connection, key: 'stop_0' }, Means.guestAllowed | more);

/** A remote node: its connection may be lost while the node, and what runs there, lives on. */
function orderBehindConnection(plan: Plan, draft: Draft, connection: Subject): void {
  const node = draft.node;
  if (node === undefined) return;
  const state = remoteState(plan, node);
  switch (kindOf(draft)) {
    case 'up':
      // What is started anew behind a connection that failed is recovered with it.
      startThen(plan, connection, draft, state === 'failed' ? Means.firstImpliesThen : 0);
      return;
    case 'stop':
      if (state === 'failed') {
        plan.mustFence(node, 'resources are active but connection is unrecoverable');
      } else if (state === 'alive' || connection.nextRole === Role.stopped) {
        thenStop(plan, draft, connection, Means.thenImpliesFirst);
      } else {
        startThen(plan, connection, draft, 0);
      }
      return;
    case 'demote':
      if (state === 'resting' || state === 'unknown') startThen(plan, connection, draft, 0);
      return;
    case 'recurring':
      startThen(plan, connection, draft, Means.firstImpliesThen);
      return;
    default:
      if (draft.operation === 'monitor' && state === 'failed') {
        plan.mustFence(node, 'resources are in unknown state and connection is unrecoverable');
      }
      if (state === 'stopped' && currentNode(plan, connection) !== undefined) {
        // The connection goes for good: what must still be found out is found out before.
        thenStop(plan, draft, connection, Means.unrunnableFirstBlocks);
      } else {
        startThen(plan, connection, draft, 0);
      }
  }
}

/** A guest node: it lives and dies with the resource that it runs in. */
function orderInGuest(plan: Plan, draft: Draft, connection: Subject, launcher: Subject): void {
  if (launcher.isFailed && draft.node !== undefined) plan.mustFence(draft.node, 'container failed');
  switch (kindOf(draft)) {
    case 'up':
      startThen(plan, launcher, draft, Means.firstImpliesThen);
      startThen(plan, connection, draft, 0);
      return;
    case 'stop':
    case 'demote':
      if (!launcher.isFailed) thenStop(plan, draft, connection, 0); // else the guest's stop implies it
      return;
    case 'recurring':
      if (draft.operation === 'monitor') startThen(plan, connection, draft, Means.firstImpliesThen);
      return;
    default:
      startThen(plan, connection, draft, 0);
  }
}
