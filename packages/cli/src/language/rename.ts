/** References that follow a rename. */
import { namedResources } from '@systole/cib';
import type { Item } from './items.ts';
import { renameIn } from './references.ts';

/** The item with `to` where it named `from`; undefined where it did not. */
export function followRename(item: Item, from: string, to: string): Item | undefined {
  const swap = (name: string): string => (name === from ? to : name);
  switch (item.kind) {
    case 'primitive':
      return item.value.template === from ? { ...item, value: { ...item.value, template: to } } : undefined;
    case 'group':
      return item.value.members.includes(from)
        ? { ...item, value: { ...item.value, members: item.value.members.map(swap) } }
        : undefined;
    case 'clone':
      return item.value.member === from ? { ...item, value: { ...item.value, member: to } } : undefined;
    case 'bundle':
      return item.value.primitive === from ? { ...item, value: { ...item.value, primitive: to } } : undefined;
    case 'constraint':
      return namedResources(item.value).includes(from) ? { ...item, value: renameIn(item.value, from, to) } : undefined;
    case 'tag':
      return item.value.members.includes(from)
        ? { ...item, value: { ...item.value, members: item.value.members.map(swap) } }
        : undefined;
    case 'fencing':
      if (!item.value.some((level) => level.devices.includes(from))) return undefined;
      return { ...item, value: item.value.map((level) => ({ ...level, devices: level.devices.map(swap) })) };
    case 'aclRole': {
      if (!item.value.permissions.some((permission) => permission.reference === from)) return undefined;
      const permissions = item.value.permissions.map((permission) =>
        permission.reference === from ? { ...permission, reference: to } : permission,
      );
      return { ...item, value: { ...item.value, permissions } };
    }
    case 'aclTarget':
    case 'aclGroup':
      return item.value.roles.includes(from)
        ? { ...item, value: { ...item.value, roles: item.value.roles.map(swap) } }
        : undefined;
    default:
      return undefined;
  }
}
