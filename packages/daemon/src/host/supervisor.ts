/**
 * Tells systemd that the daemon is ready, that it lives, and that it stops. Node has no Unix datagram sockets, so
 * `systemd-notify` carries the word; without `NOTIFY_SOCKET` nobody waits for it and nothing is done.
 */
import { execFile } from 'node:child_process';

/** `READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`. Fulfilled whether or not systemd took it; `problem` says why not. */
export function notifySupervisor(...words: readonly string[]): Promise<{ readonly problem?: string }> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return Promise.resolve({});
  return new Promise((resolve) => {
    // The notification counts as ours only with our process id: systemd checks the sender's.
    execFile('systemd-notify', [`--pid=${process.pid}`, ...words], (error) => {
      resolve(error === null ? {} : { problem: `systemd-notify: ${error.message}` });
    });
  });
}
