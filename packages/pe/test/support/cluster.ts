/** Small clusters for tests, written as the configuration's XML because that says most in few words. */
import { importCib } from '@systole/cib';
import { assign, type PlaceOptions } from '../../src/assign/place.ts';
import type { Place, Placement } from '../../src/assign/placement.ts';
import type { Constraints } from '../../src/constraints/constraint.ts';
import { readConstraints } from '../../src/constraints/read.ts';
import type { Situation } from '../../src/situation.ts';
import { readSituation } from '../../src/status/read.ts';

export interface ClusterParts {
  /** Names; `name!` is offline, `name?` in standby. Or whole `<node>` elements. */
  readonly nodes?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
  readonly resources: string;
  readonly constraints?: string;
  readonly tags?: string;
  /** `resource@node` for what runs where; `resource@node:promoted`. Agents are ocf:pacemaker:Dummy. */
  readonly running?: readonly string[];
  /** Transient attributes: `node name=value`. */
  readonly attributes?: readonly string[];
  readonly tickets?: string;
}

/** The digest of no parameters: what runs was started with what is configured. */
const noParameters = 'f2317cad3d54cec5d7d7aa7d0bf35cf8';

export const noon = Date.UTC(2026, 6, 1, 12);

export const dummy = (id: string, inner = ''): string =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;

export const meta = (owner: string, values: Readonly<Record<string, string | number>>): string =>
  `<meta_attributes id="${owner}-meta">${Object.entries(values)
    .map(([name, value]) => `<nvpair id="${owner}-meta-${name}" name="${name}" value="${value}"/>`)
    .join('')}</meta_attributes>`;

/** `edit` changes the XML before it is read, for what the parts cannot say. */
export function situationOf(parts: ClusterParts, edit = (xml: string): string => xml): Situation {
  const imported = importCib(edit(xmlOf(parts)));
  if (!imported.ok) throw new Error(imported.error.message);
  return readSituation(imported.value.cib, noon);
}

export const constraintsOf = (parts: ClusterParts): Constraints => readConstraints(situationOf(parts));

/** A placement with look-ups by id. */
export interface Placed {
  readonly placement: Placement;
  readonly situation: Situation;
  /** The node's name; undefined: nowhere. */
  readonly nodeOf: (id: string) => string | undefined;
  readonly placeOf: (id: string) => Place;
  /** The score when `id` was placed: the last of its rows for the stage `primitive`. */
  readonly scoreOf: (id: string, node: string) => number | undefined;
}

export function placed(parts: ClusterParts, options: PlaceOptions = {}): Placed {
  const situation = situationOf(parts);
  const placement = assign(situation, readConstraints(situation), options);
  const placeOf = (id: string): Place => {
    const found = placement.places.find(({ instance }) => instance.id === id);
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  };
  return {
    placement,
    situation,
    placeOf,
    nodeOf: (id) => placeOf(id).node?.name,
    scoreOf: (id, node) =>
      placement.scores.findLast((row) => row.stage === 'primitive' && row.rsc === id && row.node === node)?.score,
  };
}

function xmlOf(parts: ClusterParts): string {
  const { nodes = ['a', 'b', 'c'], options = {}, running = [], attributes = [], tickets = '' } = parts;
  const plain = nodes.map((node) => (node.startsWith('<') ? (/uname="([^"]+)"/.exec(node)?.[1] ?? '') : node));
  const names = plain.map((node) => node.replace(/[!?]$/, ''));
  const pairs = Object.entries({ 'fencing-enabled': 'false', 'no-quorum-policy': 'ignore', ...options });
  return `<cib validate-with="pacemaker-3.9" have-quorum="1"><configuration>
<crm_config><cluster_property_set id="o">${pairs.map(([name, value]) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`).join('')}</cluster_property_set></crm_config>
<nodes>${nodes.map((node, index) => nodeXml(node, names[index] ?? '', index)).join('')}</nodes>
<resources>${parts.resources}</resources>
<constraints>${parts.constraints ?? ''}</constraints>${parts.tags === undefined ? '' : `<tags>${parts.tags}</tags>`}
</configuration><status>${tickets === '' ? '' : `<tickets>${tickets}</tickets>`}${names
    .map((name, index) => stateXml(name, index, plain[index]?.endsWith('!') === true, running, attributes))
    .join('')}</status></cib>`;
}

function nodeXml(node: string, name: string, index: number): string {
  if (node.startsWith('<')) return node;
  const standby = node.endsWith('?')
    ? `<instance_attributes id="${name}-a"><nvpair id="${name}-standby" name="standby" value="on"/></instance_attributes>`
    : '';
  return `<node id="${index + 1}" uname="${name}">${standby}</node>`;
}

function stateXml(
  name: string,
  index: number,
  isOffline: boolean,
  running: readonly string[],
  attributes: readonly string[],
): string {
  if (isOffline)
    return `<node_state id="${index + 1}" uname="${name}" in_ccm="false" crmd="offline" join="down" expected="down"/>`;
  const entries = running.flatMap((entry) => {
    const [resource = '', where = ''] = entry.split('@');
    const [node, role] = where.split(':');
    if (node !== name) return [];
    const operation = role === 'promoted' ? 'promote' : 'start';
    return [
      `<lrm_resource id="${resource}" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="${resource}_last_0" operation_key="${resource}_${operation}_0" operation="${operation}" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x" call-id="5" rc-code="0" op-status="0" interval="0" op-digest="${noParameters}"/></lrm_resource>`,
    ];
  });
  const pairs = attributes.flatMap((entry, position) => {
    const [node, text = ''] = entry.split(' ');
    const [key = '', value = ''] = text.split('=');
    return node === name ? [`<nvpair id="t${index}-${position}" name="${key}" value="${value}"/>`] : [];
  });
  return `<node_state id="${index + 1}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="${index + 1}"><lrm_resources>${entries.join('')}</lrm_resources></lrm><transient_attributes id="${index + 1}"><instance_attributes id="t${index}">${pairs.join('')}</instance_attributes></transient_attributes></node_state>`;
}
