/**
 * A cluster key on its way to the other nodes: sealed under a key that they have. The datagrams that carry it are sealed
 * as well; but a message is also stored, delivered and recorded, and none of those may hold a key in clear.
 *
 *     W = HKDF-SHA-256(present key, salt = 16 random bytes, info = "systole/1/key-wrap" ‖ cluster name, 32)
 *     sealed = salt ‖ AES-256-GCM under W, nonce 0 (W is used once) ‖ tag
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { ClusterKey } from './configuration.ts';

const saltBytes = 16;
const keyBytes = 32;
const tagBytes = 16;
const nonce = new Uint8Array(12);

const derived = (key: Uint8Array, salt: Uint8Array | string, info: string, length: number): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, salt, info, length));

/** `salt`: 16 random bytes, never used before. */
export function wrapKey(under: ClusterKey, clusterName: string, key: Uint8Array, salt: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', derived(under.key, salt, `systole/1/key-wrap${clusterName}`, 32), nonce);
  const text = Buffer.concat([cipher.update(key), cipher.final()]);
  return new Uint8Array(Buffer.concat([salt, text, cipher.getAuthTag()]));
}

/** The key in it, or undefined if it was not sealed under this key for this cluster. */
export function unwrapKey(under: ClusterKey, clusterName: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length !== saltBytes + keyBytes + tagBytes) return undefined;
  const salt = sealed.subarray(0, saltBytes);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    derived(under.key, salt, `systole/1/key-wrap${clusterName}`, 32),
    nonce,
    { authTagLength: tagBytes },
  );
  decipher.setAuthTag(sealed.subarray(saltBytes + keyBytes));
  const key = decipher.update(sealed.subarray(saltBytes, saltBytes + keyBytes));
  try {
    decipher.final();
  } catch {
    return undefined; // another key, or a bit is wrong
  }
  return new Uint8Array(key);
}

/** Eight digits that tell keys apart and say nothing about them: a digest of 256 unknown bits has no way back. */
export const keyPrint = ({ key }: Pick<ClusterKey, 'key'>, clusterName: string): string =>
  Buffer.from(derived(key, clusterName, 'systole/1/key-print', 4)).toString('hex');
