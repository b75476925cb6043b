/** A statement to the items that it defines. */
import { Cursor } from './cursor.ts';
import type { Item } from './items.ts';
import { parseRoleStatement, parseSubjectStatement } from './parse-access.ts';
import { parseAlert, parseFencing, parseNode, parseOptions, parseTag } from './parse-cluster.ts';
import { parseColocation, parseLocation, parseOrder, parseTicket } from './parse-constraints.ts';
import { type Mode, parseBundle, parseClone, parseGroup, parsePrimitive, parseTemplate } from './parse-resources.ts';
import { parseXmlStatement } from './parse-xml.ts';
import type { Place } from './problem.ts';
import { placeOf, type Statement } from './words.ts';

export interface ParseOptions {
  readonly mode: Mode;
  /** Names of the known nodes; asked for only where a statement needs them. */
  readonly nodes: () => readonly string[];
}

type Parse = (cursor: Cursor, options: ParseOptions) => Item | readonly Item[];

const ofUser: Parse = (cursor) => {
  throw cursor.problem(
    '"user" is gone since ACLs have roles: write role ID read|write|deny …, then acl_target USER ROLE',
  );
};

/** Words that define something, in the order in which help lists them. */
const definitions: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['node', parseNode],
  ['primitive', (cursor, { mode }) => parsePrimitive(cursor, mode)],
  ['rsc_template', (cursor, { mode }) => parseTemplate(cursor, mode)],
  ['group', (cursor, { mode }) => parseGroup(cursor, mode)],
  ['clone', (cursor, { mode }) => parseClone(cursor, mode, 'clone')],
  ['ms', (cursor, { mode }) => parseClone(cursor, mode, 'ms')],
  ['master', (cursor, { mode }) => parseClone(cursor, mode, 'master')],
  ['bundle', parseBundle],
  ['location', parseLocation],
  ['colocation', parseColocation],
  ['collocation', parseColocation],
  ['order', parseOrder],
  ['rsc_ticket', parseTicket],
  ['property', (cursor, { mode }) => parseOptions(cursor, 'options', mode)],
  ['rsc_defaults', (cursor, { mode }) => parseOptions(cursor, 'resourceDefaults', mode)],
  ['op_defaults', (cursor, { mode }) => parseOptions(cursor, 'operationDefaults', mode)],
  ['fencing_topology', (cursor, { nodes }) => parseFencing(cursor, nodes())],
  ['fencing-topology', (cursor, { nodes }) => parseFencing(cursor, nodes())],
  ['tag', parseTag],
  ['role', parseRoleStatement],
  ['acl_target', (cursor) => parseSubjectStatement(cursor, 'aclTarget')],
  ['acl_group', (cursor) => parseSubjectStatement(cursor, 'aclGroup')],
  ['user', ofUser],
  ['alert', parseAlert],
  ['xml', parseXmlStatement],
]);

export const definitionWords: readonly string[] = [...definitions.keys()];

/** @throws LanguageProblem */
export function parseDefinition(statement: Statement, options: ParseOptions): readonly Item[] {
  const cursor = new Cursor(statement);
  const word = cursor.next('a statement');
  const parse = definitions.get(word.text.toLowerCase());
  if (parse === undefined) throw cursor.problem(`"${word.text}" does not define anything`, word);
  const parsed = parse(cursor, options);
  cursor.finish();
  const items: readonly Item[] = Array.isArray(parsed) ? (parsed as readonly Item[]) : [parsed as Item];
  // What goes wrong with an item is about its id, which stands behind the word.
  const place = placeOf(statement.source, statement.words[1] ?? word);
  const last = items.length - 1;
  return items.map((item, index) => {
    const placed: Item = { ...item, place, locate: (name) => locate(statement, name) };
    return options.mode === 'loaded' && index === last ? withComments(placed, statement.comments) : placed;
  });
}

/** The word that is `name`, or begins with it: `web:Promoted`, `@vm`, `power1,power2`. */
function locate(statement: Statement, name: string): Place | undefined {
  const word = statement.words.find(({ text }, index) => index > 0 && splitNames(text).includes(name));
  return word === undefined ? undefined : placeOf(statement.source, word);
}

const splitNames = (text: string): readonly string[] => [text, ...text.split(/[:,=@()[\]{}]/)];

/** Comments belong to the statement that follows them. */
export function withComments(item: Item, comments: readonly string[]): Item {
  if (comments.length === 0) return item;
  if (item.kind === 'fencing') {
    const [first, ...rest] = item.value;
    return first === undefined ? item : { ...item, value: [{ ...first, comments }, ...rest] };
  }
  return { ...item, value: { ...item.value, comments } } as Item;
}
