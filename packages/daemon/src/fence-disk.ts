/**
 * The agent `fence_disk`: options as `name=value` lines on standard input, as all fence agents take them. It is a program
 * beside the daemon, so that a disk that hangs never holds the daemon up.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { disksMax } from '@systole/stonith';
import { fence } from './host/disk/fence.ts';

function readOptions(): ReadonlyMap<string, string> {
  const lines = readFileSync(0, 'utf8').split('\n');
  const isOption = (line: string): boolean => line.includes('=') && !line.startsWith('#');
  return new Map(
    lines.filter(isOption).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

async function main(): Promise<number> {
  const options = readOptions();
  const complain = (text: string): void => void process.stderr.write(`${text}\n`);
  const action = (options.get('action') ?? options.get('option') ?? 'reboot').toLowerCase();
  const disks = (options.get('devices') ?? '').split(/[\s,;]+/u).filter((path) => path !== '');
  const target = options.get('plug') ?? options.get('port') ?? options.get('nodename') ?? '';
  if (disks.length === 0 || disks.length > disksMax) {
    complain(`devices names ${disks.length} disks; 1 to ${disksMax} are needed`);
    return 1;
  }
  if (['on', 'off', 'reboot', 'status'].includes(action) && target === '') {
    complain('which node? there is no plug');
    return 1;
  }
  const watcher = options.get('watcher') ?? 'known';
  if (watcher !== 'known' && watcher !== 'assumed') {
    complain(`watcher is "${watcher}"; it can be known or assumed`);
    return 1;
  }
  const { code, out, complaint } = await fence(action, { disks, target, watcher, report: complain });
  if (out !== undefined && out !== '') process.stdout.write(`${out}\n`);
  if (complaint !== undefined && complaint !== '') complain(complaint);
  return code;
}

process.exitCode = await main();
