/**
 * Watches the real servers of one ruleset and keeps the kernel's weights in step with their health, until it is ended.
 * Started by the agent: `main.ts RULES HEALTH APPLY…`; changes are handed, as lines for ipvsadm, to the command APPLY, which
 * also remembers what the kernel then has, so that the agent's monitor knows what to expect. The file HEALTH has a line for
 * each server that is down, for the monitor to tell. `main.ts --check` only says whether the ruleset on standard input is
 * understood; `main.ts --changes KERNEL HEALTH` prints the lines that lead from the kernel's rules to the ruleset on standard
 * input.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changes, readHealth } from './changes.ts';
import type { Check } from './check-line.ts';
import { endPrograms, perform } from './checks.ts';
import { commands, Pool, type PoolEvent, type WantedServer } from './pool.ts';
import { checksOf, parseRules, type RealServer, type Rules } from './rules.ts';

const [first = '', second = '', ...rest] = process.argv.slice(2);

/** @throws RulesError, whose message is enough for who has to mend the ruleset. */
function readRules(path: string | 0): Rules {
  try {
    return parseRules(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

const poolsOf = (rules: Rules, health: string): readonly Pool[] =>
  rules.services.map((service) => new Pool(service, readHealth(health, service.name)));

if (first === '--check') {
  readRules(0);
  process.exit(0);
}
if (first === '--changes') {
  const pools = poolsOf(readRules(0), readIfThere(rest[0] ?? ''));
  const rules: Rules = { services: pools.map(({ service }) => service) };
  const wanted = (name: string): readonly WantedServer[] =>
    pools.find(({ service }) => service.name === name)?.wanted(0) ?? [];
  process.stdout.write(
    changes(readIfThere(second), rules, wanted)
      .map((line) => `${line}\n`)
      .join(''),
  );
  process.exit(0);
}

const healthPath = second;
const apply = rest;
const known = readIfThere(healthPath);
const isChanged = existsSync(healthPath);
const pools = poolsOf(readRules(first), known);

interface Watched {
  readonly pool: Pool;
  /** What the kernel has, as far as this program brought it about. */
  present: readonly WantedServer[];
}

const now = (): number => Math.floor(performance.now());

const watched: readonly Watched[] = pools.map((pool) => ({
  pool,
  // The agent has loaded all servers with their full weights; or, when the ruleset was changed, those that were up.
  present: isChanged
    ? pool.wanted(now())
    : pool.service.servers.map(({ address, line, weight }) => ({ address, line, weight })),
}));

// Changes are applied one after the other; a failed one is tried again with the next result.
let turn: Promise<void> = Promise.resolve();

function update(one: Watched): void {
  turn = turn.then(async () => {
    const wanted = one.pool.wanted(now());
    const lines = commands(one.pool.service.name, one.present, wanted);
    if (lines.length === 0) return;
    const problem = await hand(lines);
    if (problem === undefined) one.present = wanted;
    else say(`could not apply: ${problem}`);
  });
}

function hand(lines: readonly string[]): Promise<string | undefined> {
  const [program = '', ...rest] = apply;
  return new Promise((resolve) => {
    const child = execFile(program, rest, { timeout: 10_000 }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || error.message);
    });
    child.stdin?.on('error', () => undefined); // its exit status tells more
    child.stdin?.end(`${lines.join('\n')}\n`);
  });
}

/** For the agent's monitor, which may look at any time: whole, or as it was. */
function writeHealth(): void {
  const lines = watched.flatMap(({ pool }) => pool.describe());
  writeFileSync(`${healthPath}.new`, lines.map((line) => `${line}\n`).join(''));
  renameSync(`${healthPath}.new`, healthPath);
}

function tell({ pool }: Watched, events: readonly PoolEvent[]): void {
  if (events.length > 0) writeHealth();
  for (const { what, service, server, reason } of events) {
    say(`${server ?? 'service'} of ${service} is ${what}: ${reason}`);
    const { notify } = pool.service;
    if (notify === undefined || notify === '') continue;
    const [program = '', ...words] = notify.split(' ');
    execFile(
      program,
      [...words, what, service, ...(server === undefined ? [] : [server])],
      { timeout: 30_000 },
      (error) => {
        if (error !== null) say(`notify: ${error.message}`);
      },
    );
  }
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

function watch(one: Watched, server: RealServer, check: Check, index: number): void {
  const again = (delayMs: number): void => void setTimeout(() => void ask(), delayMs);
  const ask = async (): Promise<void> => {
    const result = await perform(check, server.address, one.pool.service.name);
    tell(one, one.pool.report(server.address, index, result, now()));
    update(one);
    again(one.pool.isInDoubt(server.address, index) ? check.retryMs : check.everyMs);
  };
  // Not all servers at once.
  again(Math.floor(Math.random() * check.warmUpMs));
}

/** How often the folder for servers under maintenance is looked at. */
const maintenanceMs = 1000;

function watchMaintenance(one: Watched, folder: string): void {
  setInterval(() => {
    for (const { address } of one.pool.service.servers) {
      const host = address.replace(/:\d+$/u, '').replaceAll(/[[\]]/gu, '');
      const isResting = [address, host].some((name) => existsSync(join(folder, name)));
      tell(one, one.pool.rest(address, isResting));
    }
    update(one);
  }, maintenanceMs);
}

for (const one of watched) {
  const { service } = one.pool;
  update(one);
  for (const server of service.servers) {
    for (const [index, check] of checksOf(service, server).entries()) watch(one, server, check, index);
  }
  if (service.slowStartMs > 0) setInterval(() => update(one), service.slowStartMs / 10);
  if (service.maintenance !== undefined) watchMaintenance(one, service.maintenance);
}
writeHealth();

process.on('SIGTERM', () => {
  endPrograms();
  process.exit(0);
});
