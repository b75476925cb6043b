/**
 * What is missing on this machine for a cluster to work well: programs, names, the clock, the port, and whether the
 * cluster is heard. Sentences only; nothing here stops a cluster from being made.
 */
import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';

/** A running node sends a heartbeat every 50 ms; a second is twenty chances. */
const LISTEN_MS = 1000;
/** A resolver that says nothing by then is as good as none. */
const RESOLVE_MS = 2000;

const has = (program: string): boolean =>
  spawnSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;

const says = (program: string, ...args: readonly string[]): string =>
  spawnSync(program, args, { encoding: 'utf8', timeout: RESOLVE_MS }).stdout?.trim() ?? '';

/** The machine itself. */
export function preflight(): readonly string[] {
  const missing: string[] = [];
  if (!has('ip')) missing.push('the program "ip" (iproute2) is missing: addresses cannot be moved');
  if (!has('arping')) missing.push('the program "arping" is missing: neighbours learn late that an address has moved');
  if (!has('systemctl')) missing.push('there is no systemd here: start the daemon yourself, systoled --config FILE');
  if (!existsSync('/dev/watchdog'))
    missing.push('there is no /dev/watchdog: a node that hangs can only be fenced from outside');
  if (says('timedatectl', 'show', '--property=NTPSynchronized', '--value') === 'no')
    missing.push(
      'the clock is not synchronised (chrony or systemd-timesyncd): histories of nodes will not fit, rules with dates fire at different times',
    );
  return missing;
}

export interface NetworkPlan {
  readonly node: string;
  readonly nodes: readonly string[];
  readonly address?: string | undefined;
  readonly port: number;
  readonly multicast?: string | undefined;
  /** The cluster runs already, so it must be heard. */
  readonly isJoining: boolean;
}

/** The network that the cluster is to use, before the daemon runs. */
export async function networkPreflight(plan: NetworkPlan): Promise<readonly string[]> {
  const found = await Promise.all([...names(plan), port(plan)]);
  return [...firewall(plan), ...found.flat()];
}

const names = ({ node, nodes }: NetworkPlan): readonly Promise<readonly string[]>[] =>
  [...new Set([node, ...nodes])].map(async (name) => {
    const address = await Promise.race([
      lookup(name).then(
        (result) => result.address,
        () => undefined,
      ),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), RESOLVE_MS).unref()),
    ]);
    if (address === undefined)
      return [`the name ${name} does not resolve here: enter it in /etc/hosts on all nodes; many agents look names up`];
    return name === node && /^127\.|^::1$/.test(address)
      ? [`${name} resolves to ${address} here: agents that tell others this address will mislead them (/etc/hosts)`]
      : [];
  });

function firewall({ port: number }: NetworkPlan): readonly string[] {
  return says('firewall-cmd', '--state') === 'running'
    ? [
        `firewalld runs here: let the cluster in with firewall-cmd --permanent --add-port=${number}/udp --add-protocol=igmp`,
      ]
    : [];
}

/** Whether the port is free, and who is heard on it. */
async function port({ address, port: number, multicast, isJoining }: NetworkPlan): Promise<readonly string[]> {
  if (address === undefined) return [];
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reuseAddr: multicast !== undefined });
  try {
    await bind(socket, number, multicast ?? address);
    if (multicast === undefined) return [];
    socket.addMembership(multicast, address);
    const isHeard = isJoining && (await hears(socket));
    return !isJoining || isHeard
      ? []
      : [
          `nothing of the cluster is heard at ${multicast}, port ${number}, within ${LISTEN_MS / 1000} s: ` +
            `is a node running? If so, multicast is filtered between you: look at switches (IGMP querier) and firewalls, or use peers in place of multicast`,
        ];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      return [`UDP port ${number} of ${address} is in use: is corosync running here? ss -ulpn says who has it`];
    return [`UDP port ${number} of ${address} cannot be used: ${message}`];
  } finally {
    socket.close();
  }
}

const bind = (socket: Socket, number: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(number, address, resolve);
  });

const hears = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), LISTEN_MS);
    socket.once('message', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
