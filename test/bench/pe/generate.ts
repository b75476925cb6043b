/** A small generator of clusters that have just come up, for machines without ../shared. Pacemaker's XML. */
import type { Case } from './cases.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

const primitive = (id: string): string =>
  `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy"><operations>` +
  `<op id="${id}-monitor" name="monitor" interval="10s"/></operations></primitive>`;

const name = (at: number): string => `p${at}`;

/** The resources and constraints of each profile that is known here. */
const profiles: Readonly<Record<string, (resources: number) => readonly [string, string]>> = {
  plain: (count) => [
    numbers(count)
      .map((at) => primitive(name(at)))
      .join(''),
    '',
  ],
  groups: (count) => [
    numbers(Math.ceil(count / 5))
      .map((at) => {
        const members = numbers(Math.min(5, count - 5 * at)).map((member) => primitive(name(5 * at + member)));
        return `<group id="g${at}">${members.join('')}</group>`;
      })
      .join(''),
    '',
  ],
  clones: (count) => [
    numbers(count)
      .map((at) => (at % 10 === 0 ? `<clone id="c${at}">${primitive(name(at))}</clone>` : primitive(name(at))))
      .join(''),
    numbers(count)
      .filter((at) => at % 10 !== 0)
      .map((at) => together(name(at), `c${at - (at % 10)}`) + order(`c${at - (at % 10)}`, name(at)))
      .join(''),
  ],
  chain: chained(100),
  'one-chain': chained(Number.POSITIVE_INFINITY),
};

function chained(length: number): (count: number) => readonly [string, string] {
  return (count) => [
    numbers(count)
      .map((at) => primitive(name(at)))
      .join(''),
    numbers(count)
      .filter((at) => at > 0 && at % length !== 0)
      .map((at) => together(name(at), name(at - 1)) + order(name(at - 1), name(at)))
      .join(''),
  ];
}

const together = (dependent: string, primary: string): string =>
  `<rsc_colocation id="with-${dependent}-${primary}" rsc="${dependent}" with-rsc="${primary}" score="INFINITY"/>`;
const order = (first: string, then: string): string =>
  `<rsc_order id="order-${first}-${then}" first="${first}" then="${then}"/>`;

export const canGenerate = ({ profile, state }: Case): boolean => state === 'fresh' && Object.hasOwn(profiles, profile);

export function generateCib({ profile, nodes, resources: count }: Case): string {
  const [resources, constraints] = profiles[profile]?.(count) ?? ['', ''];
  const members = numbers(nodes).map((at) => ({ id: at + 1, name: `node-${at + 1}` }));
  const configured = members.map(({ id, name: uname }) => `<node id="${id}" uname="${uname}"/>`);
  const states = members.map(
    ({ id, name: uname }) =>
      `<node_state id="${id}" uname="${uname}" in_ccm="true" crmd="online" join="member" expected="member"/>`,
  );
  return (
    '<cib have-quorum="1" validate-with="pacemaker-3.9" epoch="1" admin_epoch="0" num_updates="0"><configuration>' +
    '<crm_config><cluster_property_set id="options"><nvpair id="options-fencing" name="stonith-enabled" value="false"/>' +
    `</cluster_property_set></crm_config><nodes>${configured.join('')}</nodes><resources>${resources}</resources>` +
    `<constraints>${constraints}</constraints></configuration><status>${states.join('')}</status></cib>\n`
  );
}
