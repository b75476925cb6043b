/** S11: no queue of a node grows beyond its bound. Looked at now and then: what grows without bound is still there then. */
import type { Law } from './law.ts';

const EVERY_MS = 250;

export function bounds(): Law {
  let next = 0;
  const lives = new Map<number, number>();
  return {
    id: 'S11',
    statement: 'no queue grows beyond its bound',
    see: (event, world) => {
      if (event.type === 'lifeBegan') lives.set(event.life, event.machine);
      else if (event.type === 'lifeEnded') lives.delete(event.life);
      if (world.now < next) return undefined;
      next = world.now + EVERY_MS;
      for (const machine of lives.values()) {
        for (const { queue, count, max } of world.fillings(machine))
          if (count > max) return `${queue} of ${world.nameOf(machine)}: ${count}, and ${max} is the most`;
      }
      return undefined;
    },
  };
}
