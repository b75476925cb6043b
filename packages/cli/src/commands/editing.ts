/** The configuration being edited: begun with the first edit, kept by the context until it is committed or dropped. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Cib } from '@systole/cib';
import { LanguageProblem } from '../language/problem.ts';
import { quote } from '../language/quote.ts';
import { Session, type SessionHost } from '../language/session.ts';
import { Source, type Statement } from '../language/words.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';

export const host = (context: Context): SessionHost => ({
  readFile: (path) => {
    if (path === '-') return context.terminal.readInput();
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new LanguageProblem(`cannot read ${path}: ${(error as Error).message}`, { code: 'notFound' });
    }
  },
  runFilter: (program, text) => {
    const { status, stdout, stderr, error } = spawnSync('/bin/sh', ['-c', program], {
      input: text,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw new LanguageProblem(`cannot run ${program}: ${error.message}`, { code: 'refused' });
    if (status !== 0)
      throw new LanguageProblem(`${program} ended with ${status ?? 'a signal'}: ${stderr.trim()}`, { code: 'refused' });
    return stdout;
  },
});

/** The CIB that is worked on: the live one, or the shadow copy in use. */
async function currentCib(context: Context): Promise<Cib> {
  if (context.shadow === undefined) return await liveCib(context);
  const { readShadow } = await import('./shadow.ts');
  return readShadow(context.shadow);
}

/** The session of a script or shell; begun, or begun again with the newest configuration if nothing is edited. */
export async function openSession(context: Context): Promise<Session> {
  if (context.session?.session.isChanged === true) return context.session.session;
  const cib = await currentCib(context);
  const session = new Session(cib.configuration, host(context));
  context.session = { session, cib };
  return session;
}

export const tellRemarks = (context: Context, session: Session, from = 0): void => {
  for (const remark of session.draft.remarks.slice(from)) context.remark(remark);
};

/** A session that was begun by the shell collects edits; a one-shot command has none yet. */
const collecting = new WeakSet<Context>();
export const isCollecting = (context: Context): boolean => collecting.has(context);

/** From now on edits wait for `commit`. */
export const collectEdits = (context: Context): void => {
  collecting.add(context);
};

/** Words of a command line, which the system's shell has split already. */
export function asStatement(words: readonly string[]): Statement {
  let column = 1;
  const quoted = words.map((text) => (/^[^\s"'\\]+$/.test(text) ? text : quote(text)));
  const placed = words.map((text, index) => {
    const length = quoted[index]?.length ?? 0;
    const word = { text, line: 1, column, length };
    column += length + 1;
    return word;
  });
  return { words: placed, comments: [], source: new Source('', quoted.join(' ')) };
}
