/** Shadow copies: configurations in files, to be worked on in peace and committed later. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Cib } from '@systole/cib';
import { checkCib } from '@systole/cib/schema';
import { SystoleError } from '@systole/kernel';
import { didYouMean } from '../language/suggest.ts';

/** A shadow copy and the live CIB that it was made from: what both sides changed since can be told apart. */
interface ShadowFile {
  readonly base: Cib;
  readonly cib: Cib;
}

/** Where a user's own files are. */
export function userFolder(): string {
  const base = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state');
  return join(base, 'systole');
}

const folder = (): string => join(userFolder(), 'shadow');

function fileOf(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))
    throw new SystoleError('invalid', `"${name}" cannot name a shadow copy; use letters, digits, "-" and "_"`);
  return join(folder(), `${name}.json`);
}

export function shadowNames(): readonly string[] {
  try {
    return readdirSync(folder())
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function read(name: string): ShadowFile {
  let text: string;
  try {
    text = readFileSync(fileOf(name), 'utf8');
  } catch (error) {
    if (error instanceof SystoleError) throw error;
    throw new SystoleError('notFound', `there is no shadow copy "${name}"${didYouMean(name, shadowNames())}`, {
      cause: error,
    });
  }
  const file = JSON.parse(text) as ShadowFile;
  const checked = checkCib(file.cib);
  if (!checked.ok)
    throw new SystoleError('invalid', `the shadow copy "${name}" is damaged: ${checked.error[0]?.message ?? ''}`);
  return file;
}

export const readShadow = (name: string): Cib => read(name).cib;
export const readShadowBase = (name: string): Cib => read(name).base;

export function createShadow(name: string, cib: Cib, base: Cib, mayReplace: boolean): void {
  if (!mayReplace && shadowNames().includes(name))
    throw new SystoleError('refused', `there is a shadow copy "${name}" already; cib delete ${name} removes it`);
  save(name, { base, cib });
}

export function writeShadow(name: string, cib: Cib): void {
  save(name, { base: read(name).base, cib });
}

function save(name: string, file: ShadowFile): void {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(name), JSON.stringify(file), { mode: 0o600 });
}

export function deleteShadow(name: string): void {
  if (!shadowNames().includes(name))
    throw new SystoleError('notFound', `there is no shadow copy "${name}"${didYouMean(name, shadowNames())}`);
  rmSync(fileOf(name));
}
