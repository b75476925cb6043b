/** The recipes of `systole script`: small clusters that many people need, as text to review. */
import type { Parameter, Recipe } from './recipe.ts';

export { fill, type Parameter, readParameters, type Recipe } from './recipe.ts';

const address: Parameter = { name: 'ip', meaning: 'the address that clients use', kind: 'address' };
const addressOptions: readonly Parameter[] = [
  {
    name: 'cidr_netmask',
    meaning: 'its prefix length; else that of the network it fits',
    kind: 'number',
    isOptional: true,
  },
  { name: 'nic', meaning: 'the interface; else the one whose network it fits', isOptional: true },
];
const vipLine = (id: string): string =>
  `primitive ${id} ocf:systole:vip params ip={ip}{cidr_netmask? cidr_netmask={cidr_netmask}}{nic? nic={nic}} op start timeout=20s interval=0 op stop timeout=20s interval=0 op monitor interval=10s timeout=20s`;

const vip: Recipe = {
  name: 'vip',
  summary: 'an address that is on one node at a time',
  details: 'The address must be free, and in a network that all nodes are on.',
  parameters: [
    { name: 'id', meaning: 'name of the resource', kind: 'id', fallback: 'vip' },
    address,
    ...addressOptions,
  ],
  text: vipLine('{id}'),
};

const web: Recipe = {
  name: 'web-server',
  summary: 'a web server with the address that it is reached by',
  details:
    'The server is a service of systemd that the cluster starts; it must not start at boot (systemctl disable). What it\n' +
    'serves must be the same on all nodes, or on storage that moves along.',
  parameters: [
    { name: 'id', meaning: 'name of the group', kind: 'id', fallback: 'web' },
    { name: 'service', meaning: 'the service of systemd', fallback: 'nginx' },
    address,
    ...addressOptions,
  ],
  text: `${vipLine('{id}-ip')}
primitive {id}-server systemd:{service} op start timeout=100s interval=0 op stop timeout=100s interval=0 op monitor interval=10s timeout=60s
group {id} {id}-ip {id}-server`,
};

const database: Recipe = {
  name: 'database',
  summary: 'a database on storage that moves with it, and its address',
  details:
    'The device is one that all nodes can reach, and that only one may mount: without working fencing two nodes mount it\n' +
    'at once and destroy it. The database is a service of systemd that must not start at boot.',
  parameters: [
    { name: 'id', meaning: 'name of the group', kind: 'id', fallback: 'db' },
    { name: 'device', meaning: 'the shared device', kind: 'path' },
    { name: 'directory', meaning: 'where it is mounted', kind: 'path' },
    { name: 'fstype', meaning: 'its file system', fallback: 'xfs' },
    { name: 'service', meaning: 'the service of systemd', fallback: 'postgresql' },
    address,
    ...addressOptions,
  ],
  text: `primitive {id}-fs ocf:heartbeat:Filesystem params device={device} directory={directory} fstype={fstype} op start timeout=60s interval=0 op stop timeout=60s interval=0 op monitor interval=20s timeout=40s
primitive {id}-server systemd:{service} op start timeout=120s interval=0 op stop timeout=120s interval=0 op monitor interval=20s timeout=60s
${vipLine('{id}-ip')}
group {id} {id}-fs {id}-server {id}-ip`,
};

const lvs: Recipe = {
  name: 'lvs',
  summary: 'a pair of load balancers (LVS) with their address',
  details:
    'The rules are a file in the form of ipvsadm-save, the same on both balancers. Real servers that are not nodes of this\n' +
    'cluster need the address on their loopback interface (direct routing).',
  parameters: [
    { name: 'id', meaning: 'name of the group', kind: 'id', fallback: 'balancer' },
    { name: 'rules', meaning: 'the file with the rules', kind: 'path' },
    {
      name: 'sync_interface',
      meaning: 'the interface on which the pair tell each other of connections',
      isOptional: true,
    },
    address,
    ...addressOptions,
  ],
  text: `${vipLine('{id}-ip')}
primitive {id}-ipvs ocf:systole:ipvs params file={rules} op start timeout=20s interval=0 op stop timeout=20s interval=0 op monitor interval=10s timeout=10s
group {id} {id}-ipvs {id}-ip{sync_interface?
primitive {id}-sync ocf:systole:ipvs-sync params interface={sync_interface} op start timeout=20s interval=0 op stop timeout=20s interval=0 op monitor interval=20s timeout=10s
clone {id}-syncs {id}-sync meta interleave=true}`,
};

const ipmi: Recipe = {
  name: 'fence-ipmi',
  summary: 'fencing of one node by its management board (IPMI); once for each node',
  details:
    'Try the board by hand first: fence_ipmilan -a BMC -l USER -p PASSWORD -P -o status. When every node has its device:\n' +
    'property fencing-enabled=true. The password can leave the configuration: systole resource secret.',
  parameters: [
    { name: 'node', meaning: 'the node that is fenced', kind: 'id' },
    { name: 'bmc', meaning: 'address of its management board', kind: 'name' },
    { name: 'user', meaning: 'user there' },
    { name: 'password', meaning: 'password there' },
    { name: 'delay', meaning: 'random delay up to so long, for one of two nodes', fallback: '0s' },
  ],
  text: `primitive fence-{node} stonith:fence_ipmilan params ip={bmc} username={user} password={password} lanplus=1 pcmk_host_list={node} pcmk_delay_max={delay} op monitor interval=60s timeout=60s
location fence-{node}-elsewhere fence-{node} -inf: {node}`,
};

export const recipes: readonly Recipe[] = [vip, web, database, lvs, ipmi];
