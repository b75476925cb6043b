/**
 * Numbers for nodes. The wire knows nodes by 16 bits; operators know them by name. Every node must give every other the
 * same number without asking, whatever else its list contains, so the number is a digest of the name alone.
 *
 * Rejected: the place in the list of nodes. Two files that list the nodes in another order, or one with a node more,
 * would give one number to two nodes, and the two would take each other's datagrams for their own.
 */
import { fail, ok, type Result } from '@systole/kernel';
import type { NodeId } from '@systole/messaging';

/** FNV-1a over the name's UTF-16 code units, folded to 1 … 65535. */
export function nodeIdOf(name: string): NodeId {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193) >>> 0;
  }
  return (((hash >>> 16) ^ (hash & 0xffff)) % 65_535) + 1;
}

/** Names and numbers of a set of nodes. Fails where a name comes twice or two names share a number (1 in 65 535). */
export class NodeIds {
  readonly #names = new Map<NodeId, string>();
  readonly #ids = new Map<string, NodeId>();

  private constructor(names: readonly string[]) {
    for (const name of names) {
      this.#names.set(nodeIdOf(name), name);
      this.#ids.set(name, nodeIdOf(name));
    }
  }

  static of(names: readonly string[]): Result<NodeIds, string> {
    for (const [index, name] of names.entries()) {
      const twin = names.findIndex((other) => nodeIdOf(other) === nodeIdOf(name));
      if (twin === index) continue;
      const other = names[twin] ?? '';
      return other === name
        ? fail(`two nodes have the name ${name}; each needs a name of its own`)
        : fail(`the names ${other} and ${name} have the same number on the wire; rename one of them`);
    }
    return ok(new NodeIds(names));
  }

  get all(): readonly NodeId[] {
    return [...this.#names.keys()].toSorted((a, b) => a - b);
  }

  id(name: string): NodeId | undefined {
    return this.#ids.get(name);
  }

  name(id: NodeId): string | undefined {
    return this.#names.get(id);
  }

  has(name: string): boolean {
    return this.#ids.has(name);
  }

  get names(): readonly string[] {
    return [...this.#ids.keys()];
  }
}
