/** Short words for parts of the configuration in permissions: `meta:web:target-role` stands for an XPath. */

interface Shortcut {
  readonly word: string;
  /** What it stands for; `@@` is the argument. Each further part needs one more argument. */
  readonly parts: readonly string[];
}

const shortcuts: readonly Shortcut[] = [
  { word: 'meta', parts: ["//primitive[@id='@@']/meta_attributes", "/nvpair[@name='@@']"] },
  { word: 'params', parts: ["//primitive[@id='@@']/instance_attributes", "/nvpair[@name='@@']"] },
  { word: 'utilization', parts: ["//primitive[@id='@@']/utilization"] },
  { word: 'location', parts: ["//rsc_location[@id='cli-prefer-@@' and @rsc='@@']"] },
  { word: 'property', parts: ['//crm_config/cluster_property_set', "/nvpair[@name='@@']"] },
  { word: 'nodeattr', parts: ['//nodes/node/instance_attributes', "/nvpair[@name='@@']"] },
  { word: 'nodeutil', parts: ['//nodes/node/utilization', "[@uname='@@']"] },
  { word: 'node', parts: ['//nodes/node', "[@uname='@@']"] },
  { word: 'status', parts: ['/cib/status'] },
  { word: 'cib', parts: ['/cib'] },
];

export const shortcutWords: readonly string[] = shortcuts.map((shortcut) => shortcut.word);

export type Expansion =
  | { readonly type: 'xpath'; readonly xpath: string }
  | { readonly type: 'lacking' }
  | { readonly type: 'surplus' };

/** What `word:argument:…` stands for; undefined if there is no such word, `lacking` or `surplus` if the arguments do not fit. */
export function expandShortcut(word: string, args: readonly string[]): Expansion | undefined {
  const shortcut = shortcuts.find((each) => each.word === word);
  if (shortcut === undefined) return undefined;
  let xpath = '';
  let used = 0;
  for (const part of shortcut.parts) {
    if (!part.includes('@@')) {
      xpath += part;
      continue;
    }
    const argument = args[used];
    if (argument === undefined) return xpath === '' ? { type: 'lacking' } : { type: 'xpath', xpath };
    xpath += part.replaceAll('@@', argument);
    used += 1;
  }
  return used < args.length ? { type: 'surplus' } : { type: 'xpath', xpath };
}

/** `word:argument` for an XPath that a shortcut stands for. */
export function findShortcut(xpath: string): string | undefined {
  for (const { word, parts } of shortcuts) {
    for (let count = 1; count <= parts.length; count += 1) {
      const args = matchParts(parts.slice(0, count), xpath);
      if (args !== undefined) return [word, ...args].join(':');
    }
  }
  return undefined;
}

const argument = String.raw`([\p{L}_][\p{L}\p{N}_.-]*)`;

function matchParts(parts: readonly string[], xpath: string): readonly string[] | undefined {
  const pattern = parts
    .map((part) => {
      let isFirst = true;
      return part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/@@/g, () => {
        const text = isFirst ? argument : String.raw`\1`;
        isFirst = false;
        return text;
      });
    })
    .join('');
  return new RegExp(`^${pattern}$`, 'u').exec(xpath)?.slice(1);
}
