/** A record in memory, for watchers whose notes nobody will ask for. */
import type { NoteStore } from '../../packages/daemon/src/host/disk/notes-left.ts';

export function noteStore(): NoteStore {
  const records = new Map<string, string>();
  return {
    load: (name) => {
      const content = records.get(name);
      return Promise.resolve(content === undefined ? { type: 'missing' } : { type: 'present', content });
    },
    save: (name, content) => {
      records.set(name, content);
      return Promise.resolve();
    },
  };
}
