/** What becomes of what was edited: committed, dropped, compared, simulated, verified. */
import { allPrimitives, type Cib, type Configuration, emptyCib, type Primitive } from '@systole/cib';
import { changedItems } from '../language/select.ts';
import type { Session } from '../language/session.ts';
import type { Finding } from '../lint/finding.ts';
import { commit } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { isCollecting, openSession } from './editing.ts';

export async function commitEdits(context: Context, args: readonly string[]): Promise<void> {
  const open = context.session;
  if (open?.session.isChanged !== true) {
    context.remark('nothing to commit');
    return;
  }
  const isForced = args.includes('force') || context.options.isForced;
  if (
    context.terminal.isInteractive &&
    !isForced &&
    context.shadow === undefined &&
    !(await agreed(context, open.session, open.cib))
  )
    return;
  await commitSession(context, `configure commit: ${summaryOf(open.session)}`);
}

/** So many names are told in the history. */
const NAMES_TOLD = 12;

/** What was edited, by name: `www, prefer-n1, -old`. */
function summaryOf(session: Session): string {
  const { items } = session.draft;
  const kept = new Set(items.map((item) => item.id));
  const names = [
    ...changedItems(items, session.baseItems).map((item) => item.id),
    ...session.baseItems.filter((item) => !kept.has(item.id)).map((item) => `-${item.id}`),
  ];
  const more = names.length > NAMES_TOLD ? ` and ${names.length - NAMES_TOLD} more` : '';
  return `${names.slice(0, NAMES_TOLD).join(', ')}${more}`;
}

/** Shows what would happen, and asks if something that runs would stop or move. */
async function agreed(context: Context, session: Session, cib: Cib): Promise<boolean> {
  const after: Cib = { ...cib, configuration: session.draft.finish() };
  const { disturbances, renderPlan } = await import('../render/plan.ts');
  const disturbed = disturbances(cib, after);
  if (disturbed.length === 0) return true;
  context.out(renderPlan(cib, after));
  const answer = await context.terminal.ask('Services that run would be disturbed. Commit?', ['no', 'yes']);
  return answer === 'yes';
}

export async function commitSession(context: Context, command: string): Promise<void> {
  const open = context.session;
  if (open === undefined) return;
  const configuration = open.session.draft.finish();
  if (context.shadow !== undefined) {
    const { writeShadow } = await import('./shadow.ts');
    writeShadow(context.shadow, { ...open.cib, configuration });
    open.session.settle(configuration);
    return;
  }
  const after: Cib = { ...open.cib, configuration };
  await tellNewFindings(context, open.cib.configuration, configuration);
  const committed = await commit(context, command, open.cib, after);
  if (context.options.isDryRun) return;
  if (committed !== undefined && isCollecting(context))
    context.remark(`committed, as configuration ${committed.version}`);
  context.session = undefined;
}

export async function refresh(context: Context): Promise<void> {
  context.session = undefined;
  await openSession(context);
}

export async function diffEdits(context: Context): Promise<void> {
  const session = await openSession(context);
  const { diffItems } = await import('../render/diff.ts');
  const text = diffItems(session.baseItems, session.draft.items);
  context.out(text === '' ? 'nothing was edited' : text);
}

/** `scores`, `actions` and `utilization` show the whole simulation, with the numbers that are asked for. */
export async function simulateEdits(context: Context, args: readonly string[]): Promise<void> {
  const session = await openSession(context);
  const cib = context.session?.cib ?? emptyCib;
  const { renderPlan } = await import('../render/plan.ts');
  const after: Cib = { ...cib, configuration: session.draft.finish() };
  context.out(renderPlan(cib, after));
  if (!args.some((word) => word === 'scores' || word === 'actions' || word === 'utilization')) return;
  const [{ simulate }, { renderSimulation }] = await Promise.all([
    import('@systole/pe'),
    import('../render/simulation.ts'),
  ]);
  const options = { showsScores: args.includes('scores'), showsUtilization: args.includes('utilization') };
  context.out(renderSimulation(simulate(after, { now: Date.now(), mayBeMasked: false }), options));
}

export async function verifyEdits(context: Context): Promise<number> {
  const session = await openSession(context);
  const { verifyConfiguration } = await import('./answers.ts');
  return await verifyConfiguration(context, session.draft.finish());
}

/** So many findings are told at a commit; verify tells all. */
const FINDINGS_TOLD = 8;

/** Traps that this change brings. They do not hold it up: whoever builds a cluster step by step has them for a while. */
async function tellNewFindings(context: Context, before: Configuration, after: Configuration): Promise<void> {
  const { newFindings } = await import('../lint/lint.ts');
  const found = [...newFindings(before, after, Date.now()), ...(await missingAgents(before, after))];
  // What is committed all the same is no error here; verify calls it one.
  for (const { level, text, advice } of found.slice(0, FINDINGS_TOLD))
    context.remark(`${level === 'error' ? 'warning' : level}: ${text}\n  → ${advice}`);
  if (found.length > FINDINGS_TOLD) context.remark(`and ${found.length - FINDINGS_TOLD} more: systole verify`);
}

/** Agents of new resources that are not on this machine; on the nodes that run them they may be. */
async function missingAgents(before: Configuration, after: Configuration): Promise<readonly Finding[]> {
  const known = new Set(primitivesIn(before).map(({ id }) => id));
  const fresh = primitivesIn(after).filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return [];
  const { absenceOf } = await import('./agents-here.ts');
  return fresh.flatMap(({ id, agent }): readonly Finding[] => {
    const text = agent === undefined ? undefined : absenceOf(agent);
    return text === undefined
      ? []
      : [{ level: 'warning', id, text: `${id}: ${text}`, advice: 'install it on every node that may run it' }];
  });
}

const primitivesIn = (configuration: Configuration): readonly Primitive[] => allPrimitives(configuration.resources);
