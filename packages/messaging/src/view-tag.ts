/** The names of views: a number that grows, and a hash that tells apart attempts of equal number. */
import type { Identity } from './frames.ts';
import type { NodeId, ViewTag } from './surface.ts';

/** Names no view. */
export const noView: ViewTag = { number: 0, hash: 0 };

export const sameTag = (a: ViewTag, b: ViewTag): boolean => a.number === b.number && a.hash === b.hash;

/** The tag of the view that `initiator` proposes: anybody who is told the members can check it. */
export function tagOf(number: number, initiator: NodeId, incarnation: number, members: readonly Identity[]): ViewTag {
  let hash = 0x811c9dc5;
  const mix = (value: number): void => {
    for (let rest = value, bytes = 0; bytes < 6; bytes++, rest = Math.floor(rest / 256)) {
      hash = Math.imul(hash ^ (rest % 256), 0x01000193) >>> 0;
    }
  };
  mix(number);
  mix(initiator);
  mix(incarnation);
  for (const member of members) {
    mix(member.node);
    mix(member.incarnation);
  }
  return { number, hash };
}
