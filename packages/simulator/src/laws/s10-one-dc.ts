/** S10: a view has one DC, which is a member of it, and only the DC plans and orders. */
import type { Law } from './law.ts';
import { Standings, tagText } from './standing.ts';

export function oneDc(): Law {
  const standings = new Standings();
  const dcOf = new Map<string, string>();
  return {
    id: 'S10',
    statement: 'each view has one DC, and only the DC plans',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'seen' || event.seen.part !== 'crm' || standing?.view === undefined) return undefined;
      const { effect } = event.seen;
      const who = world.nameOf(event.machine);
      if (effect.type === 'integrated' && effect.number === standing.view.number) {
        const key = tagText(standing.view);
        const known = dcOf.get(key);
        dcOf.set(key, effect.dc);
        if (known !== undefined && known !== effect.dc)
          return `view ${standing.view.number} has DC ${effect.dc} at ${who}, and ${known} elsewhere`;
      }
      const isPlanning = effect.type === 'schedule' || (effect.type === 'fence' && effect.client === 'te');
      // While a view changes its end is still being worked off; what is planned then is dropped with the view.
      const { integrated } = standing;
      if (isPlanning && integrated !== undefined && integrated.dc !== who)
        return `${who} plans, but ${integrated.dc} is its DC`;
      return undefined;
    },
  };
}
