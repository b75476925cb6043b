/** Every way in which the agents of Debian's resource-agents call the helper programs is understood. */
import { describe, expect, test } from 'vitest';
import { runAgentCommand } from '../../src/agent-commands/run.ts';
import { VirtualDesk } from './virtual-desk.ts';

/** As in the agents, with their variables filled in; `_` is a blank within a word. */
const calls: Readonly<Record<string, readonly string[]>> = {
  'galera and its like': [
    'crm_attribute -N alpha -l reboot --name db-bootstrap -v true',
    'crm_attribute -N alpha -l reboot --name db-bootstrap --quiet',
    'crm_attribute -N alpha -l reboot --name db-last-committed --quiet',
    'crm_attribute -N alpha -l reboot --name db-last-committed -D',
    'crm_attribute -N beta -l reboot --name db-safe-to-bootstrap --quiet',
    'crm_master -v 100 -l reboot',
    'crm_master -l reboot -D',
  ],
  'mariadb, mysql': [
    'attrd_updater -p -n db-gtid -U 0-1-7',
    'attrd_updater -p -N beta -n db-gtid -Q',
    'attrd_updater -n db-gtid -N beta -D',
    'attrd_updater -p -n db-waiting-for-first-master -U true',
    'attrd_updater -p -n db-waiting-for-first-master -Q',
    'attrd_updater -n db-waiting-for-first-master -D',
    'attrd_updater -p --name readable --node alpha --update 1',
    'attrd_updater -p --name readable --node alpha --query',
    'crm_attribute --type crm_config --name db_REPL_INFO -s mysql_replication -v alpha|bin.1|4',
    'crm_attribute --type crm_config --name db_REPL_INFO -s mysql_replication --query -q',
    'crm_attribute -l forever --node=alpha -n IP -v 10.0.0.1',
    'crm_master -Q -l reboot -v 5',
  ],
  pgsql: [
    'attrd_updater -n pgsql-receiver-status -v normal',
    'attrd_updater -n pgsql-receiver-status -v normal_(master)',
    'attrd_updater -n pgsql-receiver-status -D',
    'crm_attribute -l reboot -N beta -n pgsql-status -v HS:sync',
    'crm_attribute -l reboot -N beta -n pgsql-status -G -q',
    'crm_attribute -l forever -N beta -n pgsql-data-status -v STREAMING|SYNC',
    'crm_attribute -l forever -N beta -n pgsql-data-status -G -q',
    'crm_master -l reboot -v 1000',
    'crm_attribute -p -v -INFINITY',
    'crm_attribute -p -v 1000',
    'crm_attribute -l reboot -N alpha -n pgsql-master-baseline -D',
    'crm_attribute -l reboot -N alpha -n pgsql-xlog-loc -D',
    'crm_master -l reboot -N beta -v -INFINITY',
    'crm_mon -1 --output-as=xml',
    'crm_mon -1 --as-xml',
    'crm_mon -n -1',
    'crm_node -l',
    'crm_resource --resource web -W',
  ],
  redis: [
    'crm_attribute --type crm_config --name redis_REPL_INFO -s redis_replication -v beta',
    'crm_attribute --type crm_config --name redis_REPL_INFO -s redis_replication --query -q',
    'crm_attribute --node beta -l forever --name redis-tunnel-port --query -q',
    'crm_master -N alpha -l reboot -v 1000',
    'crm_master -N alpha -l reboot -G --quiet',
    'crm_master -N alpha -l reboot -D',
  ],
  rabbitmq: [
    'crm_attribute -N alpha -l reboot --name rabbit-start-time --update 17',
    'crm_attribute -N alpha -l reboot --name rabbit-master --query',
    'crm_attribute -N alpha -l reboot --name rabbit-master --delete',
    'crm_attribute -N alpha -l forever --query --name rmq-last-known -q',
    "cibadmin -Q --xpath //node_state[@crmd='online']//nvpair[@name='rmq-node']",
    "cibadmin -Q --xpath //node_state//nvpair[@name='rmq-node']",
    'crm_node -l -p',
    'crm_node -p',
    'crm_node -q',
    'crm_node -i',
    'crm_node -n',
  ],
  'what else there is': [
    'crm_attribute --quiet -t nodes --node alpha -z -n hv_memory',
    'crm_attribute -t nodes --node alpha -z -n hv_memory -v 512',
    'crm_attribute --type nodes --node alpha -n maintenance -G -q',
    'crm_attribute --lifetime=reboot --name=pending --node=alpha -v 1',
    'crm_attribute -n runs_ers -v 1 -l reboot',
    'crm_resource -r web -z -p cpu -v 2',
    'crm_resource -Q -r web -z -g cpu',
    'crm_resource --resource=web --utilization --delete-parameter=cpu',
    'crm_resource -r web --meta -g target-role -Q',
    'crm_standby -N alpha -v off',
    'crm_ticket -t gold -G granted',
    'cibadmin -Q',
    'attrd_updater -n pingd -v 100 -d 5',
    'attrd_updater --query -n openstack_id -N alpha',
    'crm_failcount -G -r web',
  ],
};

/** Exit codes that say that a question was not understood; an attribute that is not there has its own (105). */
const notUnderstood = [3, 64, 66];

describe('calls of the agents of resource-agents are understood', () => {
  test.for(Object.entries(calls))('%s', async ([, lines]) => {
    const desk = new VirtualDesk();
    const wrong: unknown[] = [];
    for (const line of lines) {
      const [program = '', ...argv] = line.split(' ').map((word) => word.replaceAll('_(', ' ('));
      const said = await runAgentCommand({ program, instance: 'db:0', argv }, desk);
      if (notUnderstood.includes(said.code) || said.errors.some((text) => /usage|unknown|not known/iu.test(text))) {
        wrong.push({ line, ...said });
      }
    }
    expect(wrong).toEqual([]);
  });
});
