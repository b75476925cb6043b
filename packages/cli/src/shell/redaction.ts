/**
 * Takes secrets out of text that is kept or given away: values whose names look like passwords, keys or tokens, in text,
 * XML, JSON and commands; and values that are known to be secret, wherever they stand.
 */
import type { Configuration } from '@systole/cib';
import { fromConfiguration } from '../language/items.ts';
import { mapSets } from '../language/walk.ts';

const secretName = String.raw`[\w.-]*(?:passw|passphrase|secret|token|community|private_?key|api_?key|access_?key|credential)[\w-]*`;
const hidden = '******';

/** Shorter values are in too many words. */
const KNOWN_LENGTH = 4;

const isSecretName = (name: string): boolean => new RegExp(`^${secretName}$`, 'i').test(name);

export function withoutSecrets(text: string, known: readonly string[] = []): string {
  const guessed = text
    .replace(new RegExp(`(name="${secretName}"[^>]*?\\svalue=")[^"]*`, 'gi'), `$1${hidden}`)
    .replace(new RegExp(`(value=")[^"]*("[^>]*?\\sname="${secretName}")`, 'gi'), `$1${hidden}$2`)
    .replace(
      new RegExp(
        `(\\\\*"name\\\\*":\\s*\\\\*"${secretName}\\\\*",\\s*\\\\*"value\\\\*":\\s*\\\\*")(?:[^"\\\\]|\\\\(?!"[,}]).)*`,
        'gi',
      ),
      `$1${hidden}`,
    )
    .replace(new RegExp(`("${secretName}":\\s*")(?:[^"\\\\]|\\\\.)*`, 'gi'), `$1${hidden}`)
    // `resource param db set passwd VALUE`, `configure set db.passwd VALUE`
    .replace(new RegExp(`(\\bset ${secretName} )("(?:[^"\\\\]|\\\\.)*"|[^\\s"\\\\]+)`, 'gi'), `$1${hidden}`)
    .replace(
      new RegExp(`(\\b${secretName}=)(\\\\?"(?:[^"\\\\]|\\\\[^"]|\\\\"(?=[^\\s,}]))*"?|'[^']*'|[^\\s"\\\\]+)`, 'gi'),
      `$1${hidden}`,
    );
  return known
    .filter((value) => value.length >= KNOWN_LENGTH && !/^(?:true|false|\d{1,5})$/i.test(value))
    .toSorted((a, b) => b.length - a.length)
    .reduce(
      (rest, value) => rest.replaceAll(value, hidden).replaceAll(JSON.stringify(value).slice(1, -1), hidden),
      guessed,
    );
}

/** All values of a configuration that its own names call secret. */
export function secretsIn(configuration: Configuration): readonly string[] {
  const found = new Set<string>();
  for (const item of fromConfiguration(configuration)) {
    mapSets(item, (set) => {
      for (const { name, value } of set.pairs)
        if (name !== undefined && value !== undefined && isSecretName(name) && !value.startsWith('lrm://'))
          found.add(value);
      return set;
    });
  }
  return [...found];
}
