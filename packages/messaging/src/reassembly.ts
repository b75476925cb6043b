/**
 * Joins the fragments of messages. As the order is first-in-first-out per origin, an origin's fragments follow each
 * other, and at a view's end all survivors hold the same incomplete ones.
 *
 * What is dropped for its size must be dropped by every member alike, so the decision depends on nothing but the order
 * itself: the bound is a constant, and what counts is the sum over all origins since the view began.
 */
import type { OrderedEntry } from './frames.ts';
import { messageBytesCeiling, reassemblyBytes } from './limits.ts';

interface Part {
  chunks: Uint8Array[];
  bytes: number;
  dropped: boolean;
}

export class Reassembly {
  readonly #parts = new Map<number, Part>();
  #bytes = 0;

  /** Takes the next entry of the order. The message, once whole; 'dropped' at the end of one that was too much. */
  take(entry: OrderedEntry): Uint8Array | 'dropped' | undefined {
    if (entry.first && entry.last) return entry.bytes;
    let part = this.#parts.get(entry.rank);
    if (entry.first || part === undefined) {
      if (part !== undefined) this.#bytes -= part.bytes;
      part = { chunks: [], bytes: 0, dropped: !entry.first };
      this.#parts.set(entry.rank, part);
    }
    const size = entry.bytes.length;
    if (!part.dropped && (part.bytes + size > messageBytesCeiling || this.#bytes + size > reassemblyBytes)) {
      this.#bytes -= part.bytes;
      part.chunks = [];
      part.bytes = 0;
      part.dropped = true;
    }
    if (!part.dropped) {
      part.chunks.push(entry.bytes);
      part.bytes += size;
      this.#bytes += size;
    }
    if (!entry.last) return undefined;
    this.#parts.delete(entry.rank);
    if (part.dropped) return 'dropped';
    this.#bytes -= part.bytes;
    const message = new Uint8Array(part.bytes);
    let at = 0;
    for (const chunk of part.chunks) {
      message.set(chunk, at);
      at += chunk.length;
    }
    return message;
  }
}
