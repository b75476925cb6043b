/** S5: the guarantees of messaging (G1 to G9 of its specification), from what all nodes delivered. */
import type { ViewTag } from '@systole/messaging';
import type { Law } from './law.ts';
import { tagText } from './standing.ts';

/** Everything known of one view, from all its members. */
interface ViewRecord {
  readonly members: string;
  readonly size: number;
  readonly installedBy: Set<number>;
  /** The one order: what the k-th delivery is, by whoever came first. */
  readonly log: string[];
  /** How far each life has delivered. */
  readonly delivered: Map<number, number>;
  /** The furthest safe or durable entry that somebody delivered regularly: all must have it before they leave. */
  safeUpTo: number;
  /** How many entries those had who went on to each next view. */
  readonly movedWith: Map<string, number>;
}

interface LifeRecord {
  current: ViewTag | undefined;
  isActive: boolean;
  readonly fates: Map<number, 'accepted' | 'rejected'>;
}

const VIEWS_MAX = 200;

export function order(): Law {
  const views = new Map<string, ViewRecord>();
  const lives = new Map<number, LifeRecord>();
  return {
    id: 'S5',
    statement:
      'messages are delivered in one order, in the view in which they were ordered, and to all who go on together',
    see: (event, world) => {
      if (event.type === 'lifeBegan') {
        lives.set(event.life, { current: undefined, isActive: false, fates: new Map() });
        return undefined;
      }
      if (event.type !== 'seen' || event.seen.part !== 'messaging') return undefined;
      const { machine, life, seen } = event;
      const self = lives.get(life);
      if (self === undefined) return undefined;
      const { effect } = seen;
      const who = world.nameOf(machine);
      switch (effect.type) {
        case 'view': {
          const { tag, members } = effect.view;
          const key = tagText(tag);
          const listed = members.map(({ node, incarnation }) => `${node}.${incarnation}`).join(' ');
          const before = self.current;
          if (before !== undefined && tag.number <= before.number)
            return `G2: ${who} goes from view ${before.number} to view ${tag.number}`;
          const record = views.get(key) ?? {
            members: listed,
            size: members.length,
            installedBy: new Set<number>(),
            log: [],
            delivered: new Map<number, number>(),
            safeUpTo: 0,
            movedWith: new Map<string, number>(),
          };
          views.set(key, record);
          if (views.size > VIEWS_MAX) views.delete([...views.keys()][0] ?? '');
          if (record.members !== listed)
            return `G1: view ${key} has members ${listed} at ${who}, and ${record.members} elsewhere`;
          record.installedBy.add(life);
          self.current = tag;
          self.isActive = false;
          const old = before && views.get(tagText(before));
          if (old === undefined) return undefined;
          const count = old.delivered.get(life) ?? 0;
          if (count < old.safeUpTo)
            return `G6: ${who} leaves view ${before?.number} after ${count} deliveries, but entry ${old.safeUpTo} was delivered as safe`;
          const others = old.movedWith.get(key);
          if (others !== undefined && others !== count)
            return `G4: ${who} comes from view ${before?.number} to view ${tag.number} with ${count} deliveries, another with ${others}`;
          old.movedWith.set(key, count);
          return undefined;
        }
        case 'viewActive': {
          const record = views.get(tagText(effect.view));
          if (record !== undefined && record.installedBy.size < record.size)
            return `G5: view ${effect.view.number} is active at ${who} before all members have installed it`;
          self.isActive = true;
          return undefined;
        }
        case 'deliver': {
          const key = tagText(effect.view);
          if (self.current === undefined || tagText(self.current) !== key)
            return `G9: ${who} delivers a message of view ${effect.view.number} in view ${self.current?.number}`;
          if (!self.isActive) return `G5: ${who} delivers in view ${effect.view.number} before it is active`;
          const record = views.get(key);
          if (record === undefined) return undefined;
          const index = record.delivered.get(life) ?? 0;
          const entry = `${effect.sequence} of ${effect.origin}: ${digest(effect.body)}`;
          const known = record.log[index];
          if (known === undefined) record.log.push(entry);
          else if (known !== entry)
            return `G3: delivery ${index + 1} of view ${effect.view.number} is ${entry} at ${who}, and ${known} elsewhere`;
          record.delivered.set(life, index + 1);
          if (effect.service !== 'agreed' && !effect.transitional)
            record.safeUpTo = Math.max(record.safeUpTo, index + 1);
          return undefined;
        }
        case 'accepted':
        case 'rejected': {
          const fate = self.fates.get(effect.handle);
          if (fate !== undefined) return `G8: message ${effect.handle} of ${who} was ${fate} and is now ${effect.type}`;
          self.fates.set(effect.handle, effect.type);
          return undefined;
        }
        default:
          return undefined;
      }
    },
  };
}

/** Length and a sample of the bytes: bodies are JSON whose ids and numbers differ near their ends. */
function digest(body: Uint8Array): number {
  const stride = Math.max(1, body.length >> 5);
  let hash = body.length;
  for (let at = 0; at < body.length; at += stride) hash = Math.imul(hash ^ (body[at] ?? 0), 0x01000193) >>> 0;
  for (let at = Math.max(0, body.length - 16); at < body.length; at += 1)
    hash = Math.imul(hash ^ (body[at] ?? 0), 0x01000193) >>> 0;
  return hash;
}
