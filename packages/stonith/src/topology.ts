/** Fencing levels: which devices, together, fence a node; level by level until one succeeds. */
import type { FencingLevel, FencingTarget } from '@systole/cib';
import { byNumber } from '@systole/kernel';
import type { FencerNode } from './contract.ts';
import { sameName } from './device.ts';

export const levelIndexMax = 9;

/** Devices in order, by rising level. Empty: the node has no topology, and any device that can fence it will do. */
export function levelsFor(
  target: string,
  levels: readonly FencingLevel[],
  nodes: readonly FencerNode[],
): readonly (readonly string[])[] {
  const named = levels.filter((level) => level.target.type === 'node' && sameName(level.target.name, target));
  const fitting = named.length > 0 ? named : sameKind(levels.filter((level) => matches(level.target, target, nodes)));
  const valid = fitting.filter(({ index }) => index >= 1 && index <= levelIndexMax);
  const indexes = [...new Set(valid.map(({ index }) => index))].toSorted(byNumber);
  return indexes.map((index) => valid.filter((level) => level.index === index).flatMap(({ devices }) => devices));
}

/** Of several patterns or attributes that fit, the one configured first counts: levels of two are never mixed. */
function sameKind(levels: readonly FencingLevel[]): readonly FencingLevel[] {
  const key = ({ target }: FencingLevel): string => JSON.stringify(target);
  const first = levels[0];
  return first === undefined ? [] : levels.filter((level) => key(level) === key(first));
}

function matches(target: FencingTarget, name: string, nodes: readonly FencerNode[]): boolean {
  switch (target.type) {
    case 'node':
      return sameName(target.name, name);
    case 'pattern':
      return posixPattern(target.pattern)?.test(name) ?? false;
    case 'attribute': {
      const node = nodes.find((candidate) => sameName(candidate.name, name));
      return node?.attributes[target.name] === target.value;
    }
  }
}

const characterClasses: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
};

/** A POSIX extended expression as one of ours; `undefined` if it is none. Unanchored, with regard to case. */
export function posixPattern(pattern: string): RegExp | undefined {
  const translated = pattern.replace(/\[:(\w+):\]/g, (whole, name: string) => characterClasses[name] ?? whole);
  try {
    return new RegExp(translated);
  } catch {
    return undefined;
  }
}
