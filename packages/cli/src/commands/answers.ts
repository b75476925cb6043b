/** Answers: `verify`, `availability`, `resource scores`. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Configuration, emptyCib, formatScore, importCib, type Rule } from '@systole/cib';
import { parseDuration, SystoleError } from '@systole/kernel';
import { schedule } from '@systole/pe';
import { type AgentDescription, formatAgentName } from '@systole/ra';
import { fromConfiguration } from '../language/items.ts';
import { Session } from '../language/session.ts';
import { mapRules } from '../language/walk.ts';
import { didYouMean } from '../language/suggest.ts';
import type { Finding } from '../lint/finding.ts';
import { lint } from '../lint/lint.ts';
import { measure } from '../render/availability.ts';
import { table } from '../render/table.ts';
import { formatSpan, formatTime } from '../render/time.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';

// --- scores ----------------------------------------------------------------------------------------------------

export async function scores(context: Context, args: readonly string[]): Promise<void> {
  const [wanted] = args;
  const { placement } = schedule(await liveCib(context), { now: Date.now() });
  const rows = placement.scores.filter(
    ({ rsc }) => wanted === undefined || rsc === wanted || rsc.replace(/:\d+$/, '') === wanted,
  );
  if (rows.length === 0 && wanted !== undefined)
    throw new SystoleError(
      'notFound',
      `there are no scores of "${wanted}"${didYouMean(
        wanted,
        placement.scores.map(({ rsc }) => rsc),
      )}`,
    );
  context.answer(rows, () =>
    table(rows.map(({ stage, rsc, node, score }) => [rsc, node ?? '(nowhere)', formatScore(score), stage])),
  );
}

// --- verify ----------------------------------------------------------------------------------------------------

export const verifyFindings = (configuration: Configuration): readonly Finding[] => lint(configuration, Date.now());

export async function verify(context: Context, args: readonly string[]): Promise<number> {
  const [file] = args;
  return await verifyConfiguration(
    context,
    file === undefined ? (await context.client.cib()).configuration : readAny(context, file),
  );
}

export async function verifyConfiguration(context: Context, configuration: Configuration): Promise<number> {
  const findings = [...verifyFindings(configuration), ...(await timeoutFindings(configuration))];
  const text = findings.map(({ level, text: what, advice }) => `${level}: ${what}\n  → ${advice}`).join('\n');
  context.answer(findings, text === '' ? 'no mistakes and no known traps' : text);
  return findings.some(({ level }) => level === 'error') ? exitStatus.failed : exitStatus.done;
}

/** Measured against what the agents of this machine advise; those that are not here, or say nothing, are left out. */
async function timeoutFindings(configuration: Configuration): Promise<readonly Finding[]> {
  const [{ lintTimeouts }, { describeAgent }] = await Promise.all([
    import('../lint/timeouts.ts'),
    import('./agents-here.ts'),
  ]);
  const known = new Map<string, AgentDescription | undefined>();
  return lintTimeouts(configuration, (agent) => {
    const name = formatAgentName(agent);
    if (!known.has(name)) {
      let description: AgentDescription | undefined;
      try {
        description = describeAgent(agent);
      } catch (error) {
        if (!(error instanceof SystoleError)) throw error;
      }
      known.set(name, description);
    }
    return known.get(name);
  });
}

/** XML of Pacemaker, or text of this shell. */
function readAny(context: Context, file: string): Configuration {
  if (file !== '-' && !existsSync(file)) throw new SystoleError('notFound', `there is no file ${file}`);
  const text = file === '-' ? context.terminal.readInput() : readFileSync(file, 'utf8');
  if (!/^\s*</.test(text)) {
    const session = new Session(emptyCib.configuration, { readFile: (path) => readFileSync(path, 'utf8') });
    session.load(text, file, 'update');
    return session.draft.finish();
  }
  const result = importCib(text);
  if (!result.ok)
    throw new SystoleError(
      'invalid',
      `${file}${result.error.line === undefined ? '' : `:${result.error.line}`}: ${result.error.message}`,
    );
  for (const note of result.value.notes) context.remark(`${file}:${note.line}: ${note.element}: ${note.message}`);
  return result.value.cib.configuration;
}

// --- rules -----------------------------------------------------------------------------------------------------

/** Every rule, or those of one id, as they are at an instant, node by node. */
export async function checkRules(context: Context, args: readonly string[]): Promise<void> {
  const { values, positionals } = readRuleOptions(args);
  const words = positionals[0] === 'check' ? positionals.slice(1) : positionals;
  const [wanted] = words;
  const at = values.at === undefined ? Date.now() : Date.parse(values.at);
  if (Number.isNaN(at))
    throw new UsageError(`"${values.at ?? ''}" is not a time; write for example 2026-07-01T00:00:00Z`);
  const { situation } = schedule(await liveCib(context), { now: at });
  const { evaluateRule } = await import('@systole/cib');
  const found: { readonly owner: string; readonly rule: Rule }[] = [];
  for (const item of fromConfiguration(situation.cib.configuration)) {
    mapRules(item, (rule) => {
      found.push({ owner: item.id, rule });
      return rule;
    });
  }
  const rows = found
    .filter(({ owner, rule }) => wanted === undefined || owner === wanted || rule.id === wanted)
    .map(({ owner, rule }) => ({
      id: rule.id ?? '',
      owner,
      nodes: Object.fromEntries(
        situation.nodes.map((node) => [
          node.name,
          evaluateRule(rule, { ...situation.ruleContext, nodeAttributes: node.attributes }),
        ]),
      ),
    }));
  if (rows.length === 0 && wanted !== undefined) {
    throw new SystoleError(
      'notFound',
      `there is no rule of "${wanted}"${didYouMean(
        wanted,
        found.map(({ owner }) => owner),
      )}`,
    );
  }
  context.answer(rows, () =>
    table(
      rows.map(({ id, owner, nodes }) => [
        owner,
        id,
        ...Object.entries(nodes).map(([node, holds]) => `${node}: ${holds ? 'holds' : 'no'}`),
      ]),
    ),
  );
}

function readRuleOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { at: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

// --- availability ----------------------------------------------------------------------------------------------

export async function availability(context: Context, args: readonly string[]): Promise<number> {
  const { values, positionals } = readAvailabilityOptions(args);
  const target = values.target === undefined ? undefined : Number(values.target);
  if (target !== undefined && !(target > 0 && target <= 100))
    throw new UsageError(`--target is a percentage such as 99.99, not "${values.target ?? ''}"`);
  const now = Date.now();
  const since = values.since === undefined ? undefined : now - span(values.since);
  const { timeline } = await import('./timeline.ts');
  const [status, events] = await Promise.all([context.client.status(), timeline(context)]);
  const measured = measure({ events, resources: status.resources, now, ...(since === undefined ? {} : { since }) });
  const [wanted] = positionals;
  // Of a group or clone: what is in it.
  const inside = new Set(
    status.resources.filter(({ within }) => within === wanted).map(({ id }) => id.replace(/:\d+$/, '')),
  );
  const rows = measured.filter(({ resource }) => wanted === undefined || resource === wanted || inside.has(resource));
  if (rows.length === 0 && wanted !== undefined)
    throw new SystoleError(
      'notFound',
      `there is no resource "${wanted}"${didYouMean(
        wanted,
        measured.map(({ resource }) => resource),
      )}`,
    );
  context.answer(rows, () =>
    table([
      [
        'resource',
        'up',
        'outages',
        'down',
        'mean to repair',
        'since',
        target === undefined ? '' : `target ${target} %`,
      ],
      ...rows.map((row) => [
        row.resource,
        `${row.percent.toFixed(4)} %`,
        String(row.outages.length),
        formatSpan(row.downMs),
        row.meanRepairMs === undefined ? '-' : formatSpan(row.meanRepairMs),
        formatTime(row.since),
        target === undefined ? '' : row.percent >= target ? 'met' : 'MISSED',
      ]),
    ]),
  );
  return target !== undefined && rows.some((row) => row.percent < target) ? exitStatus.failed : exitStatus.done;
}

function readAvailabilityOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { since: { type: 'string' }, target: { type: 'string' } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function span(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new UsageError(`--since: ${duration.error}`);
  return duration.value;
}
