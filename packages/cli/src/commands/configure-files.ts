/** `configure` on files, without a daemon: `--base`, `--file`, `--to-xml`, `--from-xml`. */
import { readFileSync } from 'node:fs';
import { type Cib, emptyCib, exportCib, importCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { Session } from '../language/session.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { asStatement, host, tellRemarks } from './editing.ts';

interface FileOptions {
  readonly base?: string;
  readonly fromXml?: string;
}

export function fileOptions(args: readonly string[]): {
  readonly values: FileOptions;
  readonly words: readonly string[];
} {
  const values: { base?: string; fromXml?: string } = {};
  const words: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--base' || arg === '--from-xml') {
      at += 1;
      const value = args[at];
      if (value === undefined) throw new UsageError(`${arg} needs a file`);
      values[arg === '--base' ? 'base' : 'fromXml'] = value;
    } else if (arg !== '--to-xml') words.push(arg);
  }
  return { values, words };
}

export function readCibFile(path: string): Cib {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new SystoleError('notFound', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = importCib(text);
  if (result.ok) return result.value.cib;
  const { line, message } = result.error;
  throw new SystoleError('invalid', `${path}${line === undefined ? '' : `:${line}`}: ${message}`);
}

/** `configure --base BASE.xml --file INPUT.crm --to-xml`: applies text to a file and prints the resulting CIB. */
export function toXml(context: Context, args: readonly string[]): void {
  const { values, words } = fileOptions(args);
  const base = values.base === undefined ? emptyCib : readCibFile(values.base);
  const session = new Session(base.configuration, host(context));
  const { file } = context.options;
  if (file !== undefined) session.run(host(context).readFile(file), file);
  if (words.length > 0) session.execute(asStatement(words));
  const configuration = session.draft.finish();
  tellRemarks(context, session);
  context.out(exportCib({ ...base, configuration }));
}
