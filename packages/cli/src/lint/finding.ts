/** What a check finds, and what several checks need. */
import type { AttributeSet, Primitive } from '@systole/cib';
import type { Item } from '../language/items.ts';

export interface Finding {
  readonly level: 'error' | 'warning';
  /** What the finding is about: an id, or nothing. */
  readonly id?: string;
  readonly text: string;
  readonly advice: string;
}

/** As the cluster reads an option that is on by default: what is neither yes nor no leaves it on. */
export const isNo = (text: string | undefined): boolean => /^(?:false|no|off|n|0)$/i.test(text ?? '');
export const isYes = (text: string | undefined): boolean => /^(?:true|yes|on|y|1)$/i.test(text ?? '');

export const isDevice = (primitive: Primitive, items: readonly Item[]): boolean => {
  const template = items.find((item) => item.kind === 'template' && item.id === primitive.template);
  return (primitive.agent ?? (template?.kind === 'template' ? template.value.agent : undefined))?.class === 'stonith';
};

export const values = (sets: readonly AttributeSet[], name: string): string | undefined =>
  sets.flatMap((set) => set.pairs).find((pair) => pair.name === name)?.value;
