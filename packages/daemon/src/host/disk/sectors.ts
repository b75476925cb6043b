/** Carries disk procedures out on a device or file; they block, so this is for a thread or process that nobody waits for. */
import { DiskError, type DiskProcedure, headerBytesMax } from '@systole/stonith';
import { DirectFile } from '../direct-file.ts';

/** All slots of a disk with sectors of 4096 bytes, at once. */
const bytesMax = 2 * 256 * headerBytesMax;

export class Sectors {
  readonly #file: DirectFile;

  private constructor(file: DirectFile) {
    this.#file = file;
  }

  /** @throws DiskError */
  static open(path: string): Sectors {
    const file = attempt(() => DirectFile.open(path, bytesMax), 'cannot be opened: ');
    if (file.isDirect) return new Sectors(file);
    file.close();
    throw new DiskError('cannot be read past its cache: other machines would not be seen');
  }

  get sectorBytes(): number {
    return this.#file.sectorBytes;
  }

  /** @throws DiskError where the disk fails, or holds what it must not. */
  run<Value>(procedure: DiskProcedure<Value>): Value {
    for (let at = procedure.next(new Uint8Array()); ;) {
      if (at.done === true) return at.value;
      const step = at.value;
      let answer: Uint8Array = new Uint8Array();
      try {
        if (step.type === 'read') answer = attempt(() => this.#file.read(step.offset, step.length));
        else if (step.type === 'write') attempt(() => this.#file.write(step.offset, step.content));
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, step.ms);
      } catch (error) {
        at = procedure.throw(error);
        continue;
      }
      at = procedure.next(answer);
    }
  }

  close(): void {
    this.#file.close();
  }
}

function attempt<Value>(work: () => Value, what = ''): Value {
  try {
    return work();
  } catch (error) {
    throw new DiskError(`${what}${(error as Error).message}`, { cause: error });
  }
}
