/** A disk that all machines of a laboratory can reach: a file with a file system in it, on a loop device while mounted. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

export interface SharedDisk extends AsyncDisposable {
  readonly image: string;
}

/** `fill` is shell text that runs in the mounted disk's folder, once. */
export async function makeSharedDisk(fill: string, size = '512M'): Promise<SharedDisk> {
  const work = await mkdtemp(join(tmpdir(), 'systole-disk-'));
  await chmod(work, 0o755); // a service's own user passes through it
  const image = join(work, 'disk.img');
  const mounted = join(work, 'mounted');
  await run(['truncate', '-s', size, image]);
  await run(['mkfs.ext4', '-q', image]);
  const script = `mkdir ${mounted} && mount -o loop ${image} ${mounted} && cd ${mounted} && { ${fill}; }; status=$?; cd /; umount ${mounted}; exit $status`;
  await run(['unshare', '--mount', 'sh', '-c', script], { timeoutMs: 120_000 });
  return { image, [Symbol.asyncDispose]: () => rm(work, { recursive: true, force: true }) };
}
