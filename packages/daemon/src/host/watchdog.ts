/**
 * The machine's watchdog: while it is open it must be fed, else the machine resets. So a node whose daemon hangs, or has
 * lost quorum and cannot stop its services, goes down by itself, within a time that its peers know.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export class Watchdog {
  readonly #device: FileHandle;

  private constructor(device: FileHandle) {
    this.#device = device;
  }

  /** From here on the machine resets unless `feed` is called in time. @throws if the device cannot be opened. */
  static async open(path: string): Promise<Watchdog> {
    return new Watchdog(await open(path, constants.O_WRONLY));
  }

  async feed(): Promise<void> {
    await this.#device.write('.');
  }

  /** Stops the countdown, for a daemon that leaves in order. Drivers built with `nowayout` go on all the same. */
  async disarm(): Promise<void> {
    await this.#device.write('V');
    await this.#device.close();
  }
}
