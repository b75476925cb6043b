/**
 * From the rules that the kernel has to those of a changed ruleset, without interrupting what stays: a service is edited, not
 * taken out and added again, and so are its servers.
 */
import { withWeight, type WantedServer } from './pool.ts';
import { parseRules, type Rules } from './rules.ts';

/** `kernel` is what `ipvsadm -S -n` prints of the services of the old ruleset; `wanted` the servers of each new service. */
export function changes(
  kernel: string,
  rules: Rules,
  wanted: (service: string) => readonly WantedServer[],
): readonly string[] {
  const old = new Map(parseRules(kernel).services.map((service) => [service.name, service]));
  const kept = new Set(rules.services.map(({ name }) => name));
  const gone = [...old.keys()].filter((name) => !kept.has(name)).map((name) => `-D ${name}`);
  const lines = rules.services.flatMap(({ name, line }) => {
    const before = old.get(name);
    const has = new Set(before?.servers.map(({ address }) => address));
    const servers = wanted(name);
    return [
      before === undefined ? line : edited(line),
      ...servers.map((server) => {
        const added = withWeight(server.line, server.weight);
        return has.has(server.address) ? edited(added) : added;
      }),
      ...[...has]
        .filter((address) => servers.every((server) => server.address !== address))
        .map((address) => `-d ${name} -r ${address}`),
    ];
  });
  return [...gone, ...lines];
}

const edited = (line: string): string =>
  line.replace(/^(?:-A|--add-service)\b/u, '-E').replace(/^(?:-a|--add-server)\b/u, '-e');

/** What a checker wrote down of servers that are down, by service: `ADDRESS of SERVICE is down: REASON`. */
export function readHealth(text: string, service: string): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const line of text.split('\n')) {
    const {
      address = '',
      name,
      reason = '',
    } = /^(?<address>\S+) of (?<name>.+?) is down: (?<reason>.*)$/u.exec(line)?.groups ?? {};
    if (name === service) known.set(address, reason);
  }
  return known;
}
