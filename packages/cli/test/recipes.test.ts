import type { AgentDescription } from '@systole/ra';
import { describe, expect, test } from 'vitest';
import { lint } from '../src/lint/lint.ts';
import { lintTimeouts } from '../src/lint/timeouts.ts';
import { fill, readParameters, type Recipe, recipes } from '../src/recipes/recipes.ts';
import { linksOf, renderLinks } from '../src/render/network.ts';
import { find } from '../src/shell/run.ts';
import type { Command } from '../src/tree/entry.ts';
import { configured } from './support.ts';

const samples: Readonly<Record<string, string>> = {
  address: '10.0.0.100',
  id: 'sample',
  number: '24',
  path: '/srv/x',
  name: 'word',
};
/** A value for every parameter, or for those only that must be given. */
const words = (recipe: Recipe, isFull: boolean): readonly string[] =>
  recipe.parameters
    .filter(({ fallback, isOptional }) => isFull || (fallback === undefined && isOptional !== true))
    .map(({ name, kind = 'name' }) => `${name}=${name === 'delay' ? '5s' : samples[kind]}`);
const named = (name: string): Recipe => recipes.find((recipe) => recipe.name === name) as Recipe;

describe('a recipe', () => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    '%s is text that the shell understands, with the least and with all of its parameters',
    (_, recipe) => {
      for (const isFull of [false, true]) {
        const text = fill(recipe, readParameters(recipe, words(recipe, isFull)));
        expect(text).not.toMatch(/[{}]/);
        const configuration = configured(`node 1: sample\nnode 2: other\nproperty priority-fencing-delay=5s\n${text}`);
        expect(configuration.resources.length).toBeGreaterThan(0);
        const own = lint(configuration, 0).filter(({ text: found }) => !/fencing is|fence device/.test(found));
        expect(own).toEqual([]);
      }
    },
  );

  test('says all that is lacking or wrong at once, with the nearest right word', () => {
    const read = () => readParameters(named('database'), ['ip=10.0.0', 'devise=/dev/x', 'directory=/srv']);
    expect(read).toThrow(
      'database has no parameter "devise"; did you mean "device"?\ndevice is lacking: the shared device\nip is an IP address, not "10.0.0"',
    );
  });

  test('quotes what it is given', () => {
    const values = readParameters(named('fence-ipmi'), ['node=n1', 'bmc=b', 'user=u', 'password=a"b;c']);
    const [device] = configured(`node 1: n1\n${fill(named('fence-ipmi'), values)}`).resources;
    expect(device?.parameters[0]?.pairs.find(({ name }) => name === 'password')?.value).toBe('a"b;c');
  });

  test('is completed by its name, under script and under template', () => {
    for (const level of ['script', 'template']) {
      const { entry } = find([level, 'run']);
      expect((entry as Command).arguments[0]?.kind).toEqual(recipes.map(({ name }) => name));
    }
  });
});

describe('verify', () => {
  const description = {
    actions: [
      { name: 'start', timeoutMs: 60_000 },
      { name: 'stop', timeoutMs: 20_000 },
      { name: 'monitor', timeoutMs: 30_000, role: 'Promoted' },
      { name: 'monitor', timeoutMs: 10_000, role: 'Unpromoted' },
    ],
  } as unknown as AgentDescription;
  const texts = (script: string): readonly string[] =>
    lintTimeouts(configured(script), ({ type }) => (type === 'Dummy' ? description : undefined)).map(
      ({ text }) => text,
    );

  test('tells timeouts below what the agent advises, the default included', () => {
    expect(texts('primitive a ocf:heartbeat:Dummy op stop timeout=5s interval=0')).toEqual([
      'a: stop may take 5s; ocf:heartbeat:Dummy advises 20s',
      'a: start may take 20s, the default; ocf:heartbeat:Dummy advises 1min',
    ]);
    expect(texts('primitive a ocf:heartbeat:Dummy\nop_defaults timeout=2min')).toEqual([]);
  });

  test('measures a monitor by the advice for its role', () => {
    const monitors =
      'op monitor role=Promoted interval=9s timeout=20s op monitor role=Unpromoted interval=10s timeout=20s';
    expect(texts(`primitive a ocf:heartbeat:Dummy ${monitors}\nop_defaults timeout=60s`)).toEqual([
      'a: monitor (Promoted) may take 20s; ocf:heartbeat:Dummy advises 30s',
    ]);
  });

  test('looks at a template once, and has nothing to say of agents that are not here', () => {
    expect(
      texts(
        'rsc_template t ocf:heartbeat:Dummy op stop timeout=30s interval=0 op start timeout=30s interval=0\nprimitive a @t',
      ),
    ).toEqual(['t: start may take 30s; ocf:heartbeat:Dummy advises 1min']);
    expect(texts('primitive a ocf:heartbeat:Other')).toEqual([]);
  });
});

describe('a permission that nobody can understand', () => {
  const found = (kind: string) =>
    lint(configured(`role r ${kind} xpath:"//primitive[position()=1]"\nacl_target bob r`), 0).filter(
      ({ id }) => id === 'r',
    );

  test('is an error where it denies, since it then denies everything, and a warning where it grants', () => {
    expect(found('deny')).toMatchObject([{ level: 'error' }]);
    expect(found('write')).toMatchObject([{ level: 'warning' }]);
    expect(lint(configured('role r write meta:web:target-role'), 0).filter(({ id }) => id === 'r')).toEqual([]);
  });
});

describe('net link show', () => {
  test('tells by link which peers are lost on it', () => {
    const link = (number: number, up: boolean) => ({ link: number, up, path: 'multicast', rttMs: 0.5, loss: 0 });
    const facts = {
      names: { 2: 'n2', 3: 'n3' },
      peers: [
        { node: 2, links: [link(0, true), link(1, false)] },
        { node: 3, links: [link(0, true), link(1, true)] },
      ],
    };
    const text = renderLinks(linksOf(facts));
    expect(text).toContain('link 0: up to all peers');
    expect(text).toContain('link 1: DOWN to 1 of 2');
  });
});
