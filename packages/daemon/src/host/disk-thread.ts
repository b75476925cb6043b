/** The thread that a hanging path to the witness's disk may stop: one request at a time, each answered when it is done. */
import { parentPort, workerData } from 'node:worker_threads';
import { DiskArea } from './disk-area.ts';

export interface DiskThreadData {
  readonly path: string;
  readonly cluster: string;
  readonly self: number;
}

export type ToDiskThread = { readonly type: 'readAll' } | { readonly type: 'write'; readonly bytes: Uint8Array };

export type FromDiskThread =
  | { readonly type: 'read'; readonly nodes: readonly number[]; readonly slots: readonly Uint8Array[] }
  | { readonly type: 'written' }
  | { readonly type: 'failed'; readonly problem: string };

const { path, cluster, self } = workerData as DiskThreadData;
let area: DiskArea | undefined;
let place = -1;

function answer(request: ToDiskThread): FromDiskThread {
  try {
    area ??= DiskArea.open(path);
    if (request.type === 'write') {
      if (place < 0) throw new Error('this node has no slot on the disk');
      area.writeSlot(place, request.bytes);
      return { type: 'written' };
    }
    const { header, slots } = area.read();
    if (header.cluster !== cluster) throw new Error(`the disk is the witness of the cluster ${header.cluster}`);
    place = header.nodes.indexOf(self);
    if (place < 0)
      throw new Error('this node has no slot on the disk; "systoled --config FILE --make-witness" gives it one');
    return { type: 'read', nodes: header.nodes, slots };
  } catch (error) {
    area?.close();
    area = undefined; // a disk that comes back is another file
    return { type: 'failed', problem: (error as Error).message };
  }
}

parentPort?.on('message', (request: ToDiskThread) => parentPort?.postMessage(answer(request)));
