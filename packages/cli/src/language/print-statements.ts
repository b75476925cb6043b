/** The statement of each kind of item: its first line, and the lines that continue it. */
import type { Item } from './items.ts';
import { alertLines, fencingLines, optionLines, roleLines } from './print-access.ts';
import { constraintLines } from './print-constraints.ts';
import { bundleLines, nodeLines, primitiveLines } from './print-resources.ts';
import { descriptionLine, setLines, words, type Referenced } from './print-sets.ts';

/** Undefined where the language has no words for something in the item. */
export function statementLines(item: Item, referenced: Referenced): readonly string[] | undefined {
  switch (item.kind) {
    case 'node':
      return nodeLines(item, referenced);
    case 'primitive':
    case 'template':
      return primitiveLines(item, referenced);
    case 'group':
      return [
        words('group', item.id, ...item.value.members),
        ...descriptionLine(item.value),
        ...setLines('params', item.value.parameters, referenced),
        ...setLines('meta', item.value.meta, referenced),
      ];
    case 'clone':
      return [
        words('clone', item.id, item.value.member),
        ...descriptionLine(item.value),
        ...setLines('params', item.value.parameters, referenced),
        ...setLines('meta', item.value.meta, referenced),
      ];
    case 'bundle':
      return bundleLines(item.value, referenced);
    case 'constraint':
      return constraintLines(item.value, referenced);
    case 'tag':
      return item.value.description === undefined ? [words('tag', item.id, ...item.value.members)] : undefined;
    case 'alert':
      return alertLines(item.value, referenced);
    case 'aclRole':
      return roleLines(item);
    case 'aclTarget':
    case 'aclGroup':
      if (item.value.name !== undefined) return undefined;
      return [words(item.kind === 'aclTarget' ? 'acl_target' : 'acl_group', item.id), ...item.value.roles];
    case 'options':
      return optionLines('property', item.value, referenced);
    case 'resourceDefaults':
      return optionLines('rsc_defaults', item.value, referenced);
    case 'operationDefaults':
      return optionLines('op_defaults', item.value, referenced);
    case 'fencing':
      return fencingLines(item.value);
  }
}
