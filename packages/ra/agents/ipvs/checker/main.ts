/**
 * Watches the real servers of one ruleset and keeps the kernel's weights in step with their health, until SIGTERM.
 * Started by the agent: `main.ts RULES APPLY…`; changes are handed, as lines for ipvsadm, to the command APPLY, which
 * also remembers what the kernel then has, so that the agent's monitor knows what to expect.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { perform } from './checks.ts';
import { checksOf, commands, Pool, type PoolEvent, type WantedServer } from './pool.ts';
import { parseRules, type Check, type RealServer } from './rules.ts';

const [rulesPath = '', ...apply] = process.argv.slice(2);
const rules = parseRules(readFileSync(rulesPath, 'utf8'));

interface Watched {
  readonly pool: Pool;
  /** What the kernel has, as far as this program brought it about. */
  present: readonly WantedServer[];
}

const now = (): number => Math.floor(performance.now());

const watched: readonly Watched[] = rules.services.map((service) => ({
  pool: new Pool(service),
  // The agent has loaded all servers with their full weights.
  present: service.servers.map(({ address, line, weight }) => ({ address, line, weight })),
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

function tell({ pool }: Watched, events: readonly PoolEvent[]): void {
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

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function watch(one: Watched, server: RealServer, check: Check, index: number): void {
  const again = (delayMs: number): void => void setTimeout(() => void ask(), delayMs);
  const ask = async (): Promise<void> => {
    const result = await perform(check, server.address);
    tell(one, one.pool.report(server.address, index, result, now()));
    update(one);
    again(check.everyMs);
  };
  // Spread over the interval, so that the servers are not all asked at once.
  again(Math.floor((check.everyMs * index) / 10) + Math.floor(Math.random() * Math.min(check.everyMs, 200)));
}

for (const one of watched) {
  update(one);
  for (const server of one.pool.service.servers) {
    for (const [index, check] of checksOf(one.pool.service, server).entries()) watch(one, server, check, index);
  }
  if (one.pool.service.slowStartMs > 0) setInterval(() => update(one), one.pool.service.slowStartMs / 10);
}

process.on('SIGTERM', () => void turn.then(() => process.exit(0)));
