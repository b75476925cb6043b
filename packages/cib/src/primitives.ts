/** The primitives in resources, whatever holds them. Templates run nothing and are none. */
import type { Primitive, Resource } from './model/resources.ts';

/** In the order of the configuration; an instance of a clone is its primitive once. */
export const allPrimitives = (resources: readonly Resource[]): readonly Primitive[] =>
  resources.flatMap((resource): readonly Primitive[] => {
    switch (resource.kind) {
      case 'primitive':
        return [resource];
      case 'group':
        return resource.members;
      case 'clone':
        return allPrimitives([resource.member]);
      case 'bundle':
        return resource.primitive === undefined ? [] : [resource.primitive];
      case 'template':
        return [];
    }
  });
