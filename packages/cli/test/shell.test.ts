import { SystoleError } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { fromConfiguration, LanguageProblem } from '../src/language/index.ts';
import { complete } from '../src/shell/complete.ts';
import { describeFailure, UsageError } from '../src/shell/failure.ts';
import { helpText } from '../src/shell/help.ts';
import type { Names } from '../src/shell/names.ts';
import { readOptions } from '../src/shell/options.ts';
import { find } from '../src/shell/run.ts';
import { root } from '../src/tree.ts';
import { type Command, findEntry, isLevel, type Level, wordsOf } from '../src/tree/entry.ts';
import { configured } from './support.ts';

describe('options', () => {
  test('stand anywhere, and what is not an option is a word', () => {
    const { options, words } = readOptions([
      '--wait=30',
      'node',
      '--socket',
      '/s',
      'standby',
      '-F',
      'n1',
      '--format=json',
    ]);
    expect(words).toEqual(['node', 'standby', 'n1']);
    expect(options).toMatchObject({ waitMs: 30_000, socket: '/s', isForced: true, format: 'json' });
  });

  test('that need a value and have none are wrong use', () => {
    expect(() => readOptions(['--socket'])).toThrow(UsageError);
    expect(() => readOptions(['--wait=soon'])).toThrow(UsageError);
    expect(() => readOptions(['--format', 'html'])).toThrow(UsageError);
  });
});

describe('commands', () => {
  test('are found by a beginning that only they have', () => {
    expect(find(['res', 'cleanup', 'web'])).toMatchObject({
      path: ['resource'],
      rest: ['web'],
      entry: { word: 'cleanup' },
    });
    expect(() => find(['resource', 'un', 'web'])).toThrow('ambiguous in resource: clear, unmanage, untrace');
    expect(() => find(['resource', 'stat', 'web'])).not.toThrow();
    expect(() => find(['resourse'])).toThrow('did you mean "resource"?');
  });

  test('of former times are understood, neither offered nor in the way of a beginning', () => {
    expect(find(['configure', 'ms', 'm', 'x'])).toMatchObject({ rest: ['m', 'x'], entry: { word: 'ms' } });
    expect(find(['configure', 'col', 'c'])).toMatchObject({ entry: { word: 'colocation' } });
    expect(helpText(['configure'])).not.toMatch(/^ +(?:ms|collocation) /m);
  });

  test('have words that no other command of their level has', () => {
    const check = (level: Level): void => {
      const words = level.children.flatMap((entry) => wordsOf(entry));
      expect(words, level.word).toEqual([...new Set(words)]);
      for (const entry of level.children) if (isLevel(entry)) check(entry);
    };
    check(root);
  });

  test('are all explained, and can all be reached by their whole word', () => {
    const visit = (entry: Command | Level, path: readonly string[]): void => {
      expect(helpText(path)).toContain(entry.summary);
      if (isLevel(entry)) for (const child of entry.children) visit(child, [...path, child.word]);
    };
    for (const entry of root.children) visit(entry, [entry.word]);
  });

  test('are explained within a narrow screen without a word cut in two', () => {
    const screen = 60;
    const visit = (entry: Command | Level, path: readonly string[]): void => {
      const whole = helpText(path);
      const narrow = helpText(path, screen);
      const inWords = (text: string): readonly string[] => text.trim().split(/\s+/);
      expect(inWords(narrow), path.join(' ')).toEqual(inWords(whole));
      for (const line of narrow.split('\n')) {
        // Longer only where there was nothing to break at.
        if (line.length > screen) expect(line.trim().split(/ {2,}/).at(-1), path.join(' ')).not.toContain(' ');
      }
      if (isLevel(entry)) for (const child of entry.children) visit(child, [...path, child.word]);
    };
    for (const entry of root.children) visit(entry, [entry.word]);
  });

  test('of crmsh are there under their names', () => {
    for (const [level, words] of Object.entries({
      node: [
        'show',
        'standby',
        'online',
        'maintenance',
        'ready',
        'fence',
        'clearstate',
        'delete',
        'attribute',
        'status-attr',
        'utilization',
      ],
      resource: [
        'status',
        'start',
        'stop',
        'restart',
        'promote',
        'demote',
        'move',
        'ban',
        'clear',
        'cleanup',
        'refresh',
        'locate',
        'failcount',
        'manage',
        'unmanage',
        'maintenance',
        'constraints',
        'operations',
        'scores',
        'param',
        'meta',
        'utilization',
        'trace',
        'untrace',
      ],
      configure: [
        'show',
        'edit',
        'set',
        'delete',
        'rename',
        'modgroup',
        'load',
        'save',
        'commit',
        'refresh',
        'verify',
        'ptest',
        'erase',
        'validate-all',
        'get-property',
        'filter',
      ],
      cib: ['new', 'use', 'commit', 'diff', 'list', 'delete', 'reset', 'import'],
      ra: ['classes', 'list', 'providers', 'info', 'validate'],
    })) {
      const found = findEntry(root, level) as Level;
      for (const word of words)
        expect(findEntry(found, word), `${level} ${word}`).toMatchObject({ summary: expect.any(String) as unknown });
    }
  });
});

describe('failures', () => {
  test.each([
    [new UsageError('x'), 2],
    [new SystoleError('notFound', 'x'), 3],
    [new SystoleError('permission', 'x'), 4],
    [new SystoleError('noQuorum', 'x'), 5],
    [new SystoleError('timedOut', 'x'), 6],
    [new SystoleError('unavailable', 'x'), 7],
    [new SystoleError('conflict', 'x'), 1],
    [new LanguageProblem('x', { code: 'notFound' }), 3],
    [new LanguageProblem('x'), 1],
  ])('%s has the exit status that scripts rely on', (error, status) => {
    expect(describeFailure(error)?.status).toBe(status);
  });

  test('a conflict says what there was, and what there is now', () => {
    const conflicts = [
      { path: 'configuration.x', expected: 1, found: 2 },
      {
        path: 'configuration.options[cib-bootstrap-options].pairs[cib-bootstrap-options-batch-limit]',
        found: { id: 'cib-bootstrap-options-batch-limit', name: 'batch-limit', value: '40' },
      },
      { path: 'configuration.constraints[l1].score', expected: 100, found: 200 },
    ];
    const text = describeFailure(new SystoleError('conflict', 'changed', { details: { conflicts } }))?.text;
    expect(text).toContain('1 when you began, 2 now');
    expect(text).toContain('batch-limit in cib-bootstrap-options: not there when you began, "40" now');
    expect(text).toContain('l1 score: 100 when you began, 200 now');
  });

  test('a mistake of ours is not dressed up', () => {
    expect(describeFailure(new TypeError('x'))).toBeUndefined();
  });
});

describe('completion', () => {
  const items = fromConfiguration(configured('node n1\nnode n2\nprimitive web Dummy\nprimitive db Dummy\ngroup g web'));
  const names: Names = {
    items: () => Promise.resolve(items),
    shadows: () => Promise.resolve(['test']),
    configurations: () => Promise.resolve(['1', '12']),
    agents: () => Promise.resolve(['ocf:heartbeat:IPaddr2', 'ocf:systole:vip']),
    parameters: (agent) => Promise.resolve(agent === 'ocf:systole:vip' ? ['ip', 'nic'] : ['fake']),
  };

  test.each([
    [['no'], ['node']],
    [
      ['resource', 'move', ''],
      ['db', 'g', 'web'],
    ],
    [
      ['resource', 'move', 'g', 'n'],
      ['n1', 'n2'],
    ],
    [
      ['node', 'fence', 'n1', ''],
      ['off', 'on', 'reboot'],
    ],
    [['configure', 'primitive', 'x', 'ocf:s'], ['ocf:systole:vip']],
    [['configure', 'primitive', 'x', 'ocf:systole:vip', 'params', 'n'], ['nic=']],
    [
      ['configure', 'location', 'l', 'g', '100:', ''],
      ['n1', 'n2'],
    ],
    [['configure', 'modgroup', 'g', 'a'], ['add']],
    [
      ['configure', 'colocation', 'c', 'inf:', 'we'],
      ['web', 'web:Promoted'],
    ],
    [['cib', 'use', ''], ['test']],
    [['configure', 'property', 'no-q'], ['no-quorum-policy=']],
    [
      ['configure', 'property', 'no-quorum-policy=f'],
      ['no-quorum-policy=fence', 'no-quorum-policy=freeze'],
    ],
    [
      ['configure', 'clone', 'c', 'web', 'meta', 'interleave='],
      ['interleave=false', 'interleave=true'],
    ],
    [['configure', 'primitive', 'x', 'Dummy', 'op', 'monitor', 'on-fail=b'], ['on-fail=block']],
    [['configure', 'ms', 'm', 'w'], ['web']],
    [
      ['history', 'restore', '1'],
      ['1', '12'],
    ],
    [['resource', 'param', 'web', 'set', 'f'], ['fake']],
    [['resource', 'meta', 'web', 'set', 'target'], ['target-role']],
    [['explain', 'n1'], ['n1']],
    [['--format', 'json', 'node', 'stat'], ['status-attr']],
    [['--form'], ['--format']],
    [['cluster', 'init', '--na'], ['--name']],
    [['compl'], ['completion']],
    [['nonsense', 'x'], []],
  ])('of %j offers %j', async (words, expected) => {
    expect(await complete(words, names)).toEqual(expected);
  });
});
