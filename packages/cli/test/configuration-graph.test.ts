import { describe, expect, test } from 'vitest';
import { readGraphArguments } from '../src/commands/configure-graph.ts';
import { fromConfiguration } from '../src/language/index.ts';
import { configurationGraph } from '../src/render/configuration-graph.ts';
import { UsageError } from '../src/shell/failure.ts';
import { configured } from './support.ts';

const items = fromConfiguration(
  configured(`node n1
primitive ip Dummy
primitive www Dummy
primitive db Dummy
primitive fs Dummy
group web ip www
clone dbs db
location near web 50: n1
location by-pattern /^w/ rule 10: defined pingd
location by-rule fs rule -inf: not_defined pingd
colocation with inf: web dbs:Promoted
order after Mandatory: dbs:promote web:start
order three Mandatory: [ fs db ] ip`),
);

describe('the picture of a configuration', () => {
  test('for Graphviz has members within what they make up, and an arrow for each constraint of two', () => {
    const dot = configurationGraph(items, 'dot');
    expect(dot).toMatch(
      /subgraph "cluster resource web" \{\n *"resource web" .*\n *"resource ip" .*\n *"resource www" .*\n *\}/,
    );
    expect(dot).toContain('"resource web" -> "node n1" [label="near 50" style=dotted];');
    expect(dot).toMatch(
      /"resource web" -> "resource dbs" \[label="with INFINITY \(-, (?:Promoted|Master)\)" style=dashed\];/,
    );
    expect(dot).toMatch(
      /"resource dbs" -> "resource web" \[label="after (?:Mandatory )?\(promote, start\)" style=solid\];/,
    );
  });

  test('shows constraints of sets and by rule as things of their own', () => {
    const dot = configurationGraph(items, 'dot');
    expect(dot).toContain('"constraint three" [label="order three" shape=diamond];');
    expect(dot).toContain('"constraint three" -> "resource fs" [label="set 1" style=solid];');
    expect(dot).toContain('"constraint three" -> "resource ip" [label="set 2" style=solid];');
    expect(dot).toContain('"constraint by-pattern" [label="location by-pattern" shape=diamond];');
    expect(dot).toContain('"constraint by-rule" -> "resource fs"');
  });

  test('for Mermaid has the same boxes and arrows', () => {
    const mermaid = configurationGraph(items, 'mermaid');
    expect(mermaid).toMatch(/^flowchart LR\n/);
    const boxOf = (label: string): string => new RegExp(`(b\\d+)[[({]+"${label}`).exec(mermaid)?.[1] ?? 'missing';
    expect(mermaid).toContain(`${boxOf('group web')} -.->|"near 50"| ${boxOf('n1')}`);
    expect(mermaid).toContain(`${boxOf('order three')} -->|"set 1"| ${boxOf('fs')}`);
    expect(mermaid.match(/^ *subgraph /gm)).toHaveLength(mermaid.match(/^ *end$/gm)?.length ?? 0);
  });
});

test('the language of the picture stands before the file or after it, or the name of the file tells it', () => {
  expect(readGraphArguments([])).toEqual({ language: 'dot', file: undefined });
  expect(readGraphArguments(['mermaid'])).toEqual({ language: 'mermaid', file: undefined });
  expect(readGraphArguments(['dot', 'a.mmd'])).toEqual({ language: 'dot', file: 'a.mmd' });
  expect(readGraphArguments(['a', 'mermaid'])).toEqual({ language: 'mermaid', file: 'a' });
  expect(readGraphArguments(['a.mmd'])).toEqual({ language: 'mermaid', file: 'a.mmd' });
  expect(() => readGraphArguments(['a', 'png'])).toThrow(UsageError);
});
