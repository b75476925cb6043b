/** The links of the node's file as messaging and the sockets need them. */
import { isIPv6 } from 'node:net';
import type { LinkConfiguration } from '@systole/messaging';
import type { LinkSettings } from '../configuration.ts';
import type { LinkSockets } from './udp.ts';

export interface PreparedLink {
  readonly sockets: LinkSockets;
  readonly messaging: LinkConfiguration;
}

export function prepareLink(settings: LinkSettings): PreparedLink {
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
export const peerAddresses = ({ peers, port }: LinkSettings): readonly HostAndPort[] =>
  peers.map((peer) => addressOf(peer, port));

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** `10.0.0.1`, `10.0.0.1:5405`, `fd00::1`, `[fd00::1]:5405`. */
export function addressOf(text: string, port: number): HostAndPort {
  const withPort = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (withPort !== null) return { host: withPort[1] ?? withPort[2] ?? '', port: Number(withPort[3]) };
  return { host: text.replace(/^\[|\]$/g, ''), port };
}
