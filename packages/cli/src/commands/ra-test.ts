/** `systole ra test AGENT`: puts an agent on this machine through its contract. It starts and stops what the agent runs. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { epoch, type ProcessEnded, SystoleError } from '@systole/kernel';
import { type AgentCommand, checkAgent, type Finding, formatAgentName, locateAgent } from '@systole/ra';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { agentNamed, agentPlaces } from './agents-here.ts';

/** One action takes this long at most. */
const ACTION_MS = 120_000;
const OUTPUT_LENGTH_MAX = 1024 * 1024;

const marks = { kept: 'ok', broken: 'BROKEN', warning: 'warning' } as const;

/** `NAME=VALUE` are parameters; `promotable=true` also promotes and demotes. Exit status 1 if the contract is broken. */
export async function test(context: Context, args: readonly string[]): Promise<number> {
  const [name = '', ...pairs] = args;
  const given = pairs.map((pair): readonly [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`expected NAME=VALUE, found "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const agent = agentNamed(name);
  if (agent.class === 'stonith') {
    throw new SystoleError('refused', 'a fence agent is tried with its device: systole fencing test DEVICE');
  }
  // As the daemon takes it; a trial that is not to meet what an earlier one left running gives a folder of its own.
  const { HA_RSCTMP: agentState } = process.env;
  const places = { ...agentPlaces(), ...(agentState === undefined ? {} : { agentState }) };
  const located = locateAgent(agent, places, (paths) => paths.find((path) => existsSync(path)));
  if (located === undefined) throw new SystoleError('notFound', `there is no agent ${formatAgentName(agent)} here`);
  const findings: Finding[] = [];
  for await (const finding of checkAgent({
    agent,
    located,
    places,
    parameters: Object.fromEntries(given.filter(([key]) => key !== 'promotable')),
    meta: Object.fromEntries(given.filter(([key]) => key === 'promotable')),
    node: hostname(),
    timeoutMs: ACTION_MS,
    run,
    ...(located.kind === 'lsb' ? { script: readFileSync(located.path, 'utf8') } : {}),
  })) {
    findings.push(finding);
  }
  const broken = findings.filter(({ verdict }) => verdict === 'broken').length;
  const rows = findings.map(({ check, verdict, text, durationMs }) => [
    marks[verdict],
    check,
    durationMs === undefined ? '' : `${durationMs} ms`,
    text,
  ]);
  const verdict = broken === 0 ? 'keeps its contract' : `breaks its contract in ${broken} of ${findings.length} checks`;
  context.answer(findings, () => `${table(rows)}\n\n${formatAgentName(agent)} ${verdict}.`);
  return broken === 0 ? 0 : 1;
}

/** Over when the agent has exited: what it leaves running may keep its pipes open. */
function run(
  command: AgentCommand,
  timeoutMs: number,
): Promise<Pick<ProcessEnded, 'outcome' | 'stdout' | 'stderr' | 'durationMs' | 'startedAt'>> {
  const [program = '', ...rest] = command.argv;
  const begin = performance.now();
  const startedAt = epoch(Date.now());
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      detached: true,
      env: { ...command.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr, hasTimedOut] = ['', '', false];
    child.stdout.on('data', (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-OUTPUT_LENGTH_MAX)));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-OUTPUT_LENGTH_MAX)));
    const deadline = setTimeout(() => {
      hasTimedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    const finish = (outcome: ProcessEnded['outcome']): void => {
      clearTimeout(deadline);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ outcome, stdout, stderr, startedAt, durationMs: Math.round(performance.now() - begin) });
    };
    child.once('error', ({ message, code = 'UNKNOWN' }: NodeJS.ErrnoException) => {
      finish({ type: 'notStarted', code, message });
    });
    child.once('exit', (code, signal) => {
      // What it wrote last is on its way still.
      setTimeout(() => {
        if (hasTimedOut) finish({ type: 'timedOut' });
        else finish(signal === null ? { type: 'exited', code: code ?? 0 } : { type: 'signalled', signal });
      }, 20);
    });
  });
}
