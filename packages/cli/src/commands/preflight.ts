/** What is missing on this machine for a cluster to work well. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Sentences about what is missing on this machine. Nothing here stops a cluster from being made. */
export function preflight(): readonly string[] {
  const missing: string[] = [];
  const has = (program: string): boolean =>
    spawnSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
  if (!has('ip')) missing.push('the program "ip" (iproute2) is missing: addresses cannot be moved');
  if (!has('arping')) missing.push('the program "arping" is missing: neighbours learn late that an address has moved');
  if (!has('systemctl')) missing.push('there is no systemd here: start the daemon yourself, systoled --config FILE');
  if (!existsSync('/dev/watchdog'))
    missing.push('there is no /dev/watchdog: a node that hangs can only be fenced from outside');
  return missing;
}
