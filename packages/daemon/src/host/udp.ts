/**
 * The sockets of a node: two a link. One is bound to the group's address, which on Linux keeps out the datagrams of other
 * groups on the same port, and only listens. The other is bound to the link's own address, sends everything, and
 * receives what peers send to this node alone.
 *
 * Nothing is decided here: every datagram is handed on with the link and the way by which it came, and every error
 * of sending with its code.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { isIP, isIPv6 } from 'node:net';

export interface LinkSockets {
  readonly link: number;
  /** This node's address on the link; empty where it is whatever the interface has. */
  readonly address: string;
  /** The interface whose address it is, where that was configured. */
  readonly interface?: string;
  readonly port: number;
  /** Absent where peers are reached one by one. */
  readonly group?: string;
  /** How many routers a datagram may pass; 1: none. */
  readonly ttl: number;
  /** Several nodes share this host: they hear each other's multicast, and their own addresses have a port each. */
  readonly isLoopback: boolean;
}

export interface Datagram {
  readonly link: number;
  readonly via: 'multicast' | 'unicast';
  readonly from: { readonly host: string; readonly port: number };
  readonly bytes: Uint8Array;
}

export interface UdpEvents {
  readonly received: (datagram: Datagram) => void;
  /** A send or a socket failed: `ENETUNREACH`, `EPERM`, `EADDRNOTAVAIL`, … */
  readonly failed: (link: number, code: string) => void;
}

/** Where to send is an address nearly always: nothing to look up, and no turn of the event loop to wait for it. */
const lookUp: SocketOptions['lookup'] = (host, options, callback) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, callback);
  else callback(null, host, family);
};

/** Asked of the kernel for each socket; a backlog of a stalled node must fit. */
const receiveBufferBytes = 4 * 1024 * 1024;

export class Link {
  readonly options: LinkSockets;
  readonly #sockets: readonly Socket[];
  readonly #own: Socket;
  readonly #listening: { readonly socket: Socket; readonly group: string; readonly via: string } | undefined;
  readonly #events: UdpEvents;

  private constructor(
    options: LinkSockets,
    own: Socket,
    sockets: readonly Socket[],
    events: UdpEvents,
    listening?: { readonly socket: Socket; readonly group: string; readonly via: string },
  ) {
    this.options = options;
    this.#own = own;
    this.#listening = listening;
    this.#sockets = sockets;
    this.#events = events;
  }

  /** @throws if the address is not there, the port is taken or the group cannot be joined. */
  static async open(options: LinkSockets, events: UdpEvents): Promise<Link> {
    const own = await bind(options.address, options.isLoopback ? 0 : options.port, options, 'unicast', events);
    const { group } = options;
    if (group === undefined) return new Link(options, own, [own], events);

    const listening = await bind(group, options.port, options, 'multicast', events);
    // IPv6 names an interface by its zone, IPv4 by one of its addresses.
    const via = isIPv6(options.address) ? `::%${interfaceOf(options.address)}` : options.address;
    listening.addMembership(group, via);
    own.setMulticastInterface(via);
    own.setMulticastTTL(options.ttl);
    own.setMulticastLoopback(options.isLoopback);
    return new Link(options, own, [own, listening], events, { socket: listening, group, via });
  }

  /** The port that peers answer to. */
  get port(): number {
    return this.#own.address().port;
  }

  send(to: { readonly host: string; readonly port: number } | 'multicast', bytes: Uint8Array): void {
    const { group, port, link } = this.options;
    const host = to === 'multicast' ? group : to.host;
    if (host === undefined) return this.#events.failed(link, 'ENOGROUP');
    this.#own.send(bytes, to === 'multicast' ? port : to.port, host, (error) => {
      if (error !== null) this.#events.failed(link, (error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
    });
  }

  /** Leaves the group and joins it again: switches that snoop forget members that have been quiet for long. */
  rejoin(): void {
    if (this.#listening === undefined) return;
    const { socket, group, via } = this.#listening;
    try {
      socket.dropMembership(group, via);
      socket.addMembership(group, via);
    } catch (error) {
      this.#events.failed(this.options.link, (error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

async function bind(
  address: string,
  port: number,
  options: LinkSockets,
  via: Datagram['via'],
  events: UdpEvents,
): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    reuseAddr: via === 'multicast',
    lookup: lookUp,
  });
  const isBound = once(socket, 'listening'); // rejects with the socket's error
  socket.bind({ address, port, exclusive: true });
  await isBound;
  socket.setRecvBufferSize(receiveBufferBytes);
  socket.on('error', (error: NodeJS.ErrnoException) => events.failed(options.link, error.code ?? 'UNKNOWN'));
  socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
    events.received({ link: options.link, via, from: { host: from.address, port: from.port }, bytes });
  });
  return socket;
}

/** @throws Error if no interface has the address. */
function interfaceOf(address: string): string {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((one) => one.address === address)) return name;
  }
  throw new Error(`no interface has the address ${address}`);
}
