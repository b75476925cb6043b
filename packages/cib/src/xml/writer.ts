/** Writes XML: an element a line, two blanks a level, attributes in the order given. */

/** An element to be written. Attributes that are `undefined` are left out; comments come before the children. */
export interface Output {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly children?: readonly Output[];
  readonly comments?: readonly string[];
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** Characters that XML cannot hold, not even escaped, are written as the replacement character. */
// eslint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

export const escapeXml = (text: string): string =>
  text.replace(forbidden, '\ufffd').replace(/[&<>"\n\r\t]/g, (character) => escapes[character] ?? character);

/** A comment may not contain two hyphens in a row, nor end in one. */
const comment = (text: string): string => `<!--${text.replace(/-(?=-|$)/g, '- ').replace(forbidden, '\ufffd')}-->`;

/** The whole document, ending in a line break. */
export function writeXml(root: Output): string {
  const lines: string[] = [];
  const write = (element: Output, indent: string): void => {
    let open = `${indent}<${element.name}`;
    for (const [name, value] of Object.entries(element.attributes)) {
      if (value !== undefined) open += ` ${name}="${escapeXml(value)}"`;
    }
    const children = element.children ?? [];
    const comments = element.comments ?? [];
    if (children.length === 0 && comments.length === 0) {
      lines.push(`${open}/>`);
      return;
    }
    lines.push(`${open}>`);
    for (const text of comments) lines.push(`${indent}  ${comment(text)}`);
    for (const child of children) write(child, `${indent}  `);
    lines.push(`${indent}</${element.name}>`);
  };
  write(root, '');
  return `${lines.join('\n')}\n`;
}
