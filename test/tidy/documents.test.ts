import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, read, root } from '../support/repository.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...filesBelow('docs', ['.md']),
  ...filesBelow('packages', ['.md']),
  ...filesBelow('examples', ['.md']),
];

const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```/gu, '').replaceAll(/`[^`\n]*`/gu, '');

/** The anchor that a heading gets on the usual hosts. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/gu, '-');

const anchors = (page: string): readonly string[] =>
  [...read(page).matchAll(/^#+\s+(.+)$/gmu)].map((match) => anchorOf((match[1] ?? '').replaceAll('`', '')));

describe('the documents', () => {
  test.for(pages)('%s has no dead link', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/gu)].map((match) => match[1] ?? '');
    const dead = links.filter((link) => {
      if (/^[a-z]+:/u.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchors(target).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  test('stand without the workshop beside the project', () => {
    const leaning = pages.filter((page) => /\]\([^)]*\.\.\/shared/u.test(read(page)));
    expect(leaning).toEqual([]);
  });
});
