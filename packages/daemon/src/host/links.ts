/** The links of the node's file as messaging and the sockets need them. */
import { isIPv6 } from 'node:net';
import type { LinkConfiguration } from '@systole/messaging';
import type { DaemonConfiguration, LinkSettings } from '../configuration.ts';
import { nodeIdOf } from '../node/index.ts';
import type { LinkSockets } from './udp.ts';

/** All links of the file. Addresses of peers go by the order of the other nodes in it. */
export function preparedLinks({ links, nodes, node }: Pick<DaemonConfiguration, 'links' | 'nodes' | 'node'>): {
  readonly sockets: readonly LinkSockets[];
  readonly links: readonly LinkConfiguration[];
} {
  const others = nodes.filter((name) => name !== node);
  const prepared = links.map((settings) => {
    const { sockets, messaging } = prepareLink(settings);
    const peers = peerAddresses(settings)
      .slice(0, others.length)
      .map((address, index) => ({ node: nodeIdOf(others[index] ?? ''), address }));
    return { sockets, link: peers.length === 0 ? messaging : { ...messaging, peers } };
  });
  return { sockets: prepared.map(({ sockets }) => sockets), links: prepared.map(({ link }) => link) };
}

function prepareLink(settings: LinkSettings): { readonly sockets: LinkSockets; readonly messaging: LinkConfiguration } {
  const { id: link, address = '', interface: device, port, ttl, isLoopback, multicast, mode, priority, mtu } = settings;
  const [peer = ''] = settings.peers;
  return {
    sockets: {
      link,
      address,
      port,
      ttl,
      isLoopback,
      ...(device === undefined ? {} : { interface: device }),
      ...(multicast === undefined ? {} : { group: multicast }),
    },
    messaging: {
      id: link,
      mode: multicast === undefined ? 'unicast' : mode,
      priority,
      mtu,
      family: isIPv6(multicast ?? (address === '' ? addressOf(peer, port).host : address)) ? 6 : 4,
    },
  };
}

/** Peers are written as addresses; whose they are shows when they answer. Until then each is tried for every node. */
const peerAddresses = ({ peers, port }: LinkSettings): readonly HostAndPort[] =>
  peers.map((peer) => addressOf(peer, port));

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** `10.0.0.1`, `10.0.0.1:5405`, `fd00::1`, `[fd00::1]:5405`. */
export function addressOf(text: string, port: number): HostAndPort {
  const withPort = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (withPort !== null) return { host: withPort[1] ?? withPort[2] ?? '', port: Number(withPort[3]) };
  return { host: text.replace(/^\[|\]$/g, ''), port };
}
