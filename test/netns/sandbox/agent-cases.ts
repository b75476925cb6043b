/**
 * Runs cases of the agents suite inside a sandbox: `node agent-cases.ts FILE ID…`. Each step goes through the local resource
 * manager as in production, with the helper programs answered as by a daemon. Prints one line of JSON a case.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { ocfExitCode, parseAgentName } from '@systole/ra';
import { readCall, runAgentCommand, writeSaid } from '../../../packages/daemon/src/agent-commands/run.ts';
import { VirtualDesk } from '../../../packages/daemon/test/agent-commands/virtual-desk.ts';
import { Executor, ownPlaces } from '../../support/executor.ts';

interface Step {
  readonly do: string;
  readonly [field: string]: unknown;
}

interface Case {
  readonly id: string;
  readonly agent: string;
  readonly prepare?: string | null;
  readonly given?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** Recorded runs have their settings here, not in steps. */
  readonly params?: Readonly<Record<string, string>>;
  readonly meta?: Readonly<Record<string, string | number>>;
  readonly break?: string | null;
}

const words = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

const socket = '/run/systole-agent-cases.sock';
const timeoutMs = 60_000;
const work = '/tmp/work';
mkdirSync(work);
chmodSync(work, 0o777);

const desk = new VirtualDesk();
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const call = readCall(Buffer.concat(chunks));
    if (!call.ok) response.writeHead(400).end(call.error);
    else void runAgentCommand(call.value, desk).then((said) => response.end(writeSaid(said)));
  });
});
await new Promise<void>((resolve) => {
  server.listen(socket, resolve);
});

const [, , file = '', ...ids] = process.argv;
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };

for (const written of cases) {
  if (!ids.includes(written.id)) continue;
  const one = JSON.parse(
    JSON.stringify(written).replaceAll('{work}', work).replaceAll('{nic}', 'eth0').replaceAll('{local}', 'alpha'),
  ) as Case;
  process.stdout.write(`${JSON.stringify({ id: one.id, problems: await runCase(one) })}\n`);
}
// Loop devices are the machine's, not the sandbox's: what these cases attached would stay. Others have theirs.
const own = JSON.stringify(cases.filter(({ id }) => ids.includes(id)));
const usesLoop70 = own.includes('"loop-device"') ? ['/dev/loop70'] : [];
for (const device of new Set([...usesLoop70, ...(own.match(/\/dev\/loop\d+/gu) ?? [])])) {
  spawnSync('losetup', ['-d', device], { stdio: 'ignore' });
}
process.exit(0);

async function runCase(one: Case): Promise<readonly string[]> {
  const { id, agent, prepare, given = {}, steps, params = {}, meta: facts = {} } = one;
  const name = parseAgentName(agent);
  // What breaks a service goes by the name that the recorder gave it.
  const instance = agent.endsWith(':anything') ? 'any' : 'r1';
  if (!name.ok) return [name.error];
  if (typeof prepare === 'string') spawnSync('/bin/bash', ['-c', prepare], { stdio: 'ignore', timeout: timeoutMs });
  const executor = new Executor({ ...ownPlaces(), socket, node: process.execPath });
  const environment = new Map([
    ...Object.entries(given),
    ...Object.entries(params).map(([key, value]) => [`OCF_RESKEY_${key}`, value] as const),
    ...Object.entries(facts).map(([key, value]) => [`OCF_RESKEY_CRM_meta_${key}`, String(value)] as const),
  ]);
  const problems: string[] = [];
  let count = 0;

  const run = (operation: string): Promise<{ readonly code: number | 'timeout'; readonly reason: string }> =>
    new Promise((resolve) => {
      const values = [...environment];
      const strip = (prefix: string): Readonly<Record<string, string>> =>
        Object.fromEntries(
          values.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
        );
      const meta = strip('OCF_RESKEY_CRM_meta_');
      const parameters = Object.fromEntries([
        ...Object.entries(strip('OCF_RESKEY_')).filter(([key]) => !key.startsWith('CRM_meta_')),
        ...values.filter(([key]) => key === 'OCF_CHECK_LEVEL'),
      ]);
      const operationId = `${id} ${(count += 1)}`;
      const resource = environment.get('OCF_RESOURCE_INSTANCE') ?? instance;
      const intervalMs = Number(meta['interval'] ?? 0);
      const stop = executor.listen((effect) => {
        if (effect.type !== 'operationEnded' || effect.operationId !== operationId) return;
        stop();
        const { status, exitCode, exitReason = '' } = effect.record;
        // Each run of a recurring operation is asked for by its own step.
        if (intervalMs > 0) executor.give({ type: 'cancel', resource, operation, intervalMs });
        resolve({ code: status === 2 ? 'timeout' : exitCode, reason: exitReason });
      });
      executor.give({
        type: 'execute',
        operationId,
        resource,
        agent: name.value,
        operation,
        intervalMs,
        timeoutMs,
        parameters,
        meta,
        transitionKey: '1:1:0:test',
        expectedExitCode: 0,
      });
    });

  for (const [index, step] of steps.entries()) {
    const problem = await take(step);
    if (problem !== undefined) problems.push(`step ${index + 1} (${step.do} ${words(step['action'])}): ${problem}`);
  }
  await run('stop');
  executor.close();
  return problems;

  /** A step of a recorded run: an action and the code it ended with. */
  async function takeRecorded(step: Step): Promise<string | undefined> {
    const label = words(step['step']);
    if (label.includes('(broken)') && label.startsWith('monitor') && typeof one.break === 'string') {
      spawnSync('/bin/bash', ['-c', one.break], { stdio: 'ignore' });
    }
    const isRecurring = label.startsWith('monitor');
    environment.set('OCF_RESKEY_CRM_meta_interval', isRecurring ? '10000' : '0');
    if (label.startsWith('notify')) {
      const [, type = '', operation = ''] = /notify (\w+)-(\w+)/.exec(label) ?? [];
      environment.set('OCF_RESKEY_CRM_meta_notify_type', type).set('OCF_RESKEY_CRM_meta_notify_operation', operation);
    }
    const { code, reason } = await run(words(step['action']));
    const recorded = Number(step['rc']);
    // Recorded init scripts ended with codes of their own; no notification ever fails.
    const isScript = name.ok && name.value.class === 'lsb';
    const wanted =
      step['action'] === 'notify' ? 0 : isScript ? ocfExitCode('lsb', words(step['action']), recorded) : recorded;
    return code === wanted ? undefined : `${label} ended with ${code} (${reason}), recorded ${wanted}`;
  }

  async function take(step: Step): Promise<string | undefined> {
    if (step['step'] !== undefined) return takeRecorded(step);
    const text = (field: string): string => words(step[field]);
    switch (step.do) {
      case 'set':
        environment.set(text('name'), text('value'));
        return undefined;
      case 'unset':
        environment.delete(text('name'));
        return undefined;
      case 'agent': {
        const { code, reason } = await run(text('action'));
        return code === step['observed'] ? undefined : `ended with ${code} (${reason}), expected ${text('observed')}`;
      }
      case 'check-address': {
        const family = text('family') === '6' ? '-6' : '-4';
        const shown = execFileSync('ip', [family, '-o', 'address', 'show', 'dev', text('nic')], { encoding: 'utf8' });
        const isThere = shown
          .split('\n')
          .some(
            (line) =>
              line.includes(` ${text('address')} `) &&
              (step['label'] === undefined ||
                line.includes(` ${text('label')}\\`) ||
                line.includes(`${text('label')} `)),
          );
        return isThere === step['present']
          ? undefined
          : `${text('address')} is ${isThere ? '' : 'not '}on ${text('nic')}`;
      }
      case 'address': {
        const more = step['broadcast'] === undefined ? [] : ['broadcast', text('broadcast')];
        execFileSync('ip', [
          'address',
          text('op'),
          text('address'),
          ...(text('op') === 'add' ? more : []),
          'dev',
          text('nic'),
        ]);
        return undefined;
      }
      case 'loop-device':
        if (text('op') === 'detach') spawnSync('losetup', ['-d', '/dev/loop70']);
        return undefined;
      case 'chmod':
        if (step['at_end'] !== true) spawnSync('chmod', [text('mode'), text('path')]);
        return undefined;
      default:
        return `no such step: ${step.do}`;
    }
  }
}
