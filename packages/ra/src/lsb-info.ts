/**
 * An init script describes itself in a comment block between `### BEGIN INIT INFO` and `### END INIT INFO`.
 *
 * Semantics: LSB Core 5.0, "Comment Conventions for Init Scripts".
 */
import type { AgentDescription } from './metadata.ts';

export interface LsbInfo {
  /** By keyword as written (`Required-Start`); a continued description is joined with newlines. */
  readonly fields: Readonly<Record<string, string>>;
}

const field = /^#\s*([A-Za-z][A-Za-z0-9-]*):\s*(.*?)\s*$/;
const continuation = /^#(?:\t| {2,})\s*(.*?)\s*$/;

/** `undefined` if the script has no such block. */
export function parseLsbInfo(script: string): LsbInfo | undefined {
  const lines = script.split('\n');
  const begin = lines.findIndex((line) => line.startsWith('### BEGIN INIT INFO'));
  if (begin === -1) return undefined;
  const fields: Record<string, string> = {};
  let last: string | undefined;
  for (const line of lines.slice(begin + 1)) {
    if (line.startsWith('### END INIT INFO')) break;
    const more = last === 'Description' ? continuation.exec(line) : null;
    if (more !== null && last !== undefined) {
      fields[last] = `${fields[last] ?? ''}\n${more[1] ?? ''}`.trim();
      continue;
    }
    const found = field.exec(line);
    if (found === null) continue;
    last = found[1] ?? '';
    fields[last] = found[2] ?? '';
  }
  return { fields };
}

const seconds = 1000;

/** An init script's description in the form of an OCF agent's. Works without a block, too: then it is bare. */
export function describeLsb(type: string, script: string): AgentDescription {
  const fields = parseLsbInfo(script)?.fields ?? {};
  const relations = Object.entries(fields)
    .filter(([name]) => /^(?:Provides|Required-|Should-|Default-|X-)/.test(name))
    .map(([name, value]) => `${name}: ${value}`);
  const action = (name: string): AgentDescription['actions'][number] => ({
    name,
    timeoutMs: 15 * seconds,
    attributes: {},
  });
  return {
    name: type,
    shortDescription: fields['Short-Description'] ?? '',
    longDescription: [fields['Description'] ?? '', ...relations].filter((line) => line !== '').join('\n'),
    parameters: [],
    actions: [
      { name: 'meta-data', timeoutMs: 5 * seconds, attributes: {} },
      ...['start', 'stop', 'status', 'restart', 'force-reload'].map(action),
      { name: 'monitor', timeoutMs: 15 * seconds, intervalMs: 15 * seconds, attributes: {} },
    ],
  };
}
