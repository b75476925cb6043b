/**
 * A failover to look at: three machines made of namespaces, a web server behind a floating address, a client that asks
 * for a page every 10 ms, and the plug of the active machine pulled.
 *
 * Everything runs inside namespaces of its own, those of an ordinary user where the kernel allows that, and is gone when
 * the program ends, however it ends. Where namespaces are not to be had, the cluster runs on loopback, without the
 * floating address, and says so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { isDemoInside, namespaceFlags } from './inside.ts';
import { loopbackDemo } from './loopback.ts';
import { namespacesDemo } from './namespaces.ts';

if (isDemoInside()) {
  process.exitCode = await namespacesDemo();
} else {
  const problem = whyNoNamespaces();
  if (problem === undefined) {
    process.exitCode = await runInside();
  } else {
    process.stdout.write(
      `Three machines on this one need namespaces, and ${problem}.\n` +
        'So the cluster runs on loopback: real daemons and a real service, but no floating address to move.\n\n',
    );
    process.exitCode = await loopbackDemo();
  }
}

/** Why namespaces cannot be made here, or undefined if they can. */
function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  const trial = spawnSync(
    'unshare',
    [...namespaceFlags(), 'sh', '-c', 'ip link add demo0 type bridge && mount -t tmpfs none /run && nsenter --version'],
    { encoding: 'utf8' },
  );
  if (trial.error !== undefined) return 'the program unshare (package util-linux) is not installed';
  if (trial.status === 0) return undefined;
  const reason = trial.stderr.trim().split('\n').at(-1) ?? '';
  return `the system refuses them${reason === '' ? '' : ` (${reason})`}`;
}

/** Runs this program again inside; when it ends, whatever it has made is gone. */
function runInside(): Promise<number> {
  const child = spawn(
    'unshare',
    [...namespaceFlags(), process.execPath, import.meta.filename, ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, SYSTOLE_DEMO_INSIDE: '1' } },
  );
  // The terminal's Ctrl-C reaches the one inside as well; this one waits for it.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
