/** Changes of the live configuration: made on a draft, shown, simulated if asked, committed as one. */
import { type Cib, diff } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { Draft } from '../language/draft.ts';
import { membersOf } from '../language/items.ts';
import type { Context } from './context.ts';
import { secretsIn, withoutSecrets } from './redaction.ts';
import { findOut } from './unknown-outcome.ts';
import { waitIfAsked } from './wait.ts';

/** The history keeps so much of a command; the daemon refuses more than 4096. */
const COMMAND_CHARACTERS = 4000;

export interface Committed {
  readonly version: string;
  readonly cib: Cib;
}

/** The live CIB as the policy engine is to read it: whether there is quorum only the daemon knows. */
export async function liveCib(context: Context): Promise<Cib> {
  const [cib, { quorate }] = await Promise.all([context.client.cib(), context.client.status()]);
  return { ...cib, header: { ...cib.header, hasQuorum: quorate } };
}

/**
 * Edits the live configuration and commits. `command` is told in the history. Nothing changed is no failure.
 *
 * At a terminal, what would stop or move besides the resources that the command is about (`subjects`) is shown and asked
 * for first.
 *
 * @returns undefined if nothing was changed: there was nothing to change, it was only to be shown, or the answer was no.
 */
export async function changeConfiguration(
  context: Context,
  command: string,
  edit: (draft: Draft, cib: Cib) => void,
  subjects: readonly string[] = [],
): Promise<Committed | undefined> {
  const asks = context.terminal.isInteractive && !context.options.isForced && !context.options.isDryRun;
  const cib = await (context.options.isDryRun || asks ? liveCib(context) : context.client.cib());
  const draft = new Draft(cib.configuration);
  edit(draft, cib);
  const after: Cib = { ...cib, configuration: draft.finish() };
  for (const remark of draft.remarks) context.remark(remark);
  if (asks && !(await isAgreed(context, cib, after, namesWithin(draft, subjects)))) return undefined;
  return await commit(context, command, cib, after);
}

/** The subjects and all that is in them. */
function namesWithin(draft: Draft, ids: readonly string[]): readonly string[] {
  return ids.flatMap((id) => {
    const item = draft.find(id);
    return item === undefined ? [id] : [id, ...namesWithin(draft, membersOf(item))];
  });
}

async function isAgreed(context: Context, before: Cib, after: Cib, own: readonly string[]): Promise<boolean> {
  const { disturbances } = await import('../render/plan.ts');
  const isOwn = (text: string): boolean => own.includes((text.split(' ')[1] ?? '').replace(/:\d+$/, ''));
  const others = disturbances(before, after).filter((text) => !isOwn(text));
  if (others.length === 0) return true;
  context.terminal.error(
    `${own.length === 0 ? 'This would' : 'This would also'}:\n${others.map((text) => `  ${text}\n`).join('')}`,
  );
  return (await context.terminal.ask('Go on?', ['no', 'yes'])) === 'yes';
}

/** Sends what leads from `before` to `after`; undefined if that is nothing, or if it was only to be shown. */
export async function commit(
  context: Context,
  command: string,
  before: Cib,
  after: Cib,
): Promise<Committed | undefined> {
  const change = diff(before, after);
  if (change.edits.length === 0) {
    context.remark('nothing to change');
    await waitIfAsked(context);
    return undefined;
  }
  if (context.options.isDryRun) {
    const { renderPlan } = await import('../render/plan.ts');
    context.out(renderPlan(before, after));
    return undefined;
  }
  const told = withoutSecrets(command, secretsIn(after.configuration)).slice(0, COMMAND_CHARACTERS);
  let text: string;
  try {
    ({ text } = await context.client.change(change, { command: told }));
  } catch (error) {
    if (!(error instanceof SystoleError) || error.code !== 'timedOut') throw error;
    text = await findOut(context, { command: told, since: before.version.epoch, cause: error });
  }
  context.committed = text;
  await waitIfAsked(context);
  return { version: text, cib: after };
}

/** @throws SystoleError `notFound` with the nearest name. */
export async function needNode(context: Context, name: string): Promise<void> {
  const { nodes } = await context.client.status();
  if (nodes.some((node) => node.name === name)) return;
  const { didYouMean } = await import('../language/suggest.ts');
  throw new SystoleError(
    'notFound',
    `there is no node "${name}"${didYouMean(
      name,
      nodes.map((node) => node.name),
    )}`,
  );
}
