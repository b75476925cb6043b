/** S12: a node never throws, whatever comes in. */
import type { Law } from './law.ts';

export function noException(): Law {
  return {
    id: 'S12',
    statement: 'no input makes a node throw',
    see: (event, world) => {
      if (event.type !== 'threw') return undefined;
      const { error } = event;
      return `${world.nameOf(event.machine)} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    },
  };
}
