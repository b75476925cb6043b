/** What messaging reports, in words and with a level: an event's name and its facts become a line that an operator can use. */
import type { Report } from '@systole/crm';

type Fields = Readonly<Record<string, unknown>>;

interface Said {
  readonly level: Report['level'];
  readonly text: string;
}

/** `nameOf` gives the node's name for a number. Events that only tell of the protocol's inner life stay at `debug`. */
export function messagingWords(event: string, fields: Fields, nameOf: (id: number) => string): Said {
  const node = (field = 'node'): string => nameOf(Number(fields[field]));
  const peer = node('peer');
  const link = String(fields['link']);
  switch (event) {
    case 'clockSkew':
      return warn(
        `the clock of ${node()} is ${seconds(fields['skewMs'])} ${Number(fields['skewMs']) < 0 ? 'behind' : 'ahead'}: rules with dates and logs of several nodes need common time; set up NTP`,
      );
    case 'clockSkewGone':
      return info(`the clock of ${node()} agrees again`);
    case 'unknownKey':
      return warn(
        `datagrams in the name of ${node()} are sealed with key ${String(fields['keyId'])}, and this node has ${list(fields['known'])}: ` +
          'one of the two has missed a change of the cluster key; copy the key file from a node that is a member, and start systoled again',
      );
    case 'peerLinkDown':
      return warn(`link ${link} to ${peer} is down`);
    case 'peerLinkUp':
      return info(`link ${link} to ${peer} is up`);
    case 'linkDown':
      return warn(`link ${link} of this node is down: its address or interface is gone`);
    case 'linkUp':
      return info(`link ${link} of this node is up`);
    case 'linkFailing':
      return warn(`sending on link ${link} fails: ${String(fields['code'])}`);
    case 'multicastLost':
      return warn(
        `multicast on link ${link} does not reach ${peer} any more; unicast is used. A switch that snoops IGMP without a querier does that`,
      );
    case 'multicastBack':
      return info(`multicast on link ${link} reaches ${peer} again`);
    case 'pathSwallowsLargePackets':
      return warn(
        `link ${link} to ${peer} swallows packets of ${String(fields['size'])} bytes; ${String(fields['reducedTo'])} are used. Is the MTU the same everywhere?`,
      );
    case 'pathTakesLargePackets':
      return info(`link ${link} to ${peer} takes large packets again`);
    case 'paused':
      return warn(`this node stood still for ${String(fields['gapMs'])} ms`);
    case 'laggard':
      return warn(`${node()} does not keep up with the messages and is put out of the view for a while`);
    case 'readmissionDelayed':
      return warn(
        `${node()} was lost ${String(fields['departures'])} times lately: it may come back in ${seconds(fields['delayMs'])}; systole node readmit ${node()} lets it in now`,
      );
    case 'duplicateNode':
      return {
        level: 'error',
        text: `${String(fields['from'])} runs as this same node: correct the configuration of one`,
      };
    case 'diskFailed':
      return { level: 'error', text: 'this node cannot store changes: its disk fails or is full' };
    case 'unreliableTooLarge':
      return { level: 'error', text: `a message of ${String(fields['bytes'])} bytes cannot be sent unordered` };
    case 'attempt':
      return { level: 'debug', text: `proposes view ${String(fields['view'])}${evidence(fields['evidence'], nameOf)}` };
    default:
      return { level: 'debug', text: event };
  }
}

const warn = (text: string): Said => ({ level: 'warn', text });
const info = (text: string): Said => ({ level: 'info', text });

const seconds = (ms: unknown): string => `${(Math.abs(Number(ms)) / 1000).toFixed(1)} s`;

const list = (value: unknown): string => {
  const all = Array.isArray(value) ? value.map(String) : [];
  return all.length === 1 ? `key ${all[0] ?? ''}` : `keys ${all.join(', ')}`;
};

/** `view 41 without c: silent 351 ms, limit 350`. */
function evidence(value: unknown, nameOf: (id: number) => string): string {
  const rows = (Array.isArray(value) ? value : []) as readonly Fields[];
  return rows
    .map(
      ({ node, cause, silenceMs, limitMs }) =>
        ` without ${nameOf(Number(node))}: ${String(cause)}, silent ${String(silenceMs)} ms, limit ${String(limitMs)}`,
    )
    .join(';');
}
