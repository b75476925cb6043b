/** S2 and S3: only who holds quorum starts anything, and nobody acts on a quorum that is another's by now. */
import type { WorldEvent } from '../events.ts';
import { type ClusterSettings, hasArbiter } from '../plan.ts';
import type { Law } from './law.ts';
import { type Standing, Standings } from './standing.ts';

/**
 * `freeze`, and `demote` for promotables, keep what runs in their partition running: a restart in place is their promise,
 * and S1 watches over it. A promotion never is.
 */
function isRestartInPlace(
  { operation }: Extract<WorldEvent, { type: 'operation' }>,
  { quorum }: Standing,
  { noQuorumPolicy }: ClusterSettings,
): boolean {
  return operation === 'start' && quorum === 'lost' && (noQuorumPolicy === 'freeze' || noQuorumPolicy === 'demote');
}

export function quorumToStart(): Law {
  const standings = new Standings();
  return {
    id: 'S2',
    statement: 'no operation that starts or promotes begins on a node that does not hold quorum',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'operation' || (event.operation !== 'start' && event.operation !== 'promote'))
        return undefined;
      if (standing === undefined || standing.quorum === 'held') return undefined;
      if (isRestartInPlace(event, standing, world.settings)) return undefined;
      return `${world.nameOf(event.machine)} begins ${event.operation} of ${event.instance} while its quorum is ${standing.quorum}`;
    },
  };
}

/**
 * Who stands still says nothing, so the last that it said holds for what it may still believe. An arbiter's vote is a lease
 * that no other node can take part in: once it has run out by the sleeper's own clock it may move to the others, and the
 * sleeper's first step after the pause says so before anything else (seed 52755). That it does nothing on the old vote is
 * seen when it wakes: by then the vote of the others stands against it.
 */
export function oneQuorum(settings: ClusterSettings): Law {
  const standings = new Standings(hasArbiter(settings));
  return {
    id: 'S3',
    statement: 'once a view is the only one that may hold quorum, nobody starts anything in another',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'operation' || (event.operation !== 'start' && event.operation !== 'promote'))
        return undefined;
      if (standing?.view === undefined || isRestartInPlace(event, standing, world.settings)) return undefined;
      const { number, hash } = standing.view;
      for (const other of standings.all) {
        if (other.view === undefined || other.quorum !== 'held' || other.exclusiveAt === undefined) continue;
        if (
          other.exclusiveAt > world.now ||
          (other.view.number === number && other.view.hash === hash) ||
          other.view.number < number ||
          world.hasSleptThroughItsVote(other.machine)
        )
          continue;
        return `${world.nameOf(event.machine)} begins ${event.operation} of ${event.instance} in view ${number}, but view ${other.view.number} of ${world.nameOf(other.machine)} is alone quorate`;
      }
      return undefined;
    },
  };
}
