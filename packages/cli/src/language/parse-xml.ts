/** Reads `xml` statements: any element of the configuration as XML. */
import { type Configuration, importCib } from '@systole/cib';
import type { Cursor } from './cursor.ts';
import { fromConfiguration, type Item } from './items.ts';
import { didYouMean } from './suggest.ts';

/** The section that an element belongs into; an empty name is for sections themselves. */
const sectionOf: Readonly<Record<string, string>> = {
  primitive: 'resources',
  template: 'resources',
  group: 'resources',
  clone: 'resources',
  master: 'resources',
  bundle: 'resources',
  rsc_location: 'constraints',
  rsc_colocation: 'constraints',
  rsc_order: 'constraints',
  rsc_ticket: 'constraints',
  node: 'nodes',
  cluster_property_set: 'crm_config',
  tag: 'tags',
  alert: 'alerts',
  acl_role: 'acls',
  acl_target: 'acls',
  acl_group: 'acls',
  acl_user: 'acls',
  rsc_defaults: '',
  op_defaults: '',
  'fencing-topology': '',
};

/** The items of an element; a group comes with its primitives, the container last. */
export function parseXmlStatement(cursor: Cursor): readonly Item[] {
  const first = cursor.next('an element');
  const text = [first.text, ...cursor.rest.map((word) => word.text)].join(' ');
  while (!cursor.isAtEnd) cursor.skip();
  const name = /^\s*<([A-Za-z_][\w.-]*)/.exec(text)?.[1];
  if (name === undefined) throw cursor.problem('expected an XML element', first);
  const section = Object.hasOwn(sectionOf, name) ? sectionOf[name] : undefined;
  if (section === undefined) {
    throw cursor.problem(`<${name}> is not part of a configuration${didYouMean(name, Object.keys(sectionOf))}`, first);
  }
  const inside = section === '' ? text : `<${section}>${text}</${section}>`;
  const result = importCib(`<configuration>${inside}</configuration>`);
  if (!result.ok) throw cursor.problem(result.error.message, first);
  const note = result.value.notes.find((each) => each.kind === 'ignored');
  if (note !== undefined) throw cursor.problem(`${note.element}: ${note.message}`, first);
  const items = itemsOf(result.value.cib.configuration);
  if (items.length === 0) throw cursor.problem(`<${name}> is empty`, first);
  return items;
}

const itemsOf = (configuration: Configuration): readonly Item[] => fromConfiguration(configuration);
