/**
 * Values of parameters that are kept out of the configuration, in files of each node: the place and form of Pacemaker's
 * cibsecret, so that existing ones go on working. The configuration says `lrm://` where such a value is meant.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystoleError } from '@systole/kernel';

export const secretsFolder = '/var/lib/pacemaker/lrm/secrets';

/** What the configuration says instead of the value. */
export const secretMark = 'lrm://';

/** The names of files are made of these; nothing else may lead out of the folder. */
const safeName = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;

const digest = (value: string): string => createHash('md5').update(value).digest('hex');

export class SecretFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined if there is none. */
  read(resource: string, parameter: string): string | undefined {
    return this.#reading(this.#path(resource, parameter))?.replace(/\n$/, '');
  }

  write(resource: string, parameter: string, value: string): void {
    const path = this.#path(resource, parameter);
    attempt(path, () => {
      mkdirSync(join(this.#folder, resource), { recursive: true, mode: 0o700 });
      for (const [file, content] of [
        [path, value],
        [`${path}.sign`, digest(value)],
      ] as const) {
        writeFileSync(file, content, { mode: 0o600 });
        chmodSync(file, 0o600); // it may have been there with another mode
      }
    });
  }

  remove(resource: string, parameter: string): void {
    const path = this.#path(resource, parameter);
    attempt(path, () => {
      rmSync(path, { force: true });
      rmSync(`${path}.sign`, { force: true });
    });
  }

  /** Whether the file is what was written: its digest stands beside it. */
  isIntact(resource: string, parameter: string): boolean {
    const path = this.#path(resource, parameter);
    const [value, sign] = [this.#reading(path), this.#reading(`${path}.sign`)];
    return value !== undefined && sign?.trim() === digest(value);
  }

  #path(resource: string, parameter: string): string {
    for (const name of [resource, parameter])
      if (!safeName.test(name)) throw new SystoleError('invalid', `"${name}" cannot be the name of a file of secrets`);
    return join(this.#folder, resource, parameter);
  }

  #reading(path: string): string | undefined {
    return attempt(path, () => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    });
  }
}

/** @throws SystoleError `permission` or `failed`, naming the file. */
function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isForbidden = code === 'EACCES' || code === 'EPERM';
    throw new SystoleError(
      isForbidden ? 'permission' : 'failed',
      isForbidden ? `only root may use the secrets of this node (${path})` : message,
    );
  }
}
