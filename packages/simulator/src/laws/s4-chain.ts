/** S4: quorate views follow each other: growing numbers, and each has a member of the one before. */
import type { ViewTag } from '@systole/messaging';
import type { Law } from './law.ts';
import { Standings, tagText } from './standing.ts';

export function chain(): Law {
  const standings = new Standings();
  const known = new Set<string>();
  let last: { readonly tag: ViewTag; readonly members: readonly number[] } | undefined;
  return {
    id: 'S4',
    statement: 'quorate views are ordered by number, and consecutive ones share a member',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'seen' || event.seen.part !== 'messaging' || event.seen.effect.type !== 'quorum')
        return undefined;
      if (standing?.view === undefined || standing.quorum !== 'held') return undefined;
      const { view: tag, members } = standing;
      if (known.has(tagText(tag))) return undefined;
      known.add(tagText(tag));
      const before = last;
      last = { tag, members };
      if (before === undefined) return undefined;
      if (tag.number <= before.tag.number)
        return `view ${tag.number} becomes quorate at ${world.nameOf(event.machine)} after view ${before.tag.number}`;
      if (members.some((member) => before.members.includes(member))) return undefined;
      return `quorate view ${tag.number} shares no member with quorate view ${before.tag.number}`;
    },
  };
}
