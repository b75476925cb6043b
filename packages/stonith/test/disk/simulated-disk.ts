/** A disk in memory that can hang, refuse, tear a write in the middle, and be shared by procedures that take turns. */
import { DiskError, type DiskProcedure, type DiskStep } from '../../src/disk/procedures.ts';

export class SimulatedDisk {
  readonly bytes: Uint8Array;
  /** Everything fails from now on. */
  isBroken = false;
  /** The next write reaches the disk only up to this many bytes, and then fails. */
  tearAfterBytes: number | undefined;
  writes = 0;

  constructor(bytes = 1024 * 1024) {
    this.bytes = new Uint8Array(bytes);
  }

  read(offset: number, length: number): Uint8Array {
    if (this.isBroken) throw new DiskError('input/output error');
    return this.bytes.slice(offset, offset + length);
  }

  write(offset: number, content: Uint8Array): void {
    if (this.isBroken) throw new DiskError('input/output error');
    this.writes += 1;
    const torn = this.tearAfterBytes;
    this.tearAfterBytes = undefined;
    this.bytes.set(torn === undefined ? content : content.subarray(0, torn), offset);
    if (torn !== undefined) throw new DiskError('power lost');
  }
}

/** A procedure on a disk, step by step, so that several can take turns. */
export class Running<Value> {
  readonly #procedure: DiskProcedure<Value>;
  readonly #disk: SimulatedDisk;
  #at: IteratorResult<DiskStep, Value>;

  constructor(disk: SimulatedDisk, procedure: DiskProcedure<Value>) {
    this.#disk = disk;
    this.#procedure = procedure;
    this.#at = procedure.next(new Uint8Array());
  }

  get isOver(): boolean {
    return this.#at.done === true;
  }

  get value(): Value {
    if (this.#at.done !== true) throw new Error('it goes on');
    return this.#at.value;
  }

  step(): void {
    if (this.#at.done === true) return;
    const step = this.#at.value;
    let answer: Uint8Array = new Uint8Array();
    try {
      if (step.type === 'read') answer = this.#disk.read(step.offset, step.length);
      if (step.type === 'write') this.#disk.write(step.offset, step.content);
    } catch (error) {
      this.#at = this.#procedure.throw(error);
      return;
    }
    this.#at = this.#procedure.next(answer);
  }
}

/** A procedure from its beginning to its end. */
export function run<Value>(disk: SimulatedDisk, procedure: DiskProcedure<Value>): Value {
  const running = new Running(disk, procedure);
  while (!running.isOver) running.step();
  return running.value;
}
