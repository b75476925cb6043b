/** The part of XPath that agents use to look into the CIB (`xpath.ts`), answered with XML. */
import { parseXml, type XmlElement } from '@rgrove/parse-xml';
import { ok, type Result } from '@systole/kernel';
import { type Output, writeXml } from './writer.ts';
import { parseXPath, selectNodes } from './xpath.ts';

const children = (element: XmlElement): readonly XmlElement[] =>
  element.children.filter((node): node is XmlElement => node.type === 'element');

const outputOf = (element: XmlElement): Output => ({
  name: element.name,
  attributes: element.attributes,
  children: children(element).map(outputOf),
});

/** The elements of a document that `path` selects, each as XML, in the document's order. */
export function selectXml(xml: string, path: string): Result<readonly string[], string> {
  const parsed = parseXPath(path);
  if (!parsed.ok) return parsed;
  const { root } = parseXml(xml);
  if (root === null) return ok([]);
  return ok([...selectNodes(outputOf(root), parsed.value)].map(writeXml));
}
