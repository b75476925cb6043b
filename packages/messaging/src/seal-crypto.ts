/**
 * The production seal: AES-256-GCM under a key of its own for every session of every node.
 *
 *     K = HKDF-SHA-256(cluster key, salt = SHA-256(cluster name), info = "systole/1/datagram" ‖ node ‖ session)
 *     nonce = 0000 ‖ counter, additional data = the 32 bytes of the header
 *
 * A nonce cannot repeat: the key is unique per (node, session), the counter within it. AES rather than ChaCha20 because
 * processors have instructions for it (7.9 µs against 9.7 for 1300 bytes); key objects are made once a session.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync } from 'node:crypto';
import type { Seal, SessionCipher } from './seal.ts';

const HEADER = 32;
const TAG = 16;
const algorithm = 'aes-256-gcm';

export const cryptoSeal: Seal = {
  clusterTag: (name) => createHash('sha256').update(`systole/1/${name}`).digest().readUInt32BE(0),

  cipher: ({ key }, clusterName, node, [high, low]): SessionCipher => {
    const info = Buffer.alloc(28);
    info.write('systole/1/datagram', 0, 'latin1');
    info.writeUInt16BE(node, 18);
    info.writeUInt32BE(high, 20);
    info.writeUInt32BE(low, 24);
    const salt = createHash('sha256').update(clusterName).digest();
    const secret = createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, info, 32)));

    const nonce = Buffer.alloc(12);
    const setNonce = (counter: number): void => {
      nonce.writeUInt32BE(Math.floor(counter / 2 ** 32), 4);
      nonce.writeUInt32BE(counter >>> 0, 8);
    };
    return {
      seal: (datagram, length, counter) => {
        setNonce(counter);
        const cipher = createCipheriv(algorithm, secret, nonce);
        cipher.setAAD(datagram.subarray(0, HEADER));
        const sealed = cipher.update(datagram.subarray(HEADER, HEADER + length));
        cipher.final();
        datagram.set(sealed, HEADER);
        datagram.set(cipher.getAuthTag(), HEADER + length);
      },
      open: (datagram, counter) => {
        const end = datagram.length - TAG;
        if (end < HEADER) return undefined;
        setNonce(counter);
        const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: TAG });
        decipher.setAAD(datagram.subarray(0, HEADER));
        decipher.setAuthTag(datagram.subarray(end));
        const plain = decipher.update(datagram.subarray(HEADER, end));
        try {
          decipher.final();
        } catch {
          return undefined; // the tag does not fit: counted by the caller as unauthenticated
        }
        return plain;
      },
    };
  },
};
