/**
 * What later commands of the history look at: a period, some nodes, lines that are left out. It lasts as long as the shell
 * or the script; `report` and `availability` look at everything.
 */
import type { GatheredPart } from '@systole/api';

export interface Lens {
  /** Milliseconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** Only what these tell. */
  readonly nodes?: readonly string[];
  /** Lines whose event or text this fits are left out. */
  readonly exclude?: RegExp;
}

/** What the nodes told, as far as it is looked at. */
export function through(lens: Lens, parts: readonly GatheredPart[]): readonly GatheredPart[] {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, nodes, exclude } = lens;
  return parts
    .filter(({ node }) => nodes === undefined || nodes.includes(node))
    .map(({ events = [], ...part }) => ({
      ...part,
      events: events.filter(
        ({ at, event, text }) => at >= from && at <= to && !(exclude?.test(`${event} ${text}`) ?? false),
      ),
    }));
}
