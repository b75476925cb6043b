/**
 * Random clusters as Pacemaker XML, small and full of constraints: for comparing decisions with an installed Pacemaker
 * and for properties that hold in every cluster. The same seed gives the same text.
 */

/** Numbers in [0, 1) from a seed (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Dice {
  readonly chance: (probability: number) => boolean;
  readonly below: (bound: number) => number;
  readonly pick: <T>(choices: readonly T[]) => T;
}

function diceFrom(seed: number): Dice {
  const next = numbersFrom(seed);
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: <T>(choices: readonly T[]): T => choices[below(choices.length)] as T,
  };
}

interface Resource {
  readonly id: string;
  readonly kind: 'primitive' | 'group' | 'clone' | 'promotable' | 'guest' | 'remote' | 'bundle';
  /** Primitives in it. */
  readonly members: readonly string[];
  readonly xml: string;
}

const pair = (owner: string, name: string, value: string | number): string =>
  `<nvpair id="${owner}-${name.replaceAll('#', '.')}" name="${name}" value="${value}"/>`;

function metaOf(owner: string, meta: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(meta).map(([name, value]) => pair(`${owner}-meta`, name, value));
  return pairs.length === 0 ? '' : `<meta_attributes id="${owner}-meta">${pairs.join('')}</meta_attributes>`;
}

const scores = ['-INFINITY', 'INFINITY', 'INFINITY', '10', '100', '1000', '-10', '-100', '200', '50'];

export interface RandomOptions {
  readonly usesUtilization?: boolean;
  /** Fencing, failures, orders, tickets, remote and guest nodes, bundles, migration, maintenance, health. */
  readonly isRich?: boolean;
}

/** A whole `<cib>`. Unless it is rich, fencing is off, so that every case leads to a decision. */
export function randomCib(seed: number, options: RandomOptions = {}): string {
  const { usesUtilization = seed % 5 === 0, isRich = false } = options;
  const dice = diceFrom(seed);
  const nodes = Array.from({ length: 2 + dice.below(4) }, (_, index) => `n${index + 1}`);
  const resources = randomResources(dice, nodes.length, usesUtilization, isRich);
  const strategy = usesUtilization ? dice.pick(['utilization', 'balanced', 'minimal']) : 'default';
  const hasFencing = isRich && dice.chance(0.7);
  const hasQuorum = !isRich || dice.chance(0.85);
  const clusterOptions = {
    'fencing-enabled': String(hasFencing),
    'no-quorum-policy': isRich ? dice.pick(['ignore', 'stop', 'freeze', 'demote']) : 'ignore',
    'placement-strategy': strategy,
    ...(dice.chance(0.1) ? { 'symmetric-cluster': 'false' } : {}),
    ...(isRich && dice.chance(0.1) ? { 'node-health-strategy': dice.pick(['migrate-on-red', 'only-green']) } : {}),
    ...(isRich && dice.chance(0.05) ? { 'maintenance-mode': 'true' } : {}),
    ...(isRich && dice.chance(0.04) ? { 'stop-all-resources': 'true' } : {}),
    ...(isRich && dice.chance(0.15) ? { 'start-failure-is-fatal': 'false' } : {}),
    ...(isRich && dice.chance(0.1) ? { 'shutdown-lock': 'true' } : {}),
  };
  const stickiness = dice.pick([0, 0, 1, 50, 100, 'INFINITY']);
  const nodesXml = nodes.map((name, index) => {
    const attributes = [
      ...(dice.chance(0.1) ? [pair(`${name}-attributes`, 'standby', 'on')] : []),
      pair(`${name}-attributes`, 'site', dice.pick(['east', 'west'])),
      ...(isRich && dice.chance(0.1) ? [pair(`${name}-attributes`, '#health-disk', dice.pick(['red', 'yellow']))] : []),
      ...(isRich && dice.chance(0.05) ? [pair(`${name}-attributes`, 'maintenance', 'true')] : []),
    ];
    const utilization = usesUtilization
      ? `<utilization id="${name}-utilization">${pair(`${name}-utilization`, 'cpu', 2 + dice.below(6))}${pair(`${name}-utilization`, 'memory', 4 + dice.below(8))}</utilization>`
      : '';
    return `<node id="${index + 1}" uname="${name}"><instance_attributes id="${name}-attributes">${attributes.join('')}</instance_attributes>${utilization}</node>`;
  });
  const constraints = randomConstraints(dice, nodes, resources, isRich);
  const status = randomStatus(dice, nodes, resources, isRich);
  const fencing = hasFencing
    ? '<primitive id="fence" class="stonith" type="fence_xvm"><operations><op id="fence-monitor" name="monitor" interval="60s"/></operations></primitive>'
    : '';
  return `<cib validate-with="pacemaker-3.9" crm_feature_set="3.16.2" epoch="1" num_updates="0" admin_epoch="0" have-quorum="${hasQuorum ? 1 : 0}" dc-uuid="1">
<configuration>
<crm_config><cluster_property_set id="options">${Object.entries(clusterOptions)
    .map(([name, value]) => pair('options', name, value))
    .join('')}</cluster_property_set></crm_config>
<nodes>${nodesXml.join('\n')}</nodes>
<resources>
${fencing}${resources.map(({ xml }) => xml).join('\n')}
</resources>
<constraints>
${constraints.join('\n')}
</constraints>
<rsc_defaults><meta_attributes id="defaults">${pair('defaults', 'resource-stickiness', stickiness)}</meta_attributes></rsc_defaults>
</configuration>
<status>
${status}
</status>
</cib>
`;
}

function randomResources(
  dice: Dice,
  nodeCount: number,
  usesUtilization: boolean,
  isRich: boolean,
): readonly Resource[] {
  const count = 3 + dice.below(6);
  const plainKinds = ['primitive', 'primitive', 'primitive', 'group', 'clone', 'clone', 'promotable'] as const;
  const richKinds = [...plainKinds, 'remote', 'guest', 'bundle', 'bundle'] as const;
  return Array.from({ length: count }, (_, index): Resource => {
    const kind: Resource['kind'] = isRich ? dice.pick(richKinds) : dice.pick(plainKinds);
    const common = {
      ...(dice.chance(0.15) ? { priority: dice.below(3) * 10 } : {}),
      ...(dice.chance(0.1) ? { 'resource-stickiness': dice.pick([0, 20, 500]) } : {}),
      ...(dice.chance(0.07) ? { 'target-role': 'Stopped' } : {}),
      ...(dice.chance(0.05) ? { 'is-managed': 'false' } : {}),
      ...(dice.chance(0.15) ? { 'migration-threshold': 1 + dice.below(3) } : {}),
      ...(dice.chance(0.08) ? { critical: 'false' } : {}),
      ...(isRich && dice.chance(0.2) ? { 'allow-migrate': 'true' } : {}),
      ...(isRich && dice.chance(0.1) ? { requires: dice.pick(['nothing', 'quorum', 'fencing']) } : {}),
      ...(isRich && dice.chance(0.1)
        ? { 'multiple-active': dice.pick(['stop_only', 'block', 'stop_unexpected']) }
        : {}),
      ...(isRich && dice.chance(0.1) ? { 'failure-timeout': '60s' } : {}),
      ...(isRich && dice.chance(0.1) ? { notify: 'true' } : {}),
      ...(isRich && dice.chance(0.08) ? { ordered: 'true' } : {}),
      ...(isRich && dice.chance(0.05) ? { 'clone-min': 1 } : {}),
      ...(isRich && dice.chance(0.05) ? { 'allow-unhealthy-nodes': 'true' } : {}),
    };
    const operations = (id: string): string => {
      if (!isRich || dice.chance(0.3)) return '';
      const onFail = dice.chance(0.3)
        ? ` on-fail="${dice.pick(['ignore', 'block', 'stop', 'restart', 'standby', 'fence', 'demote'])}"`
        : '';
      const stop = dice.chance(0.1) ? `<op id="${id}-stop" name="stop" interval="0" on-fail="block"/>` : '';
      return `<operations><op id="${id}-monitor" name="monitor" interval="10s"${onFail}/>${stop}</operations>`;
    };
    const primitive = (id: string, type: string, meta: Readonly<Record<string, string | number>>): string => {
      const utilization =
        usesUtilization && dice.chance(0.8)
          ? `<utilization id="${id}-utilization">${pair(`${id}-utilization`, 'cpu', 1 + dice.below(3))}${pair(`${id}-utilization`, 'memory', 1 + dice.below(4))}</utilization>`
          : '';
      return `<primitive id="${id}" class="ocf" provider="pacemaker" type="${type}">${metaOf(id, meta)}${operations(id)}${utilization}</primitive>`;
    };
    if (kind === 'primitive') {
      const id = `p${index}`;
      return { id, kind, members: [id], xml: primitive(id, 'Dummy', common) };
    }
    if (kind === 'remote') {
      const id = `r${index}`;
      const xml = `<primitive id="${id}" class="ocf" provider="pacemaker" type="remote">${operations(id)}</primitive>`;
      return { id, kind, members: [id], xml };
    }
    if (kind === 'guest') {
      const id = `v${index}`;
      return { id, kind, members: [id], xml: primitive(id, 'Dummy', { ...common, 'remote-node': `${id}-node` }) };
    }
    if (kind === 'bundle') {
      const id = `b${index}`;
      const promoted = dice.chance(0.4) ? ' promoted-max="1"' : '';
      const replicas = 1 + dice.below(nodeCount);
      const network = dice.chance(0.6)
        ? `<network ip-range-start="192.168.${100 + index}.1" control-port="3121"/>`
        : '<network control-port="3121"/>';
      const inner = dice.chance(0.8) ? primitive(`${id}p`, promoted === '' ? 'Dummy' : 'Stateful', {}) : '';
      const xml = `<bundle id="${id}">${metaOf(id, common)}<docker image="image" replicas="${replicas}"${promoted}/>${network}${inner}</bundle>`;
      return { id, kind, members: Array.from({ length: replicas }, (_unused, at) => `${id}-docker-${at}`), xml };
    }
    if (kind === 'group') {
      const id = `g${index}`;
      const members = Array.from({ length: 1 + dice.below(3) }, (_unused, at) => `${id}m${at}`);
      const inner = members.map((member) => primitive(member, 'Dummy', {})).join('');
      return { id, kind, members, xml: `<group id="${id}">${metaOf(id, common)}${inner}</group>` };
    }
    const id = `c${index}`;
    const isPromotable = kind === 'promotable';
    const isUnique = !isPromotable && dice.chance(0.2);
    const meta = {
      ...common,
      interleave: dice.pick(['true', 'false']),
      ...(dice.chance(0.4) ? { 'clone-max': 1 + dice.below(nodeCount) } : {}),
      ...(isUnique ? { 'globally-unique': 'true', 'clone-node-max': 1 + dice.below(2) } : {}),
      ...(isPromotable ? { promotable: 'true' } : {}),
      ...(isPromotable && dice.chance(0.2) ? { 'promoted-max': 2 } : {}),
    };
    const type = isPromotable ? 'Stateful' : 'Dummy';
    const isGroup = dice.chance(0.25);
    const members = isGroup ? [`${id}m0`, `${id}m1`] : [`${id}p`];
    const primitives = members.map((member) => primitive(member, type, {})).join('');
    const inner = isGroup ? `<group id="${id}g">${primitives}</group>` : primitives;
    return { id, kind, members, xml: `<clone id="${id}">${metaOf(id, meta)}${inner}</clone>` };
  });
}

function randomConstraints(
  dice: Dice,
  nodes: readonly string[],
  resources: readonly Resource[],
  isRich: boolean,
): readonly string[] {
  const constraints: string[] = [];
  const count = 2 + dice.below(8);
  for (let index = 0; index < count; index += 1) {
    const one = dice.pick(resources);
    const other = dice.pick(resources);
    const kind = dice.below(isRich ? 15 : 10);
    if (kind < 3) {
      const role = one.kind === 'promotable' && dice.chance(0.5) ? ' role="Promoted"' : '';
      constraints.push(
        `<rsc_location id="l${index}" rsc="${one.id}" node="${dice.pick(nodes)}" score="${dice.pick(scores)}"${role}/>`,
      );
    } else if (kind === 3) {
      constraints.push(
        `<rsc_location id="l${index}" rsc="${one.id}"><rule id="l${index}-rule" score="${dice.pick(scores)}"><expression id="l${index}-expression" attribute="site" operation="eq" value="${dice.pick(['east', 'west'])}"/></rule></rsc_location>`,
      );
    } else if (kind < 9) {
      if (one === other) continue;
      const [dependent, primary] = resources.indexOf(one) < resources.indexOf(other) ? [other, one] : [one, other];
      const inner = (resource: Resource): string =>
        resource.kind === 'group' && dice.chance(0.25) ? dice.pick(resource.members) : resource.id;
      const withRole = primary.kind === 'promotable' && dice.chance(0.6) ? ' with-rsc-role="Promoted"' : '';
      const role = dependent.kind === 'promotable' && dice.chance(0.4) ? ' rsc-role="Promoted"' : '';
      const site = dice.chance(0.1) ? ' node-attribute="site"' : '';
      constraints.push(
        `<rsc_colocation id="k${index}" rsc="${inner(dependent)}" with-rsc="${inner(primary)}" score="${dice.pick(scores)}"${role}${withRole}${site}/>`,
      );
    } else if (kind > 9 && kind < 14) {
      if (one === other) continue;
      const actions = (resource: Resource): string =>
        dice.pick(resource.kind === 'promotable' ? ['start', 'promote'] : ['start']);
      const how = dice.pick([
        'kind="Mandatory"',
        'kind="Mandatory"',
        'kind="Optional"',
        'kind="Serialize"',
        'symmetrical="false"',
        '',
      ]);
      constraints.push(
        `<rsc_order id="o${index}" first="${one.id}" first-action="${actions(one)}" then="${other.id}" then-action="${actions(other)}" ${how}/>`,
      );
    } else if (kind === 14) {
      const role = one.kind === 'promotable' ? ' rsc-role="Promoted"' : '';
      constraints.push(
        `<rsc_ticket id="t${index}" rsc="${one.id}"${role} ticket="ticket${dice.below(2)}" loss-policy="${dice.pick(['stop', 'demote', 'freeze', 'fence'])}"/>`,
      );
    } else {
      const members = resources.filter(() => dice.chance(0.5)).map(({ id }) => `<resource_ref id="${id}"/>`);
      if (members.length < 2) continue;
      const score = dice.pick(['INFINITY', '100', '-100']);
      constraints.push(
        `<rsc_colocation id="k${index}" score="${score}"><resource_set id="k${index}-set" sequential="${dice.pick(['true', 'true', 'false'])}">${members.join('')}</resource_set></rsc_colocation>`,
      );
    }
  }
  return constraints;
}

function randomStatus(dice: Dice, nodes: readonly string[], resources: readonly Resource[], isRich: boolean): string {
  const history = new Map<string, string[]>(nodes.map((node) => [node, []]));
  const online = nodes.map(() => dice.chance(0.88));
  const record = (node: string, member: string, type: string, isActive: boolean, role?: 'promote'): void => {
    const operation = role ?? (isActive ? 'start' : 'monitor');
    const code = isActive ? 0 : 7;
    const failure =
      isRich && dice.chance(0.12)
        ? `<lrm_rsc_op id="${member}_last_failure_0" operation_key="${member}_${isActive ? 'monitor_10000' : 'start_0'}" operation="${isActive ? 'monitor' : 'start'}" crm-debug-origin="x" crm_feature_set="3.16.2" transition-key="1:1:0:11111111-1111-1111-1111-111111111111" transition-magic="0:${isActive ? 7 : 1};1:1:0:11111111-1111-1111-1111-111111111111" exit-reason="" call-id="${100 + dice.below(90)}" rc-code="${isActive ? 7 : 1}" op-status="0" interval="${isActive ? 10_000 : 0}" last-rc-change="1600000000" exec-time="1" queue-time="0"/>`
        : '';
    history
      .get(node)
      ?.push(
        `<lrm_resource id="${member}" type="${type}" class="ocf" provider="pacemaker"><lrm_rsc_op id="${member}_last_0" operation_key="${member}_${operation}_0" operation="${operation}" crm-debug-origin="x" crm_feature_set="3.16.2" transition-key="1:1:${code}:11111111-1111-1111-1111-111111111111" transition-magic="0:${code};1:1:${code}:11111111-1111-1111-1111-111111111111" exit-reason="" call-id="${10 + dice.below(90)}" rc-code="${code}" op-status="0" interval="0" last-rc-change="1600000000" exec-time="1" queue-time="0"/>${failure}</lrm_resource>`,
      );
  };
  for (const resource of resources) {
    const isRunning = dice.chance(0.7);
    const isMany = resource.kind === 'clone' || resource.kind === 'promotable';
    const isBundle = resource.kind === 'bundle';
    const home = dice.pick(nodes);
    const isUnique = resource.xml.includes('globally-unique');
    const promoted = dice.pick(nodes);
    for (const node of nodes) {
      const isHere = isRunning && (isMany ? dice.chance(0.7) : node === home);
      for (const [position, member] of resource.members.entries()) {
        if (isBundle && nodes.indexOf(node) !== (nodes.indexOf(home) + position) % nodes.length) continue;
        const type = { promotable: 'Stateful', bundle: 'docker', remote: 'remote' }[resource.kind as string] ?? 'Dummy';
        const name = isUnique ? `${member}:${nodes.indexOf(node)}` : member;
        if (isUnique && !isHere) continue;
        const isActive = isBundle ? isRunning : isHere && (position === 0 || dice.chance(0.95));
        record(
          node,
          name,
          type,
          isActive,
          isActive && resource.kind === 'promotable' && node === promoted ? 'promote' : undefined,
        );
      }
    }
  }
  const tickets = isRich
    ? `<tickets>${dice.chance(0.6) ? `<ticket_state id="ticket0" granted="${dice.pick(['true', 'false'])}"${dice.chance(0.2) ? ' standby="true"' : ''}/>` : ''}</tickets>`
    : '';
  const states = nodes
    .map((node, index) => {
      const attributes: string[] = [];
      for (const resource of resources) {
        for (const member of resource.members) {
          if (resource.kind === 'promotable' && dice.chance(0.6)) {
            attributes.push(pair(`status-${index}`, `master-${member}`, dice.pick([1, 5, 10, 100, -5])));
          }
          if (dice.chance(0.06)) {
            attributes.push(
              pair(`status-${index}`, `fail-count-${member}#monitor_10000`, dice.pick([1, 2, 'INFINITY'])),
            );
          }
        }
      }
      const isUnclean = isRich && online[index] === false && dice.chance(0.5);
      if (isUnclean) {
        const lrm = `<lrm id="${index + 1}"><lrm_resources>${(history.get(node) ?? []).join('')}</lrm_resources></lrm>`;
        return `<node_state id="${index + 1}" uname="${node}" in_ccm="false" crmd="offline" join="member" expected="member" crm-debug-origin="x">${lrm}</node_state>`;
      }
      const isLeaving = isRich && online[index] === true && dice.chance(0.06);
      if (isLeaving) attributes.push(pair(`status-${index}`, 'shutdown', '1700000000'));
      const state =
        online[index] === true
          ? 'in_ccm="true" crmd="online" join="member" expected="member"'
          : 'in_ccm="false" crmd="offline" join="down" expected="down"';
      const transient = `<transient_attributes id="${index + 1}"><instance_attributes id="status-${index}">${attributes.join('')}</instance_attributes></transient_attributes>`;
      const lrm = `<lrm id="${index + 1}"><lrm_resources>${(history.get(node) ?? []).join('')}</lrm_resources></lrm>`;
      return `<node_state id="${index + 1}" uname="${node}" ${state} crm-debug-origin="x">${online[index] === true ? lrm + transient : ''}</node_state>`;
    })
    .join('\n');
  return tickets + states;
}
