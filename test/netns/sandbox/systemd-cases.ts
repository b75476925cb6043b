/**
 * Units of systemd under our executor, and our daemon under systemd. Run in a sandbox whose first process is systemd, by
 * `systemd.test.ts`: `systemd-cases.ts units|daemon`. Prints a line of JSON for each thing found out.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperationEnded } from '@systole/lrm';
import { parseAgentName } from '@systole/ra';
import { run, tryRun, until } from '../../lab/command.ts';
import { Executor, ownPlaces } from '../../support/executor.ts';
import { root } from '../../support/repository.ts';

const found = (what: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify({ found: what, value })}\n`);

// -- units --------------------------------------------------------------------------------------------------------

const units: Readonly<Record<string, string>> = {
  'lab@.service': `[Unit]
Description=Lab %i
[Service]
Type=exec
Restart=always
RestartSec=0
ExecStart=/bin/sleep infinity
`,
  'slow@.service': `[Unit]
Description=takes its time
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sleep %i
ExecStop=/bin/sleep %i
`,
  'broken.service': '[Service]\nType=exec\nExecStart=/nowhere/to/be/found\n',
  'both.service': '[Service]\nExecStart=/bin/sleep infinity\n',
  'lab.socket': '[Socket]\nListenStream=/run/lab.socket\nAccept=yes\n',
};

const show = async (unit: string, property: string): Promise<string> =>
  (await run(['systemctl', 'show', '--value', `--property=${property}`, '--', unit])).trim();

async function unitCases(): Promise<void> {
  for (const [name, text] of Object.entries(units)) writeFileSync(join('/etc/systemd/system', name), text);
  writeFileSync('/etc/init.d/both', '#!/bin/sh\n[ $1 = status ] && exit 3\necho "$1" >>/run/both.log\n');
  chmodSync('/etc/init.d/both', 0o755);
  await run(['systemctl', 'daemon-reload']);

  const executor = new Executor(ownPlaces());
  let count = 0;
  /** `exit code, status` of an operation, and how long it took. */
  const operate = (
    agent: string,
    operation: string,
    more: { readonly timeoutMs?: number; readonly resource?: string } = {},
  ) =>
    new Promise<{ readonly result: string; readonly reason: string; readonly ms: number }>((resolve) => {
      count += 1;
      const operationId = `op ${count}`;
      const { timeoutMs = 20_000, resource = agent.replace(/[:@]/g, '_') } = more;
      const stop = executor.listen((effect) => {
        if (effect.type !== 'operationEnded' || effect.operationId !== operationId) return;
        stop();
        const { record }: OperationEnded = effect;
        const ms = record.execMs ?? 0;
        resolve({ result: `${record.exitCode} ${record.status}`, reason: record.exitReason ?? '', ms });
      });
      const parsed = parseAgentName(agent);
      if (!parsed.ok) throw new Error(parsed.error);
      executor.give({
        type: 'execute',
        operationId,
        resource,
        agent: parsed.value,
        operation,
        intervalMs: 0,
        timeoutMs,
        parameters: {},
        meta: {},
        transitionKey: '1:1:0:test',
        expectedExitCode: 0,
      });
    });
  const results = async (agent: string, ...operations: readonly string[]): Promise<string> => {
    const all: string[] = [];
    for (const operation of operations) all.push((await operate(agent, operation)).result);
    return all.join(', ');
  };

  found(
    'a template: probe, start, again, monitor',
    await results('systemd:lab@3', 'monitor', 'start', 'start', 'monitor'),
  );
  found('while it runs under us', {
    restart: await show('lab@3', 'Restart'),
    before: (await show('lab@3', 'Before')).includes('systoled.service'),
    description: await show('lab@3', 'Description'),
    dropIn: existsSync('/run/systemd/system/lab@3.service.d/50-systole.conf'),
  });
  await run(['systemctl', 'kill', '-s', 'KILL', 'lab@3']);
  await until('it is dead', async () => (await show('lab@3', 'ActiveState')) === 'failed');
  found(
    'after its death: monitor, start, monitor, stop, again, probe',
    await results('systemd:lab@3', 'monitor', 'start', 'monitor', 'stop', 'stop', 'monitor'),
  );
  found('once it is stopped', {
    restart: await show('lab@3', 'Restart'),
    dropIn: existsSync('/run/systemd/system/lab@3.service.d'),
  });
  found('a unit that is not there: probe, start, stop', await results('systemd:none', 'monitor', 'start', 'stop'));
  found('a unit whose program is not there: start', (await operate('systemd:broken', 'start')).result);
  found(
    'a socket: probe, start, monitor, stop',
    await results('systemd:lab.socket', 'monitor', 'start', 'monitor', 'stop'),
  );

  const slow = operate('systemd:slow@2', 'start');
  await until('it is on its way', async () => (await show('slow@2', 'ActiveState')) === 'activating');
  const probe = await operate('systemd:slow@2', 'monitor', { resource: 'probe' });
  found('a unit on its way is waited for', { probe: probe.result, start: (await slow).result });
  await run(['systemctl', 'start', '--no-block', 'slow@30']);
  await until('it is on its way', async () => (await show('slow@30', 'ActiveState')) === 'activating');
  const late = await operate('systemd:slow@30', 'monitor', { timeoutMs: 1500 });
  found('one that stays on its way has failed', { result: late.result, reason: late.reason });

  found('a service is the init script where there is one: start', await results('service:both', 'start'));
  found('its script ran', readFileSync('/run/both.log', 'utf8').trim());
  found('else the unit: start, monitor, stop', await results('service:lab@7', 'start', 'monitor', 'stop'));
  executor.close();
}

// -- the daemon ---------------------------------------------------------------------------------------------------

async function daemonCases(): Promise<void> {
  const node = process.execPath;
  mkdirSync('/usr/lib/systole/bin', { recursive: true });
  const program = join(root, 'packages', 'daemon', 'bin', 'systoled.js');
  writeFileSync('/usr/lib/systole/bin/systoled', `#!/bin/sh\nexec ${node} ${program} "$@"\n`);
  chmodSync('/usr/lib/systole/bin/systoled', 0o755);
  writeFileSync('/etc/systemd/system/systoled.service', readFileSync(join(root, 'packaging', 'systoled.service')));
  await run(['systemctl', 'daemon-reload']);
  const shell = join(root, 'packages', 'cli', 'bin', 'systole.js');
  const systole = async (...words: readonly string[]) => tryRun([node, shell, ...words]);
  const must = async (...words: readonly string[]): Promise<string> => run([node, shell, ...words]);

  found(
    'verified',
    (await tryRun(['systemd-analyze', 'verify', '/etc/systemd/system/systoled.service'])).stderr.trim(),
  );
  await must('cluster', 'init', '--name', 'trial', '--address', '127.0.0.1', '--nodes', 'alpha');
  await must('cluster', 'enable');
  found('enabled', (await tryRun(['systemctl', 'is-enabled', 'systoled'])).stdout.trim());
  await must('cluster', 'start');
  // systemd comes back when the daemon has said that it is ready, and then it is.
  found('started', {
    active: (await tryRun(['systemctl', 'is-active', 'systoled'])).stdout.trim(),
    answers: (await systole('status')).code,
  });
  found('status', await show('systoled', 'StatusText'));
  await must('cluster', 'wait_for_startup', '30s');

  const file = '/run/cluster.crm';
  writeFileSync(
    file,
    'primitive sleeper ocf:heartbeat:anything params binfile=/bin/sleep cmdline_options=1000 pidfile=/run/sleeper.pid op monitor interval=5s\nproperty fencing-enabled=false\n',
  );
  await must('configure', 'load', 'update', file);
  const isStarted = async (): Promise<boolean> => /sleeper.*Started/.test((await systole('status')).stdout);
  await until('it runs', isStarted);
  const sleeper = readFileSync('/run/sleeper.pid', 'utf8').trim();
  const daemon = await show('systoled', 'MainPID');
  await run(['systemctl', 'kill', '--kill-whom=main', '-s', 'KILL', 'systoled']);
  await until('another daemon runs', async () => {
    const next = await show('systoled', 'MainPID');
    return next !== '0' && next !== daemon && (await show('systoled', 'ActiveState')) === 'active';
  });
  await must('cluster', 'wait_for_startup', '30s');
  await until('it knows the service', isStarted);
  found('a killed daemon comes back, and its service has not noticed', {
    same: readFileSync('/run/sleeper.pid', 'utf8').trim() === sleeper && existsSync(`/proc/${sleeper}`),
    restarts: await show('systoled', 'NRestarts'),
  });
  await must('cluster', 'stop');
  await until('it has left', async () => (await show('systoled', 'ActiveState')) === 'inactive');
  found('stopped', { result: await show('systoled', 'Result'), sleeper: existsSync(`/proc/${sleeper}`) });
  await must('cluster', 'disable');
  found('disabled', (await tryRun(['systemctl', 'is-enabled', 'systoled'])).stdout.trim());
}

try {
  await (process.argv[2] === 'daemon' ? daemonCases() : unitCases());
  found('end', true);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
  process.exitCode = 1;
}
