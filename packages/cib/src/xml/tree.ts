/**
 * XML as a small tree: elements, attributes, comments, and where each stood. The only file that knows the XML parser.
 *
 * The parser is strict and expands no entities of a document's own, so an "entity bomb" is an error and not a
 * gigabyte. Size and depth are bounded here, because everything after this walks the tree by recursion.
 */
import { fail, ok, type Result } from '@systole/kernel';
import { parseXml, XmlComment, XmlElement, XmlError, XmlText } from '@rgrove/parse-xml';

/** No CIB is larger: one of 10 000 resources on 32 nodes, with its whole status, has some 60 million characters. */
export const MAX_XML_CHARACTERS = 128 * 1024 * 1024;

/** No CIB nests deeper: rules inside rules are the only recursion, and nobody writes more than a handful of levels. */
export const MAX_XML_DEPTH = 100;

export interface Element {
  readonly name: string;
  /** Without prototype, in the order as written. */
  attributes: Record<string, string>;
  children: Element[];
  /** The text of the comments directly inside, trimmed. */
  readonly comments: readonly string[];
  /** Text other than white space directly inside; no CIB has any. */
  readonly text: string;
  /** The line on which the element begins, from 1; 0 if it was made here. */
  readonly line: number;
}

/** Why a text is not a document that can be read. */
export interface XmlProblem {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** The root element, or one sentence about what is wrong and where. */
export function parseTree(text: string): Result<Element, XmlProblem> {
  if (text.length > MAX_XML_CHARACTERS) {
    const limit = `${MAX_XML_CHARACTERS / 1024 / 1024} million`;
    return fail({ message: `the document has ${text.length} characters; the limit is ${limit}` });
  }
  if (text.trim() === '') return fail({ message: 'the document is empty' });
  try {
    const root = parseXml(text, { preserveComments: true, includeOffsets: true }).root;
    if (root === null) return fail({ message: 'the document has no root element' });
    return ok(new TreeBuilder(text).build(root, 1));
  } catch (error) {
    if (error instanceof XmlError) return fail(explain(error));
    if (error instanceof TooDeep || error instanceof RangeError) {
      return fail({ message: `elements are nested more than ${MAX_XML_DEPTH} deep`, ...lineIn(error) });
    }
    throw error;
  }
}

/** An element made here, for upgrades. */
export const makeElement = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: Element[] = [],
): Element => ({
  name,
  attributes: Object.assign(Object.create(null) as Record<string, string>, attributes),
  children,
  comments: [],
  text: '',
  line: 0,
});

class TooDeep extends Error {
  readonly line: number;
  constructor(line: number) {
    super('too deep');
    this.line = line;
  }
}

const lineIn = (error: Error): { line?: number } => (error instanceof TooDeep ? { line: error.line } : {});

/** The first line of the parser's message is the sentence; the rest is a picture of the place. */
function explain(error: XmlError): XmlProblem {
  const sentence = (error.message.split('\n')[0] ?? '').replace(/ \(line \d+, column \d+\)$/, '');
  return { message: `not well-formed XML: ${sentence}`, line: error.line, column: error.column };
}

const none: readonly string[] = [];

class TreeBuilder {
  readonly #text: string;
  /** Elements come in the order of their offsets, so lines are counted on from the last one. */
  #line = 1;
  /** Where the present line ends; looked for once, because a whole CIB may be on one line. */
  #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = this.#endAfter(0);
  }

  build(source: XmlElement, depth: number): Element {
    const line = this.#lineOf(source.start);
    if (depth > MAX_XML_DEPTH) throw new TooDeep(line);
    const children: Element[] = [];
    let comments: string[] | undefined;
    let text = '';
    for (const child of source.children) {
      if (child instanceof XmlElement) children.push(this.build(child, depth + 1));
      else if (child instanceof XmlText) text += child.text.trim();
      else if (child instanceof XmlComment) (comments ??= []).push(child.content.trim());
    }
    return { name: source.name, attributes: source.attributes, children, comments: comments ?? none, text, line };
  }

  #lineOf(offset: number): number {
    while (this.#end < offset) {
      this.#line += 1;
      this.#end = this.#endAfter(this.#end + 1);
    }
    return this.#line;
  }

  #endAfter(offset: number): number {
    const end = this.#text.indexOf('\n', offset);
    return end === -1 ? Infinity : end;
  }
}
