/** What the newest transitions were decided from, for a report: each can be shown and decided again from its file. */
import { basename, join } from 'node:path';
import type { StoredInput } from '@systole/api';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failure.ts';
import { secretsIn, withoutSecrets } from '../shell/redaction.ts';
import { keptIn, type KeptInput } from './inputs.ts';

/** So many, and so many bytes as they are kept: more than anybody looks at, and little in an archive. */
const inputsMax = 50;
const bytesMax = 8 * 1024 * 1024;
/** Each is asked for by itself: a member that does not answer costs eight seconds a time, a huge CIB one. The rest is left. */
const patienceMs = 30_000;

/** Writes them into the folders of those who keep them, the newest first. @returns what could not be had. */
export async function collectInputs(
  context: Context,
  known: readonly string[],
  write: (file: string, text: string) => void,
): Promise<readonly string[]> {
  const wanted = newest(keptIn((await context.client.gather('inputs')).parts));
  const begin = performance.now();
  const lost: string[] = [];
  for (const [index, row] of wanted.entries()) {
    if (performance.now() - begin > patienceMs) {
      lost.push(`inputs of ${wanted.length - index} transitions: it would have taken too long`);
      break;
    }
    if (context.terminal.isTerminal) context.terminal.error(`\r\u001b[Kinput ${index + 1} of ${wanted.length}`);
    const problem = await collectInput(context, row, known, write);
    if (problem !== undefined) lost.push(`input of transition ${row.number} (${row.transition}): ${problem}`);
  }
  return lost;
}

function newest(rows: readonly KeptInput[]): readonly KeptInput[] {
  let bytes = 0;
  return rows
    .slice(-inputsMax)
    .toReversed()
    .filter((row) => (bytes += row.bytes) <= bytesMax);
}

async function collectInput(
  context: Context,
  { node, number, transition }: KeptInput,
  known: readonly string[],
  write: (file: string, text: string) => void,
): Promise<string | undefined> {
  try {
    const { parts } = await context.client.gatherInput(transition);
    const input = parts.find((part) => part.input !== undefined)?.input;
    if (input === undefined)
      return parts.find(({ problem }) => problem !== undefined)?.problem ?? `${node} did not tell it`;
    const file = `transition-${number}-${basename(transition)}.json`;
    write(join(basename(node), 'policy-inputs', file), maskedInput(input, known));
    return undefined;
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === undefined) throw error;
    return failure.message;
  }
}

/** Without secrets, those of its own time included. Where there were any, it says that it is not what was decided from. */
export function maskedInput(input: StoredInput, known: readonly string[]): string {
  const secrets = [...new Set([...known, ...secretsIn(input.cib.configuration)])];
  const text = JSON.stringify(input);
  const masked = withoutSecrets(text, secrets);
  return masked === text ? text : `{"isMasked":true,${masked.slice(1)}`;
}
