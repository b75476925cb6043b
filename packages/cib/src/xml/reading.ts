/**
 * What every part of the importer shares: reading attributes with their types, noting what is not understood, and
 * giving up with a place. Nothing is dropped without a note; nothing that has no meaning stops an import, except
 * where leaving it out would change what the cluster does (a resource without an id, a constraint without one).
 */
import type { Role } from '../model/attributes.ts';
import { parseScore, type Score } from '../score.ts';
import type { Element } from './tree.ts';

/** Something that the operator should know about an import. */
export interface Note {
  /** `upgraded`: said in an older way, and now in ours; `ignored`: not understood, or without effect, and left out. */
  readonly kind: 'upgraded' | 'ignored';
  /** From 1; 0 if the place is not known. */
  readonly line: number;
  /** `<primitive id="web">` */
  readonly element: string;
  readonly message: string;
}

/** Thrown inside the importer only; `importCib` turns it into a result. */
export class Unreadable extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  y: true,
  1: true,
  false: false,
  off: false,
  no: false,
  n: false,
  0: false,
};

/** As Pacemaker reads booleans: true, on, yes, y, 1 and their opposites, in any case. */
export const parseBoolean = (text: string): boolean | undefined => truths[text.trim().toLowerCase()];

const roles: Readonly<Record<string, Role>> = {
  stopped: 'Stopped',
  started: 'Started',
  promoted: 'Promoted',
  master: 'Promoted',
  unpromoted: 'Unpromoted',
  slave: 'Unpromoted',
};

/** Reads a role, in any case, by its present or former name (Master, Slave). */
export const parseRole = (text: string): Role | undefined => roles[text.trim().toLowerCase()];

export class Reading {
  readonly notes: Note[] = [];

  note(kind: Note['kind'], element: Element, message: string): void {
    this.notes.push({ kind, line: element.line, element: describe(element), message });
  }

  /** Notes attributes and text of an element that this importer has no place for. */
  known(element: Element, names: ReadonlySet<string>): void {
    for (const name in element.attributes) {
      if (!names.has(name))
        this.note('ignored', element, `attribute ${name}="${element.attributes[name]}" is not known here`);
    }
    if (element.text !== '') this.note('ignored', element, `text has no meaning here: "${element.text.slice(0, 40)}"`);
  }

  unknownChild(parent: Element, child: Element): void {
    this.note('ignored', child, `<${child.name}> has no meaning inside <${parent.name}>`);
  }

  /** @throws Unreadable if the attribute is missing or empty. */
  required(element: Element, name: string): string {
    const value = element.attributes[name];
    if (value === undefined || value === '') throw new Unreadable(`${describe(element)} lacks "${name}"`, element.line);
    return value;
  }

  score(element: Element, name = 'score'): Score | undefined {
    return this.#parsed(element, name, parseScore, 'a score (a whole number, INFINITY or -INFINITY)');
  }

  boolean(element: Element, name: string): boolean | undefined {
    return this.#parsed(element, name, parseBoolean, 'true or false');
  }

  role(element: Element, name: string): Role | undefined {
    return this.#parsed(element, name, parseRole, 'a role (Started, Stopped, Promoted or Unpromoted)');
  }

  /** A whole number, or undefined (with a note, if there was something else). */
  integer(element: Element, name: string): number | undefined {
    return this.#parsed(
      element,
      name,
      (text) => (/^\s*[+-]?\d{1,15}\s*$/.test(text) ? Number(text) : undefined),
      'a whole number',
    );
  }

  word<const Word extends string>(element: Element, name: string, words: readonly Word[]): Word | undefined {
    const read = (text: string): Word | undefined => {
      const wanted = text.trim().toLowerCase();
      return words.find((word) => word.toLowerCase() === wanted);
    };
    return this.#parsed(element, name, read, `one of ${words.join(', ')}`);
  }

  #parsed<T>(element: Element, name: string, parse: (text: string) => T | undefined, wanted: string): T | undefined {
    const text = element.attributes[name];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) this.note('ignored', element, `${name}="${text}" is not ${wanted}; left out`);
    return value;
  }
}

/** `<primitive id="web">`, for messages. */
export function describe(element: Element): string {
  for (const name of ['id', 'id-ref', 'uname', 'name']) {
    const value = element.attributes[name];
    if (value !== undefined) return `<${element.name} ${name}="${value.slice(0, 80)}">`;
  }
  return `<${element.name}>`;
}

/** `{ [key]: value }`, or nothing if there is no value: for optional properties. */
export const maybe = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });

/** Comments of the shell begin with `#`; what other programs wrote into a document is kept the same way. */
export function commentsOf(element: Element): { comments?: readonly string[] } {
  if (element.comments.length === 0) return {};
  return { comments: element.comments.map((text) => text.replace(/^#\s?/, '')) };
}

/** All attributes but the named ones, or nothing. */
export function otherAttributes(
  element: Element,
  named: ReadonlySet<string>,
): { other?: Readonly<Record<string, string>> } {
  let other: Record<string, string> | undefined;
  for (const name in element.attributes) {
    if (!named.has(name)) (other ??= {})[name] = element.attributes[name] ?? '';
  }
  return other === undefined ? {} : { other };
}
