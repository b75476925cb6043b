/** S6: what a client was told is safe is in the CIB of every later quorate view. */
import type { Cib } from '@systole/cib';
import type { Law } from './law.ts';
import { Standings } from './standing.ts';

interface Acknowledged {
  readonly marker: string;
  readonly view: number;
}

/** So many acknowledged changes are looked for: the newest. */
const KEPT = 20;
/** The load leaves 40 markers in the CIB, in order of arrival. One that so many newer ones follow may have been pushed out. */
const PUSHED_OUT = 30;

const numberOf = (marker: string): number => Number(marker.slice(1));

export function kept(): Law {
  const standings = new Standings();
  const cibs = new Map<number, Cib>();
  const checked = new Map<number, number>();
  let acknowledged: readonly Acknowledged[] = [];
  return {
    id: 'S6',
    statement: 'an acknowledged change is in the CIB of every later quorate view',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type === 'seen' && event.seen.part === 'crm' && event.seen.effect.type === 'cibChanged') {
        cibs.set(event.life, event.seen.effect.after);
      }
      if (event.type === 'lifeEnded') cibs.delete(event.life);
      if (event.type === 'acknowledged' && event.marker !== undefined) {
        const view = standings.all.find(({ machine }) => machine === event.machine)?.view?.number ?? 0;
        acknowledged = [...acknowledged.slice(1 - KEPT), { marker: event.marker, view }];
        return undefined;
      }
      if (standing?.integrated === undefined || standing.quorum !== 'held') return undefined;
      const { life, machine, integrated } = standing;
      const cib = cibs.get(life);
      if (cib === undefined || checked.get(life) === integrated.number) return undefined;
      checked.set(life, integrated.number);
      const present = cib.configuration.tags.map(({ id }) => id).filter((id) => /^m\d+$/.test(id));
      for (const { marker, view } of acknowledged) {
        if (view >= integrated.number || present.includes(marker)) continue;
        const newer = present.filter((each) => numberOf(each) > numberOf(marker)).length;
        if (newer >= PUSHED_OUT) continue;
        return `change ${marker}, acknowledged in view ${view}, is missing at ${world.nameOf(machine)} in quorate view ${integrated.number}`;
      }
      return undefined;
    },
  };
}
