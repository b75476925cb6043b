/** What is compared: our engine on real sockets, and an installed corosync with its process groups. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { run as runProgram, until } from '../../lab/command.ts';
import type { Machine } from '../../lab/namespaces.ts';

export interface System {
  readonly name: 'systole' | 'corosync';
  /** Shell text for a machine before it is up. */
  readonly prepare: string;
  /** Starts what a member needs; answers with the command of its client. */
  start(machine: Machine, index: number): Promise<readonly string[]>;
  /** The process that leaves in order when it is sent SIGTERM; absent where the client is told to. */
  readonly leaver?: string;
}

export const addressOf = (index: number): string => `10.77.0.${index}`;

export const systole: System = {
  name: 'systole',
  prepare: '',
  start: (_machine, index) =>
    Promise.resolve([
      process.execPath,
      '--single-threaded',
      join(import.meta.dirname, 'node.ts'),
      String(index),
      addressOf(index),
    ]),
};

export const hasCorosync = (): boolean => ['/usr/sbin/corosync', '/usr/bin/python3'].every((path) => existsSync(path));

/** With its defaults, and encryption as strong as ours. */
export async function corosync(folder: string): Promise<System> {
  const key = join(folder, 'authkey');
  await runProgram(['corosync-keygen', '-l', '-k', key]);
  const nodes = [1, 2, 3].map(
    (index) => `  node {\n    nodeid: ${index}\n    name: n${index}\n    ring0_addr: ${addressOf(index)}\n  }\n`,
  );
  const configuration = join(folder, 'corosync.conf');
  await writeFile(
    configuration,
    `totem {\n  version: 2\n  cluster_name: bench\n  transport: knet\n  crypto_cipher: aes256\n  crypto_hash: sha256\n  keyfile: ${key}\n}\n` +
      `nodelist {\n${nodes.join('')}}\nquorum {\n  provider: corosync_votequorum\n}\nlogging {\n  to_stderr: no\n  to_syslog: no\n}\n`,
  );
  return {
    name: 'corosync',
    prepare: 'mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs /var/lib/corosync &&',
    leaver: 'corosync',
    start: async (machine) => {
      machine.start(['corosync', '-f', '-c', configuration], () => undefined);
      await until(
        'corosync is up',
        async () => (await machine.tryRun(['corosync-cfgtool', '-s'])).code === 0,
        30_000,
        100,
      );
      return ['/usr/bin/python3', join(import.meta.dirname, 'cpg-client.py')];
    },
  };
}
