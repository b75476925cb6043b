/** Statements of roles, alerts, fencing levels and options. */
import type { Alert, AlertRecipient, AttributeSet, FencingLevel } from '@systole/cib';
import { findShortcut } from './acl-shortcuts.ts';
import type { ItemOf } from './items.ts';
import { descriptionLine, onePair, ruleText, setLines, words, type Referenced } from './print-sets.ts';
import { quote } from './quote.ts';

export function optionLines(word: string, set: AttributeSet, referenced: Referenced): readonly string[] | undefined {
  if (set.score !== undefined) return undefined;
  if (set.idRef !== undefined) return [`${word} $id-ref=${set.idRef}`];
  return [
    words(word, set.id === undefined ? undefined : /^[\w.-]+$/.test(set.id) ? `${set.id}:` : `$id=${set.id}`),
    ...(set.rule === undefined ? [] : [ruleText(set.rule, referenced)]),
    ...set.pairs.map((pair) => onePair(pair, referenced)),
  ];
}

/** Levels that are not numbered 1, 2, … for each target cannot be said; the text then does not read back. */
export function fencingLines(levels: readonly FencingLevel[]): readonly string[] {
  const byTarget = new Map<string, FencingLevel[]>();
  for (const level of levels) {
    const { target } = level;
    const text =
      target.type === 'node'
        ? `${target.name}:`
        : target.type === 'pattern'
          ? quote(`pattern:${target.pattern}`)
          : quote(`attr:${target.name}=${target.value}`);
    byTarget.set(text, [...(byTarget.get(text) ?? []), level]);
  }
  const lines = [...byTarget].map(([text, list]) =>
    words(text, ...list.toSorted((a, b) => a.index - b.index).map((level) => quote(level.devices.join(',')))),
  );
  return ['fencing_topology', ...lines];
}

export function roleLines({ id, value }: ItemOf<'aclRole'>): readonly string[] {
  return [
    words('role', id),
    ...descriptionLine(value),
    ...value.permissions.map((permission) =>
      words(
        permission.kind,
        ...descriptionLine(permission),
        permission.xpath === undefined ? undefined : (findShortcut(permission.xpath) ?? xpathText(permission.xpath)),
        permission.reference === undefined ? undefined : `ref:${permission.reference}`,
        permission.attribute === undefined ? undefined : `attr:${permission.attribute}`,
        permission.objectType === undefined ? undefined : `type:${permission.objectType}`,
      ),
    ),
  ];
}

const xpathText = (xpath: string): string => `xpath:"${xpath.replace(/["\\]/g, (character) => `\\${character}`)}"`;

export function alertLines(alert: Alert, referenced: Referenced): readonly string[] {
  const { select } = alert;
  return [
    words('alert', alert.id, quote(alert.path)),
    ...descriptionLine(alert),
    ...setLines('attributes', alert.parameters, referenced),
    ...(select === undefined
      ? []
      : [
          words(
            'select',
            select.nodes ? 'nodes' : undefined,
            select.fencing ? 'fencing' : undefined,
            select.resources ? 'resources' : undefined,
            select.attributes === undefined
              ? undefined
              : `attributes { ${select.attributes.map(({ name }) => quote(name)).join(' ')} }`,
          ),
        ]),
    ...setLines('meta', alert.meta, referenced),
    ...alert.recipients.map((recipient) => recipientText(recipient, referenced)),
  ];
}

const recipientText = (recipient: AlertRecipient, referenced: Referenced): string =>
  words(
    'to',
    quote(recipient.value),
    ...descriptionLine(recipient),
    ...setLines('attributes', recipient.parameters, referenced),
    ...setLines('meta', recipient.meta, referenced),
  );
