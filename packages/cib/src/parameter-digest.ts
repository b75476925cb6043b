/**
 * Fingerprints of an operation's parameters, by which the policy engine sees that a running service was started with
 * others. They are Pacemaker's, to the byte, so that an imported status compares: an XML element `parameters` with the
 * parameters as attributes sorted by name, a blank before it and a newline after, in MD5.
 *
 * Semantics: Pacemaker's lib/common/digest.c (v1 digests), lib/pengine/pe_digest.c.
 */
import { byCodeUnit } from '@systole/kernel';
import { md5 } from './digest.ts';

/** Parameters that say where and for whom an operation runs, not how: their change needs nothing. */
const notConfiguration: ReadonlySet<string> = new Set([
  'id',
  'crm_feature_set',
  'op-digest',
  'on_node',
  'on_node_uuid',
  'pcmk_external_ip',
]);

const escapes: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

// oxlint-disable-next-line no-control-regex -- control characters are what has to be escaped
const special = /[<>&"\u0000-\u001f\u007f]/g;

const escapeAttribute = (value: string): string =>
  value.replace(
    special,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')};`,
  );

/** MD5 over the given pairs as they are, in the order of their names; no pairs give the digest of an empty element. */
export function digestOf(parameters: Readonly<Record<string, string>>): string {
  const attributes = Object.entries(parameters)
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`);
  return md5(` <parameters${attributes.join('')}/>\n`);
}

/** `op-digest`: all configured parameters; a recurring operation's timeout counts, as `CRM_meta_timeout`. */
export function operationDigest(
  parameters: Readonly<Record<string, string>>,
  recurring?: { readonly timeoutMs: number },
): string {
  return digestOf({
    ...configured(parameters),
    ...(recurring === undefined ? {} : { CRM_meta_timeout: String(recurring.timeoutMs) }),
  });
}

/** The digest of some of the configured parameters: those whose change needs a restart, or those that are no secret. */
export function digestWithout(parameters: Readonly<Record<string, string>>, leftOut: ReadonlySet<string>): string {
  return digestOf(Object.fromEntries(Object.entries(configured(parameters)).filter(([name]) => !leftOut.has(name))));
}

function configured(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !name.startsWith('CRM_meta_') && !notConfiguration.has(name)),
  );
}
