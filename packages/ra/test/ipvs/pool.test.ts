import { describe, expect, test } from 'vitest';
import { changes, readHealth } from '../../agents/ipvs/checker/changes.ts';
import { commands, Pool } from '../../agents/ipvs/checker/pool.ts';
import { parseRules } from '../../agents/ipvs/checker/rules.ts';
import { RulesError } from '../../agents/ipvs/checker/words.ts';

const service = (directives = '') =>
  parseRules(`
    -A -t 10.0.0.100:80 -s wlc
    check http path=/health every=2s down=2 up=2
    ${directives}
    -a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 3
    -a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1
  `).services[0];

function pool(directives = ''): Pool {
  const parsed = service(directives);
  if (parsed === undefined) throw new Error('the ruleset has a service');
  return new Pool(parsed);
}

const first = '10.0.0.11:80';
const second = '10.0.0.12:80';
const fails = { ok: false, reason: 'status 500' };
const passes = { ok: true, reason: 'answers' };
const weights = (of: Pool, now = 0) =>
  Object.fromEntries(of.wanted(now).map(({ address, weight }) => [address, weight]));

const down = (of: Pool, address: string, now = 0) => [
  ...of.report(address, 0, fails, now),
  ...of.report(address, 0, fails, now),
];
const up = (of: Pool, address: string, now = 0) => [
  ...of.report(address, 0, passes, now),
  ...of.report(address, 0, passes, now),
];

describe('a pool of real servers', () => {
  test('takes a server out after as many failures in a row as the check says, and back in after successes', () => {
    const servers = pool();
    servers.report(first, 0, fails, 0);
    servers.report(first, 0, passes, 0);
    servers.report(first, 0, fails, 0);
    expect(weights(servers)).toEqual({ [first]: 3, [second]: 1 });
    expect(servers.report(first, 0, fails, 0)).toEqual([
      { what: 'down', service: '-t 10.0.0.100:80', server: first, reason: 'status 500' },
    ]);
    expect(weights(servers)).toEqual({ [second]: 1 });
    up(servers, first);
    expect(weights(servers)).toEqual({ [first]: 3, [second]: 1 });
  });

  test('quiesces a server by weight 0 where its connections shall go on', () => {
    const servers = pool('on-down quiesce');
    down(servers, first);
    expect(weights(servers)).toEqual({ [first]: 0, [second]: 1 });
  });

  test('puts the sorry server alone in when too few are up, and tells', () => {
    const servers = pool('quorum 2\nsorry 127.0.0.1:8080');
    expect(down(servers, first).at(-1)).toMatchObject({ what: 'down', service: '-t 10.0.0.100:80' });
    expect(servers.wanted(0)).toEqual([
      { address: '127.0.0.1:8080', weight: 1, line: '-a -t 10.0.0.100:80 -r 127.0.0.1:8080 -g -w 1' },
    ]);
    up(servers, first);
    expect(weights(servers)).toEqual({ [first]: 3, [second]: 1 });
  });

  test('changes its mind about the quorum only beyond the hysteresis', () => {
    const servers = pool('quorum 3 hysteresis=1\nsorry 127.0.0.1:8080');
    expect(servers.hasQuorum).toBe(true);
    down(servers, second); // 3 are left
    expect(servers.hasQuorum).toBe(true);
    down(servers, first);
    expect(servers.hasQuorum).toBe(false);
    up(servers, first); // 3 again, 4 are needed to come back
    expect(servers.hasQuorum).toBe(false);
    up(servers, second);
    expect(servers.hasQuorum).toBe(true);
  });

  test('lets a server that comes back start slowly', () => {
    const servers = pool('slow-start 10s');
    down(servers, first, 1000);
    up(servers, first, 2000);
    expect(weights(servers, 2000)[first]).toBe(1);
    expect(weights(servers, 7000)[first]).toBe(1); // 3 × 6/10
    expect(weights(servers, 9000)[first]).toBe(2);
    expect(weights(servers, 12_000)[first]).toBe(3);
  });

  test('takes the weight that a script answers with', () => {
    const servers = pool();
    servers.report(first, 0, { ...passes, weight: 7 }, 0);
    expect(weights(servers)[first]).toBe(7);
  });

  test('takes the least weight that a check says, and forgets it only when that check says otherwise', () => {
    const parsed = parseRules(
      '-A -t 10.0.0.100:80\ncheck tcp\ncheck script run=/load\ncheck file path=/weight\n-a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 9',
    ).services[0];
    if (parsed === undefined) throw new Error('the ruleset has a service');
    const servers = new Pool(parsed);
    servers.report(first, 1, { ...passes, weight: 5 }, 0);
    servers.report(first, 2, { ...passes, weight: 7 }, 0);
    servers.report(first, 0, passes, 0);
    expect(weights(servers)).toEqual({ [first]: 5 });
    servers.report(first, 1, passes, 0);
    expect(weights(servers)).toEqual({ [first]: 7 });
  });

  test('looks again soon while it is in doubt', () => {
    const servers = pool();
    expect(servers.isInDoubt(first, 0)).toBe(false);
    servers.report(first, 0, fails, 0);
    expect(servers.isInDoubt(first, 0)).toBe(true);
    servers.report(first, 0, fails, 0);
    expect(servers.isInDoubt(first, 0)).toBe(false);
    servers.report(first, 0, passes, 0);
    expect(servers.isInDoubt(first, 0)).toBe(true);
  });

  test('lets a server rest: no new connections, and it does not count for the quorum', () => {
    const servers = pool('quorum 2\nsorry 127.0.0.1:8080');
    servers.rest(second, true);
    expect(weights(servers)).toEqual({ [first]: 3, [second]: 0 });
    expect(servers.rest(first, true)).toMatchObject([{ what: 'down' }]);
    expect(weights(servers)).toEqual({ '127.0.0.1:8080': 1 });
    servers.rest(first, false);
    expect(weights(servers)).toEqual({ [first]: 3, [second]: 0 });
  });

  test('keeps the servers with weight 0 beside the sorry server where connections shall go on', () => {
    const servers = pool('on-down quiesce\nsorry 10.0.0.9:80 -i --tun-type gre');
    down(servers, first);
    down(servers, second);
    expect(weights(servers)).toEqual({ '10.0.0.9:80': 1, [first]: 0, [second]: 0 });
    expect(servers.wanted(0)[0]?.line).toBe('-a -t 10.0.0.100:80 -r 10.0.0.9:80 -i --tun-type gre -w 1');
  });

  test('says who is down and why, and who was down stays so for who looks next', () => {
    const servers = pool();
    expect(servers.describe()).toEqual([]);
    down(servers, first);
    down(servers, second);
    const said = servers.describe();
    expect(said).toEqual([
      'without quorum -t 10.0.0.100:80: servers that are up have a weight of 0; 1 are wanted',
      `${first} of -t 10.0.0.100:80 is down: status 500`,
      `${second} of -t 10.0.0.100:80 is down: status 500`,
    ]);
    const parsed = service();
    if (parsed === undefined) throw new Error('the ruleset has a service');
    const next = new Pool(parsed, readHealth(said.join('\n'), parsed.name));
    expect(next.describe()).toEqual(said);
    up(next, first);
    expect(weights(next)).toEqual({ [first]: 3 });
  });

  test('starts empty where servers are taken to be down at first', () => {
    const servers = pool('down-at-first');
    expect(servers.wanted(0)).toEqual([]);
    up(servers, second);
    expect(weights(servers)).toEqual({ [second]: 1 });
  });
});

describe('the lines for ipvsadm', () => {
  test('add, change and remove just what differs', () => {
    const servers = pool();
    const before = servers.wanted(0);
    servers.report(first, 0, { ...passes, weight: 9 }, 0);
    down(servers, second);
    const after = servers.wanted(0);
    expect(commands('-t 10.0.0.100:80', before, after)).toEqual([
      '-e -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 9',
      '-d -t 10.0.0.100:80 -r 10.0.0.12:80',
    ]);
    expect(commands('-t 10.0.0.100:80', after, before)).toEqual([
      '-e -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 3',
      '-a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1',
    ]);
    expect(commands('-t 10.0.0.100:80', before, before)).toEqual([]);
  });
});

describe('a changed ruleset', () => {
  test('edits what stays, adds what is new and takes out what is gone', () => {
    const kernel = [
      '-A -t 10.0.0.100:80 -s wlc',
      '-a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 3',
      '-a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1',
      '-A -f 7 -s rr',
    ].join('\n');
    const rules = parseRules(
      '-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 5\n-a -t 10.0.0.100:80 -r 10.0.0.13:80 -g -w 1\n-A -u 10.0.0.100:53 -s rr',
    );
    const pools = new Map(rules.services.map((one) => [one.name, new Pool(one)]));
    expect(changes(kernel, rules, (name) => pools.get(name)?.wanted(0) ?? [])).toEqual([
      '-D -f 7',
      '-E -t 10.0.0.100:80 -s rr',
      '-e -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 5',
      '-a -t 10.0.0.100:80 -r 10.0.0.13:80 -g -w 1',
      '-d -t 10.0.0.100:80 -r 10.0.0.11:80',
      '-A -u 10.0.0.100:53 -s rr',
    ]);
  });
});

describe('a ruleset', () => {
  test('may be what ipvsadm -S printed, for every kind of service', () => {
    const { services } = parseRules(
      '-A -u 10.0.0.100:53 -s rr -o; -a -u 10.0.0.100:53 -r 10.0.0.11:53 -m -w 1\n-A -f 7 -s sh; -A -t [fd00::1]:80 -s rr -p 300',
    );
    expect(services.map(({ name }) => name)).toEqual(['-u 10.0.0.100:53', '-f 7', '-t [fd00::1]:80']);
    expect(services[0]?.servers[0]).toMatchObject({ address: '10.0.0.11:53', weight: 1, checks: [] });
  });

  test('gives a server its own checks in place of those of the service', () => {
    const { services } = parseRules(
      '-A -t 1.2.3.4:80\ncheck tcp\n-a -t 1.2.3.4:80 -r 1.1.1.1:80\ncheck smtp port=25 timeout=1min',
    );
    expect(services[0]?.checks[0]).toMatchObject({ kind: 'tcp', everyMs: 5000, timeoutMs: 3000, down: 3, up: 1 });
    expect(services[0]?.servers[0]?.checks[0]).toMatchObject({
      kind: 'smtp',
      timeoutMs: 60_000,
      options: { port: '25' },
    });
  });

  test.for<[string, string]>([
    ['check tcp', 'line 1: "check" must stand below a service (-A …)'],
    ['-A -s rr', 'line 1: names no service: -t, -u, --sctp-service or -f'],
    ['-a -t 1.2.3.4:80 -r 1.1.1.1:80', 'line 1: a server of -t 1.2.3.4:80, but no -A line for that service'],
    ['-A -t 1.2.3.4:80\n-A -t 1.2.3.4:80', 'line 2: the service -t 1.2.3.4:80 is there already'],
    [
      '-A -t 1.2.3.4:80\ncheck telnet',
      'line 2: no check is called "telnet"; there are tcp, http, https, smtp, submission, ftp, imap, imaps, pop, pops, nntp, ldap, ldaps, mysql, pgsql, redis, sip, dns, udp, ping, script, file',
    ],
    ['-A -t 1.2.3.4:80\ncheck tcp port=high', 'line 2: "high" is not a whole number'],
    ['-A -t 1.2.3.4:80\ncheck http status=2xx', 'line 2: "2xx" names no status; write 200-299,304'],
    ['-A -t 1.2.3.4:80\ncheck tcp tls=maybe', 'line 2: "maybe" is not yes or no'],
    ['-A -t 1.2.3.4:80\ncheck tcp down=0', 'line 2: down must be more than 0'],
    ['-A -f 7\ncheck tcp\n-a -f 7 -r 1.1.1.1', 'line 2: 1.1.1.1 has no port: say which to check, by port=NUMBER'],
    [
      '-A -t 1.2.3.4:80\n-a -t 1.2.3.4:80 -r 1.1.1.1:80\n-a -t 1.2.3.4:80 -r 1.1.1.1:80',
      'line 3: -t 1.2.3.4:80 has the server 1.1.1.1:80 already',
    ],
    ['-A -t 1.2.3.4:80\ncheck tcp every=soon', 'line 2: "soon" is not a time; write 500ms, 5s or 1min'],
    [
      '-A -t 1.2.3.4:80\nfrobnicate',
      'line 2: "frobnicate" is not known; a line begins with -A, -a, check, sorry, quorum, on-down, slow-start, down-at-first, maintenance or notify',
    ],
  ])('that is wrong is refused with its line: %s', ([text, message]) => {
    expect(() => parseRules(text)).toThrow(new RulesError(Number(message.slice(5, 6)), message.slice(8)));
  });
});
