/**
 * The machine's watchdog: while it is open it must be fed, else the machine resets. So a node whose daemon hangs, or has
 * lost quorum and cannot stop its services, goes down by itself, within a time that its peers know.
 *
 * Reads of its countdown and setting it take ioctl, hence the optional package koffi, or sysfs. Without both the countdown
 * stays the driver's, and nobody here knows it: then nothing that counts on it is promised.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';

/** From <linux/watchdog.h>. */
const setTimeoutRequest = 0xc0045706;
const getTimeoutRequest = 0x80045707;

type Ioctl = (file: number, request: number, value: Int32Array) => number;

export class Watchdog {
  readonly path: string;
  /** Seconds from the last feeding to the reset, if they are known. */
  readonly countdownS: number | undefined;
  readonly #file: number;

  private constructor(path: string, file: number, countdownS: number | undefined) {
    this.path = path;
    this.#file = file;
    this.countdownS = countdownS;
  }

  /**
   * From here on the machine resets unless `feed` is called in time. The countdown is set to `wantedS` where that is
   * possible; drivers round. @throws if the device cannot be opened.
   */
  static async open(path: string, wantedS?: number): Promise<Watchdog> {
    const ioctl = await loadIoctl();
    const file = openSync(path, constants.O_WRONLY);
    if (wantedS !== undefined) ioctl?.(file, setTimeoutRequest, new Int32Array([wantedS]));
    const told = new Int32Array([0]);
    const isTold = ioctl?.(file, getTimeoutRequest, told) === 0;
    return new Watchdog(path, file, isTold ? told[0] : countdownInSysfs(file));
  }

  feed(): void {
    writeSync(this.#file, '.');
  }

  /** Stops the countdown, for a daemon that leaves in order. Drivers built with `nowayout` go on all the same. */
  disarm(): void {
    writeSync(this.#file, 'V');
    closeSync(this.#file);
  }
}

async function loadIoctl(): Promise<Ioctl | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    return koffi.load('libc.so.6').func('int ioctl(int, unsigned long, _Inout_ int *)') as Ioctl;
  } catch {
    return undefined; // an optional package; sysfs may know
  }
}

function countdownInSysfs(file: number): number | undefined {
  try {
    const { rdev } = fstatSync(file);
    const text = readFileSync(`/sys/dev/char/${rdev >> 8}:${rdev & 0xff}/timeout`, 'utf8');
    return Number(text) > 0 ? Number(text) : undefined;
  } catch {
    return undefined; // a kernel without it
  }
}
