/** Clusters with histories for tests: nodes alpha and beta, a fence device, and what ran where. */
import { type Cib, importCib } from '@systole/cib';
import { readSituation, type PrimitiveInstance, type Situation } from '@systole/pe';
import { dummy, noon } from './cluster.ts';

export interface Ran {
  readonly resource?: string;
  readonly node?: string;
  readonly operation: string;
  readonly interval?: number;
  readonly exit?: number;
  /** What was expected; 0, for probes 7. */
  readonly expected?: number;
  /** -1 pending, 0 done, 2 timed out, … */
  readonly status?: number;
  /** Seconds before noon. */
  readonly ago?: number;
  readonly id?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Parts {
  readonly resources?: string;
  readonly options?: Readonly<Record<string, string>>;
  /** Attributes of `<node_state>` by node; both are members unless said otherwise. */
  readonly states?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly nodes?: string;
  readonly ran?: readonly Ran[];
  readonly more?: string;
}

const member = 'in_ccm="true" crmd="online" join="member" expected="member"';

/** The digest of no parameters. */
const noParameters = 'f2317cad3d54cec5d7d7aa7d0bf35cf8';

function recordOf(ran: Ran, callId: number): string {
  const { resource = 'web', node = 'alpha', operation, interval = 0, status = 0, ago = 3600 } = ran;
  const isProbe = operation === 'monitor' && interval === 0;
  const expected = ran.expected ?? (isProbe ? 7 : 0);
  const exit = ran.exit ?? expected;
  const id = ran.id ?? `${resource}_${interval > 0 ? `${operation}_${interval}` : `${operation}_0`}`;
  const migration = ran.from === undefined ? '' : ` migrate_source="${ran.from}" migrate_target="${ran.to}"`;
  return `<lrm_rsc_op id="${id}" operation_key="${resource}_${operation}_${interval}" operation="${operation}" interval="${interval}"
    call-id="${status === -1 ? -1 : callId}" rc-code="${status === -1 ? 193 : exit}" op-status="${status}" on_node="${node}"
    transition-key="1:${callId}:${expected}:t" transition-magic="${status}:${exit};1:${callId}:${expected}:t"
    ${interval === 0 ? `op-digest="${noParameters}"` : ''} last-rc-change="${noon / 1000 - ago}"${migration}/>`;
}

export function cibWith(parts: Parts): Cib {
  const names = ['alpha', 'beta'];
  const ran = parts.ran ?? [];
  const states = names.map((name, index) => {
    const own = ran.map((one, at) => ({ one, at })).filter(({ one }) => (one.node ?? 'alpha') === name);
    const resources = [...new Set(own.map(({ one }) => one.resource ?? 'web'))].map((resource) => {
      const records = own
        .filter(({ one }) => (one.resource ?? 'web') === resource)
        .map(({ one, at }) => recordOf(one, at + 1));
      const agent =
        resource === 'power' ? 'class="stonith" type="fence_test"' : 'class="ocf" provider="pacemaker" type="Dummy"';
      return `<lrm_resource id="${resource}" ${agent}>${records.join('')}</lrm_resource>`;
    });
    const pairs = Object.entries(parts.attributes?.[name] ?? {}).map(
      ([attribute, value]) =>
        `<nvpair id="t-${name}-${attribute.replaceAll('#', '.')}" name="${attribute}" value="${value}"/>`,
    );
    return `<node_state id="${index + 1}" uname="${name}" ${parts.states?.[name] ?? member}>
      <transient_attributes id="${index + 1}"><instance_attributes id="t-${name}">${pairs.join('')}</instance_attributes></transient_attributes>
      <lrm id="${index + 1}"><lrm_resources>${resources.join('')}</lrm_resources></lrm></node_state>`;
  });
  const options = Object.entries(parts.options ?? {}).map(
    ([name, value]) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`,
  );
  const text = `<cib have-quorum="true" validate-with="pacemaker-3.9"><configuration>
    <crm_config><cluster_property_set id="o">${options.join('')}</cluster_property_set></crm_config>
    <nodes>${parts.nodes ?? '<node id="1" uname="alpha"/><node id="2" uname="beta"/>'}</nodes>
    <resources><primitive id="power" class="stonith" type="fence_test"/>${parts.resources ?? dummy('web')}</resources>
    <constraints/>${parts.more ?? ''}</configuration><status>${states.join('')}</status></cib>`;
  const imported = importCib(text);
  if (!imported.ok) throw new Error(imported.error.message);
  return imported.value.cib;
}

export const situationWith = (parts: Parts): Situation => readSituation(cibWith(parts), noon);

export function primitiveOf(situation: Situation, id = 'web'): PrimitiveInstance {
  const found = situation.instanceById.get(id);
  if (found?.kind !== 'primitive') throw new Error(`no primitive ${id}`);
  return found;
}
