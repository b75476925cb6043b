import { describe, expect, test } from 'vitest';
import { filesBelow, read } from '../support/repository.ts';
import { layers, mayCalculate, mayTouchNode } from './layers.ts';

interface Import {
  readonly file: string;
  readonly package: string;
  readonly target: string;
}

const importPattern =
  /^\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gmu;

function importsOf(file: string): readonly Import[] {
  const owner = file.split('/')[1] ?? '';
  return [...read(file).matchAll(importPattern)].map((match) => ({
    file,
    package: owner,
    target: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

const sources = Object.keys(layers).flatMap((name) => filesBelow(`packages/${name}/src`, ['.ts']));
const imports = sources.flatMap(importsOf);

const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
const manifest = (name: string): { dependencies?: object; optionalDependencies?: object } =>
  JSON.parse(read(`packages/${name}/package.json`)) as { dependencies?: object; optionalDependencies?: object };

describe('the source', () => {
  test('is in packages that the table of layers knows', () => {
    const folders = new Set(filesBelow('packages', ['package.json']).map((path) => path.split('/')[1]));
    expect(folders).toEqual(new Set(Object.keys(layers)));
  });

  test('imports only packages that the table of layers allows', () => {
    const wrong = imports.filter(({ package: owner, target }) => {
      if (!target.startsWith('@systole/')) return false;
      return !(layers[owner] ?? []).includes(target.split('/')[1] ?? '');
    });
    expect(wrong).toEqual([]);
  });

  test('reaches other packages by name, never by a path into their folders', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('.')) return false;
      const path = new URL(target, `file:///${file}`).pathname.slice(1);
      return path.split('/').slice(0, 2).join('/') !== file.split('/').slice(0, 2).join('/');
    });
    expect(wrong).toEqual([]);
  });

  test('imports files, not its own index', () => {
    const wrong = imports.filter(
      ({ target }) => /^\.{1,2}\/(?:.*\/)?index\.ts$/u.test(target) && !target.includes('/node/'),
    );
    expect(wrong).toEqual([]);
  });

  test('touches the world only at its rim', () => {
    const wrong = imports.filter(({ file, package: owner, target }) => {
      if (!target.startsWith('node:')) return false;
      if (mayTouchNode.some((path) => file.startsWith(path))) return false;
      return !(mayCalculate[owner] ?? []).includes(target);
    });
    expect(wrong).toEqual([]);
  });

  test('declares what it depends on', () => {
    const wrong = imports.filter(({ package: owner, target }) => {
      if (target.startsWith('.') || target.startsWith('node:')) return false;
      const { dependencies, optionalDependencies } = manifest(owner);
      return !Object.hasOwn({ ...dependencies, ...optionalDependencies }, packageOf(target));
    });
    expect(wrong).toEqual([]);
  });

  test('uses what it declares', () => {
    const unused = Object.keys(layers).flatMap((owner) => {
      const used = new Set(imports.filter((one) => one.package === owner).map(({ target }) => packageOf(target)));
      const { dependencies, optionalDependencies } = manifest(owner);
      return Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !used.has(name))
        .map((name) => `${owner}: ${name}`);
    });
    expect(unused).toEqual([]);
  });
});
