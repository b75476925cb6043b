import { describe, expect, test } from 'vitest';
import type { ColocationRule } from '../../src/constraints/constraint.ts';
import { constraintsOf, dummy, meta } from '../support/cluster.ts';

const three = dummy('web') + dummy('db') + dummy('log');
const brief = ({ dependent, primary, score }: ColocationRule): string => `${dependent.id} with ${primary.id} ${score}`;
const read = (constraints: string, tags?: string): readonly string[] =>
  constraintsOf({ resources: three, constraints, ...(tags === undefined ? {} : { tags }) }).colocations.map(brief);

describe('a colocation', () => {
  test('relates its dependent to its primary', () => {
    expect(read('<rsc_colocation id="c" rsc="web" with-rsc="db" score="INFINITY"/>')).toEqual(['web with db 1000000']);
  });

  test('of score 0 means nothing', () => {
    expect(read('<rsc_colocation id="c" rsc="web" with-rsc="db" score="0"/>')).toEqual([]);
  });

  test('with an unknown resource is reported and left out', () => {
    const { colocations, messages } = constraintsOf({
      resources: three,
      constraints: '<rsc_colocation id="c" rsc="web" with-rsc="ghost" score="10"/>',
    });
    expect(colocations).toEqual([]);
    expect(messages.map(({ text }) => text)).toEqual([
      'constraint c is ignored: there is no resource, template or tag "ghost"',
    ]);
  });

  test('lets a resource that is not critical follow without pulling', () => {
    const resources = dummy('web', meta('web', { critical: 'false' })) + dummy('db');
    const constraints = '<rsc_colocation id="c" rsc="web" with-rsc="db" score="10"/>';
    expect(constraintsOf({ resources, constraints }).colocations[0]?.hasInfluence).toBe(false);
    const explicit = '<rsc_colocation id="c" rsc="web" with-rsc="db" score="10" influence="true"/>';
    expect(constraintsOf({ resources, constraints: explicit }).colocations[0]?.hasInfluence).toBe(true);
  });

  test('of -INFINITY also keeps the two from meeting: who loses the place goes before who gains it', () => {
    const { orders } = constraintsOf({
      resources: three,
      constraints: '<rsc_colocation id="c" rsc="web" with-rsc="db" score="-INFINITY"/>',
    });
    const ends = orders.map(({ first, then }) =>
      [first, then].map((end) => (end.type === 'action' ? `${end.action} ${end.resource.id}` : '')).join(' then '),
    );
    expect(ends).toEqual(['stop web then start db', 'stop db then start web']);
    expect(orders.every(({ effects }) => effects.includes('ifRequiredOnSameNode'))).toBe(true);
  });
});

const set = (id: string, members: readonly string[], attributes = ''): string =>
  `<resource_set id="${id}" ${attributes}>${members.map((member) => `<resource_ref id="${member}"/>`).join('')}</resource_set>`;

describe('a colocation set', () => {
  test('with a positive score is a chain: each goes with the one before it', () => {
    const constraint = `<rsc_colocation id="c" score="10">${set('s', ['web', 'db', 'log'])}</rsc_colocation>`;
    expect(read(constraint)).toEqual(['db with web 10', 'log with db 10']);
  });

  test('with a negative score keeps all of its members apart', () => {
    const constraint = `<rsc_colocation id="c" score="-10">${set('s', ['web', 'db', 'log'])}</rsc_colocation>`;
    expect(read(constraint)).toEqual(['db with web -10', 'log with web -10', 'log with db -10']);
  });

  test('that is not sequential says nothing of its members among themselves', () => {
    const constraint = `<rsc_colocation id="c" score="10">${set('s', ['web', 'db'], 'sequential="false"')}</rsc_colocation>`;
    expect(read(constraint)).toEqual([]);
  });

  test('depends on the next set: the first member of a chain, or every member, on the last of a chain, or every one', () => {
    const both = `<rsc_colocation id="c" score="10">${set('s', ['web'])}${set('t', ['db', 'log'])}</rsc_colocation>`;
    expect(read(both)).toEqual(['log with db 10', 'web with log 10']);
    const loose = `<rsc_colocation id="c" score="10">${set('s', ['web'])}${set('t', ['db', 'log'], 'sequential="false"')}</rsc_colocation>`;
    expect(read(loose)).toEqual(['web with db 10', 'web with log 10']);
  });
});

describe('a tag in a colocation', () => {
  const tags = '<tag id="back"><obj_ref id="db"/><obj_ref id="log"/></tag>';

  test('stands for each of its members with the other end', () => {
    expect(read('<rsc_colocation id="c" rsc="back" with-rsc="web" score="10"/>', tags)).toEqual([
      'db with web 10',
      'log with web 10',
    ]);
  });

  test('at both ends is reported and left out', () => {
    const constraints = '<rsc_colocation id="c" rsc="back" with-rsc="back" score="10"/>';
    const { colocations, messages } = constraintsOf({ resources: three, constraints, tags });
    expect(colocations).toEqual([]);
    expect(messages[0]?.text).toContain('cannot be colocated with each other');
  });
});
