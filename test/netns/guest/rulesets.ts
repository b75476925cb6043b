/**
 * The director's agents on a kernel with IPVS: rulesets of every kind are loaded as written, found again, and taken out.
 * Run inside a guest by `ipvs.test.ts`; prints a line of JSON for each ruleset, for the test to judge.
 */
import { join } from 'node:path';
import { run, tryRun } from '../../lab/command.ts';
import { root } from '../../support/repository.ts';
import { hostile, rulesets } from './rulesets-list.ts';

const agents = join(root, 'packages', 'ra', 'agents');

async function act(
  agent: string,
  instance: string,
  parameters: Readonly<Record<string, string>>,
  action: string,
): Promise<{ readonly code: number; readonly said: string }> {
  const named = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value] as const);
  const facts = { OCF_RESOURCE_INSTANCE: instance, OCF_RESKEY_CRM_meta_interval: '10000' };
  const environment = { ...process.env, ...facts, ...Object.fromEntries(named) };
  const { code, stderr } = await tryRun([join(agents, agent, agent), action], { environment });
  // Where a program says nothing, what ran it says that it failed.
  return { code, said: stderr.startsWith('Command failed') ? '' : stderr.trim() };
}

const found = (what: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify({ found: what, value })}\n`);

await run(['mkdir', '-p', '/run/resource-agents']);
// Another resource's services, which must be left alone.
await run(['ipvsadm', '-A', '-t', '10.9.9.9:99', '-s', 'rr']);

for (const { name, rules, file } of rulesets) {
  const parameters = file === undefined ? { rules: rules.join('; ') } : { file };
  if (file !== undefined) await run(['sh', '-c', `cat >${file}`], { input: `${rules.join('\n')}\n` });
  const codes: number[] = [];
  const said: string[] = [];
  const take = async (action: string): Promise<void> => {
    const done = await act('ipvs', 'trial', parameters, action);
    codes.push(done.code);
    if (done.said !== '') said.push(`${action}: ${done.said}`);
  };
  for (const action of ['monitor', 'start', 'start', 'monitor']) await take(action);
  const loaded = (await run(['ipvsadm', '-S', '-n'])).split('\n').filter((line) => !/10\.9\.9\.9|^$/u.test(line));
  // Behind the agent's back: one server, or the service, is gone.
  const [last = ''] = loaded.slice(-1);
  const parts = /^-(?<kind>[Aa]) (?<service>(?:-\w|--sctp-service) \S+(?: -6)?)(?: -r (?<server>\S+))?/u.exec(
    last,
  )?.groups;
  await run([
    'sh',
    '-c',
    parts?.['kind'] === 'a'
      ? `ipvsadm -d ${parts['service']} -r ${parts['server']}`
      : `ipvsadm -D ${parts?.['service']}`,
  ]);
  const changed = await act('ipvs', 'trial', parameters, 'monitor');
  for (const action of ['stop', 'stop', 'monitor']) await take(action);
  const left = (await run(['ipvsadm', '-S', '-n'])).trim();
  found(name, { codes, said, loaded: loaded.toSorted(), changed, left });
}

for (const { name, rules } of hostile) {
  const { code, said } = await act('ipvs', 'hostile', { rules }, 'start');
  const left = (await run(['ipvsadm', '-S', '-n'])).trim();
  const stopped = await act('ipvs', 'hostile', { rules }, 'stop');
  found(name, { code, said, left, stopped: stopped.code });
}

// Two resources with the same service: the second is refused, and its stop takes nothing away from the first.
const shared = { rules: '-A -t 10.0.0.100:80 -s rr' };
const shares: unknown[] = [(await act('ipvs', 'one', shared, 'start')).code, await act('ipvs', 'two', shared, 'start')];
shares.push((await act('ipvs', 'two', shared, 'stop')).code, (await act('ipvs', 'one', shared, 'monitor')).code);
shares.push((await act('ipvs', 'one', shared, 'stop')).code);
found('shared service', shares);

// A changed ruleset, while the resource runs: what stays is edited, the rest is added or taken out.
const before = { rules: '-A -t 10.0.0.100:80 -s wlc; -a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 1; -A -f 7 -s rr' };
const after = {
  rules:
    '-A -t 10.0.0.100:80 -s rr; -a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 5; -a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1',
};
const reloaded: unknown[] = [(await act('ipvs', 'changed', before, 'start')).code];
for (const action of ['reload-agent', 'monitor']) reloaded.push(await act('ipvs', 'changed', after, action));
reloaded.push((await run(['ipvsadm', '-S', '-n'])).trim().split('\n').toSorted());
reloaded.push((await act('ipvs', 'changed', { rules: 'nonsense' }, 'reload-agent')).code);
for (const action of ['monitor', 'stop']) reloaded.push((await act('ipvs', 'changed', after, action)).code);
found('reload', reloaded);

// The connection sync: both daemons, or one; again and again; and undone.
const sync = { interface: 'lo', syncid: '7', ttl: '2' };
const steps: unknown[] = [];
for (const action of ['monitor', 'start', 'start', 'monitor'])
  steps.push((await act('ipvs-sync', 'sync', sync, action)).code);
steps.push((await run(['ipvsadm', '-L', '--daemon'])).trim().split('\n').toSorted());
await run(['ipvsadm', '--stop-daemon', 'backup']);
steps.push((await act('ipvs-sync', 'sync', sync, 'monitor')).said);
for (const action of ['stop', 'stop', 'monitor']) steps.push((await act('ipvs-sync', 'sync', sync, action)).code);
found('connection sync', steps);
found('end', true);
