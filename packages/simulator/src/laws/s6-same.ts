/** S6, its other half: members of a view that have the same version of the CIB have the same CIB, byte for byte. */
import { formatVersion } from '@systole/cib';
import { digestOf } from '../digest.ts';
import type { Law } from './law.ts';
import { Standings, tagText } from './standing.ts';

/** Versions remembered: as many as all members are behind the first to have one. */
const KNOWN_MAX = 200;

export function same(): Law {
  const standings = new Standings();
  const known = new Map<string, { readonly print: number; readonly who: number }>();
  /** A change may come in several steps under one version: which step of which version each life is at. */
  const steps = new Map<number, { readonly version: string; readonly step: number }>();
  return {
    id: 'S6',
    statement: 'members of a view that have the same version of the CIB have the same CIB',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'cib' || standing?.view === undefined) return undefined;
      if (standing.integrated?.number !== standing.view.number) return undefined;
      const { life, machine, cib } = event;
      const version = `${tagText(standing.view)} ${formatVersion(cib.version)}`;
      const before = steps.get(life);
      const step = before?.version === version ? before.step + 1 : 0;
      steps.set(life, { version, step });
      const key = `${version} ${step}`;
      const print = digestOf(cib);
      const first = known.get(key);
      if (first === undefined) {
        known.set(key, { print, who: machine });
        if (known.size > KNOWN_MAX) known.delete([...known.keys()][0] ?? '');
        return undefined;
      }
      if (first.print === print) return undefined;
      return `${world.nameOf(machine)} and ${world.nameOf(first.who)} have different CIBs of version ${formatVersion(cib.version)}`;
    },
  };
}
