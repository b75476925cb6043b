/** `configure graph`: resources and constraints as a picture. */
import { writeFileSync } from 'node:fs';
import { SystoleError } from '@systole/kernel';
import { configurationGraph, type GraphLanguage, graphLanguages } from '../render/configuration-graph.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { openSession } from './editing.ts';

const languageOf = (word: string | undefined): GraphLanguage | undefined =>
  graphLanguages.find((language) => language === word);

/** The language may stand before the file, as in crmsh, or after it; else the ending of the file's name tells it. */
export function readGraphArguments(args: readonly string[]): {
  readonly language: GraphLanguage;
  readonly file: string | undefined;
} {
  const [first, second] = args;
  const before = languageOf(first);
  if (before !== undefined) return { language: before, file: second };
  if (second !== undefined && languageOf(second) === undefined)
    throw new UsageError(
      `graph writes ${graphLanguages.join(' and ')}, not "${second}"; dot -Tsvg FILE makes a picture`,
    );
  const isMermaid = first?.endsWith('.mmd') === true || first?.endsWith('.mermaid') === true;
  return { language: languageOf(second) ?? (isMermaid ? 'mermaid' : 'dot'), file: first };
}

export async function graph(context: Context, args: readonly string[]): Promise<void> {
  const { language, file } = readGraphArguments(args);
  const session = await openSession(context);
  const text = configurationGraph(session.draft.items, language);
  if (file === undefined || file === '-') {
    context.answer({ language, graph: text }, text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new SystoleError('failed', `cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}
