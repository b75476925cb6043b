/**
 * The seal around every datagram, as an interface: the core derives keys and asks to seal and open, and never sees how.
 * Production uses AES-256-GCM (seal-crypto.ts); most simulations use `identitySeal`, which costs nothing and still
 * notices corruption.
 */
import type { ClusterKey } from './configuration.ts';
import type { NodeId } from './surface.ts';

/** Seals or opens the datagrams of one session of one node under one cluster key. */
export interface SessionCipher {
  /**
   * Seals `length` bytes of `datagram` from offset 32 on in place; the header before them is authenticated as it is.
   * The 16 bytes after them become the tag. A counter must never come twice.
   */
  seal(datagram: Uint8Array, length: number, counter: number): void;
  /** The plaintext behind the header, or undefined if a bit of header, text or tag is not as sealed. */
  open(datagram: Uint8Array, counter: number): Uint8Array | undefined;
}

export interface Seal {
  /** The first four bytes of a digest of the cluster's name: tells clusters on one group apart before any decryption. */
  readonly clusterTag: (clusterName: string) => number;
  /** `session` is 64 random bits as two unsigned halves. Costs tens of microseconds: keep the result. */
  readonly cipher: (
    key: ClusterKey,
    clusterName: string,
    node: NodeId,
    session: readonly [high: number, low: number],
  ) => SessionCipher;
}

function checksum(bytes: Uint8Array, end: number, salt: number): number {
  let hash = (0x811c9dc5 ^ salt) >>> 0;
  for (let at = 0; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193) >>> 0;
  return hash;
}

/**
 * A seal for simulations: no secrecy, but a tag over everything and the key's first bytes, so that corruption, a wrong
 * key and a wrong session are refused as the real seal would.
 */
export const identitySeal: Seal = {
  clusterTag: (name) => {
    let hash = 0x811c9dc5;
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0;
    return hash;
  },
  cipher: ({ key }, _name, node, [high, low]) => {
    const salt = (((key[0] ?? 0) << 24) ^ ((key[1] ?? 0) << 16) ^ node ^ high ^ Math.imul(low, 31)) >>> 0;
    return {
      seal: (datagram, length) => {
        const end = 32 + length;
        datagram.fill(0, end, end + 16);
        new DataView(datagram.buffer, datagram.byteOffset).setUint32(end, checksum(datagram, end, salt));
      },
      open: (datagram) => {
        const end = datagram.length - 16;
        if (end < 32) return undefined;
        const stored = new DataView(datagram.buffer, datagram.byteOffset).getUint32(end);
        for (let at = end + 4; at < datagram.length; at++) if (datagram[at] !== 0) return undefined;
        return stored === checksum(datagram, end, salt) ? datagram.subarray(32, end) : undefined;
      },
    };
  },
};
