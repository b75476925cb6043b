/** A configured resource → its instances, by its kind; undefined, with a message, where it cannot be. Templates make none. */
import type { Resource } from '@systole/cib';
import { buildClone, buildGroup, buildPrimitive } from './build.ts';
import { buildBundle } from './bundle.ts';
import type { DraftInstance, Reader } from './draft.ts';

export function build(reader: Reader, resource: Resource): DraftInstance | undefined {
  switch (resource.kind) {
    case 'template':
      return undefined;
    case 'primitive':
      return buildPrimitive(reader, resource, undefined, undefined);
    case 'group':
      return buildGroup(reader, resource, undefined, undefined);
    case 'clone':
      return buildClone(reader, resource, undefined);
    case 'bundle':
      return buildBundle(reader, resource);
  }
}
