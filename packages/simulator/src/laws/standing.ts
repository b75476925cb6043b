/** What each life of a daemon last said of its view, its quorum and its DC; several laws look at it. */
import type { ViewTag } from '@systole/messaging';
import type { WorldEvent } from '../events.ts';

export interface Standing {
  readonly machine: number;
  readonly life: number;
  quorum: 'held' | 'uncertain' | 'lost';
  /** True time from which on nobody else may believe in quorum; absent: never promised. */
  exclusiveAt: number | undefined;
  view: ViewTag | undefined;
  /** Wire ids, in order of rank. */
  members: readonly number[];
  isActive: boolean;
  activeAt: number;
  /** The CIB of the view is agreed, under this DC. */
  integrated: { readonly number: number; readonly dc: string } | undefined;
}

export class Standings {
  readonly #byLife = new Map<number, Standing>();
  readonly #hasDevice: boolean;

  /** `hasDevice`: an arbiter's vote may come long after the view's activation. */
  constructor(hasDevice = false) {
    this.#hasDevice = hasDevice;
  }

  /** Takes the event in; answers with the standing of its life. */
  see(event: WorldEvent, now: number): Standing | undefined {
    switch (event.type) {
      case 'lifeBegan': {
        const { machine, life } = event;
        const standing: Standing = {
          machine,
          life,
          quorum: 'lost',
          exclusiveAt: undefined,
          view: undefined,
          members: [],
          isActive: false,
          activeAt: 0,
          integrated: undefined,
        };
        this.#byLife.set(life, standing);
        return standing;
      }
      case 'lifeEnded':
        this.#byLife.delete(event.life);
        return undefined;
      case 'seen': {
        const standing = this.#byLife.get(event.life);
        if (standing !== undefined) update(standing, event, now, this.#hasDevice);
        return standing;
      }
      default:
        return 'life' in event ? this.#byLife.get(event.life) : undefined;
    }
  }

  get all(): readonly Standing[] {
    return [...this.#byLife.values()];
  }
}

function update(
  standing: Standing,
  { seen }: Extract<WorldEvent, { type: 'seen' }>,
  now: number,
  hasDevice: boolean,
): void {
  if (seen.part === 'crm' && seen.effect.type === 'integrated') {
    // The end of an old view may be worked off after the new one was installed.
    if (seen.effect.number === standing.view?.number)
      standing.integrated = { number: seen.effect.number, dc: seen.effect.dc };
    return;
  }
  if (seen.part !== 'messaging') return;
  const { effect } = seen;
  switch (effect.type) {
    case 'view':
      standing.view = effect.view.tag;
      standing.members = effect.view.members.map(({ node }) => node);
      standing.isActive = false;
      standing.integrated = undefined;
      break;
    case 'viewActive':
      standing.isActive = true;
      standing.activeAt = now;
      break;
    case 'quorum': {
      const { state, exclusiveAfterMs } = effect.state;
      const since = hasDevice ? now : standing.activeAt;
      standing.quorum = state;
      standing.exclusiveAt = state === 'held' && exclusiveAfterMs !== undefined ? since + exclusiveAfterMs : undefined;
      break;
    }
    default:
      break;
  }
}

export const tagText = ({ number, hash }: ViewTag): string => `${number}/${hash}`;
