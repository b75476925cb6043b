import { describe, expect, test } from 'vitest';
import { runAgentCommand, type Said } from '../../src/agent-commands/run.ts';
import { VirtualDesk } from './virtual-desk.ts';

const words = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '');

/** Runs `program arguments…` on behalf of an instance. */
const run = (desk: VirtualDesk, line: string, instance = ''): Promise<Said> => {
  const [program = '', ...argv] = words(line);
  return runAgentCommand({ program, instance, argv }, desk);
};

const out = async (desk: VirtualDesk, line: string, instance = ''): Promise<readonly string[]> =>
  (await run(desk, line, instance)).out;

describe('promotion scores', () => {
  test('are the attribute master-RESOURCE of this node, without the number of the instance', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute --promotion -v 10', 'db:1');
    expect(desk.requests).toEqual([{ type: 'setAttributes', node: 'alpha', values: { 'master-db': '10' } }]);
    expect(await out(desk, 'crm_attribute -p db -G -Q')).toEqual(['10']);
    expect(await out(desk, 'crm_master -G --quiet', 'db:0')).toEqual(['10']);
  });

  test('by the older program are the same, for any node', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_master -N beta -l reboot -v 7', 'db');
    expect(await out(desk, 'crm_attribute -N beta --promotion=db -G')).toEqual([
      'scope=status  name=master-db value=7',
    ]);
    await run(desk, 'crm_master -N beta -l reboot -D', 'db');
    expect((await run(desk, 'crm_master -N beta -l reboot -G --quiet', 'db')).code).toBe(105);
  });

  test('that are the same as before ask nobody', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute --promotion -v 10', 'db');
    await run(desk, 'crm_attribute --promotion -v 10', 'db');
    expect(desk.requests).toHaveLength(1);
  });
});

describe('attributes of nodes', () => {
  test('last until the node leaves, or for good, as the caller says', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute -N beta -l reboot --name state --update LATEST');
    await run(desk, 'crm_attribute -N beta -l forever -n state -v STREAMING');
    expect(await out(desk, 'crm_attribute -N beta -l reboot -n state -G')).toEqual([
      'scope=status  name=state value=LATEST',
    ]);
    expect(await out(desk, 'crm_attribute -N beta -l forever -n state -q')).toEqual(['STREAMING']);
    expect(desk.cib.configuration.nodes[1]?.attributes[0]?.pairs).toMatchObject([
      { name: 'state', value: 'STREAMING' },
    ]);
  });

  test('may be empty, and are missing with code 105 otherwise', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute -l reboot --name x --update=');
    expect(await run(desk, 'crm_attribute -l reboot --name x -G -q')).toEqual({ code: 0, out: [''], errors: [] });
    expect(await run(desk, 'crm_attribute -l reboot --name y -G -q')).toEqual({ code: 105, out: [], errors: [] });
    expect(await out(desk, 'crm_attribute -l reboot --name y -G -q -d none')).toEqual(['none']);
  });

  test('of the cluster are its options, in a set of the caller’s if it names one', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute --type crm_config --name db_REPL_INFO -s redis_replication -v beta');
    expect(desk.cib.configuration.options).toMatchObject([
      { id: 'redis_replication', pairs: [{ name: 'db_REPL_INFO', value: 'beta' }] },
    ]);
    expect(
      await out(desk, 'crm_attribute --type crm_config --name db_REPL_INFO -s redis_replication --query -q'),
    ).toEqual(['beta']);
  });

  test('can be utilization', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute -N alpha -n memory -v 512 -z');
    expect(desk.cib.configuration.nodes[0]?.utilization[0]?.pairs).toMatchObject([{ name: 'memory', value: '512' }]);
  });
});

describe('attrd_updater', () => {
  test('sets at once, or when the value has come to rest', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'attrd_updater -n pingd -v 100 -d 5s');
    expect(desk.requests).toEqual([{ type: 'setAttributes', node: 'alpha', values: { pingd: '100' }, dampenMs: 5000 }]);
    await run(desk, 'attrd_updater -p -n db-gtid -U 0-1-5');
    expect(await out(desk, 'attrd_updater -p -N alpha -n db-gtid -Q')).toEqual([
      'name="db-gtid" host="alpha" value="0-1-5"',
    ]);
  });

  test('counts up, and answers for all nodes or none', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'attrd_updater -n c -U value++');
    await run(desk, 'attrd_updater -n c -U value+=5 -N alpha');
    await run(desk, 'attrd_updater -n c -U 1 -N beta');
    expect(await out(desk, 'attrd_updater -n c -Q -A')).toEqual([
      'name="c" host="alpha" value="6"',
      'name="c" host="beta" value="1"',
    ]);
    expect((await run(desk, 'attrd_updater -n none -Q')).code).toBe(105);
    await run(desk, 'attrd_updater -n c -D');
    expect((await run(desk, 'attrd_updater -n c -Q')).code).toBe(105);
  });
});

describe('crm_node', () => {
  test.for([
    ['-n', 'alpha'],
    ['-i', '1'],
    ['-p', 'alpha beta'],
    ['-q', '1'],
    ['-N 2', 'beta'],
  ] as const)('%s is %s', async ([options, answer]) => {
    expect(await out(new VirtualDesk(), `crm_node ${options}`)).toEqual([answer]);
  });

  test('lists ids, names and states', async () => {
    expect(await out(new VirtualDesk(), 'crm_node -l')).toEqual(['1 alpha member', '2 beta member']);
  });
});

describe('crm_mon', () => {
  test('has attributes in the order that agents search for', async () => {
    const xml = (await out(new VirtualDesk(), 'crm_mon -1 --output-as=xml')).join('\n');
    // The patterns of redis, galera and pgsql.
    expect(xml).toMatch(
      /resource.*id="db".* role="(Promoted|Master)".* active="true".* orphaned="false".* failed="false"/,
    );
    expect(xml).toMatch(/<node name="beta" .* online="true"/);
    expect(xml.startsWith('<?xml version="1.0"?>\n<pacemaker-result ')).toBe(true);
    expect((await out(new VirtualDesk(), 'crm_mon -1X')).join('\n')).toContain('<crm_mon ');
  });
});

describe('cibadmin', () => {
  test('prints the whole, or what a path selects', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_attribute -N beta -l reboot -n cookie -v rabbit@beta');
    expect((await out(desk, 'cibadmin -Q'))[0]).toMatch(/^<cib /);
    const found = await runAgentCommand(
      {
        program: 'cibadmin',
        instance: '',
        argv: ['-Q', '--xpath', "//node_state[@crmd='online']//nvpair[@name='cookie']"],
      },
      desk,
    );
    expect(found.out.join('')).toMatch(/<nvpair .*name="cookie" value="rabbit@beta"/);
    expect((await run(desk, "cibadmin -Q --xpath //nvpair[@name='nothing']")).code).toBe(105);
    expect((await run(desk, 'cibadmin -Q --xpath //nvpair[position()=1]')).code).toBe(64);
  });

  test('does not write', async () => {
    expect((await run(new VirtualDesk(), 'cibadmin --replace')).code).toBe(64);
  });
});

describe('crm_resource', () => {
  test('reads and sets parameters, meta attributes and utilization', async () => {
    const desk = new VirtualDesk();
    expect(await out(desk, 'crm_resource -r web -g delay')).toEqual(['5']);
    await run(desk, 'crm_resource -r web -z -p cpu -v 2');
    expect(await out(desk, 'crm_resource -Q -r web -z -g cpu')).toEqual(['2']);
    await run(desk, 'crm_resource -r web --utilization --delete-parameter=cpu');
    expect((await run(desk, 'crm_resource -Q -r web -z -g cpu')).code).toBe(105);
    expect((await run(desk, 'crm_resource -r nothing -g delay')).code).toBe(105);
  });

  test('bans a resource from a node, and clears that', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'crm_resource --ban -r web -N beta -Q');
    expect(desk.cib.configuration.constraints).toMatchObject([
      { id: 'cli-ban-web-on-beta', node: 'beta', resource: 'web' },
    ]);
    await run(desk, 'crm_resource -U -r web');
    expect(desk.cib.configuration.constraints).toEqual([]);
  });

  test('says where a resource runs', async () => {
    const desk = new VirtualDesk();
    expect(await out(desk, 'crm_resource -W -r db')).toEqual(['resource db is running on: beta Promoted']);
    expect(await out(desk, 'crm_resource --locate --resource web')).toEqual(['resource web is NOT running']);
  });
});

describe('the rest', () => {
  test('standby is off unless it is on', async () => {
    const desk = new VirtualDesk();
    expect(await out(desk, 'crm_standby -G -Q')).toEqual(['off']);
    await run(desk, 'crm_standby -v on -N beta');
    expect(await out(desk, 'crm_standby -N beta -G -Q')).toEqual(['on']);
  });

  test('fail counts of all operations are added', async () => {
    const desk = new VirtualDesk();
    await run(desk, 'attrd_updater -n fail-count-web#monitor_10000 -U 2');
    await run(desk, 'attrd_updater -n fail-count-web#start_0 -U INFINITY');
    expect(await out(desk, 'crm_failcount -r web -G -Q')).toEqual(['INFINITY']);
    expect(await out(desk, 'crm_failcount -r web -n monitor -I 10s -G')).toEqual([
      'scope=status  name=fail-count-web value=2',
    ]);
    await run(desk, 'crm_failcount -r web -D');
    expect(desk.requests.at(-1)).toEqual({ type: 'cleanUp', resource: 'web', node: 'alpha', isWhole: false });
  });

  test('tickets, errors, fencing and what does not exist', async () => {
    const desk = new VirtualDesk();
    expect(await out(desk, 'crm_ticket -t gold -G granted')).toEqual(['true']);
    expect(await out(desk, 'crm_error -X 105')).toEqual(['No such object']);
    await run(desk, 'stonith_admin --reboot=beta --tag controld');
    expect(desk.requests).toEqual([{ type: 'fence', target: 'beta', action: 'reboot', user: 'controld' }]);
    expect((await run(desk, 'crm_verify')).code).toBe(3);
    expect((await run(desk, 'crm_attribute --no-such-option')).code).toBe(64);
  });
});
