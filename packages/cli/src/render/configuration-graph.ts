/**
 * The configuration as a picture, for Graphviz and for Mermaid: resources in boxes, what they are made of within them, and
 * constraints as arrows. An order is solid and points to what comes then; a colocation is dashed and points to what is placed
 * first; a preference is dotted and points to its node. A constraint of sets, a ticket, or a location by rule or by pattern
 * stands for itself as a diamond, since it says more than an arrow between two can.
 */
import { type Constraint, formatScore, type ResourceSet } from '@systole/cib';
import { isResource, type Item, membersOf } from '../language/items.ts';

interface Box {
  readonly name: string;
  readonly label: string;
  readonly shape: 'resource' | 'node' | 'constraint';
}

type Line = 'solid' | 'dashed' | 'dotted';

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly line: Line;
}

interface Picture {
  readonly boxes: readonly Box[];
  /** What is made of what; members are boxes of the picture. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  readonly arrows: readonly Arrow[];
}

export type GraphLanguage = 'dot' | 'mermaid';
export const graphLanguages: readonly GraphLanguage[] = ['dot', 'mermaid'];

export const configurationGraph = (items: readonly Item[], language: GraphLanguage): string => {
  const picture = pictureOf(items);
  return language === 'dot' ? asDot(picture) : asMermaid(picture);
};

// --- what is drawn ---------------------------------------------------------------------------------------------

// Nodes and constraints may be called as a resource is; names of boxes keep them apart.
const resourceBox = (id: string): string => `resource ${id}`;
const nodeBox = (id: string): string => `node ${id}`;
const constraintBox = (id: string): string => `constraint ${id}`;

function pictureOf(items: readonly Item[]): Picture {
  const boxes = new Map<string, Box>();
  const members = new Map<string, readonly string[]>();
  const arrows: Arrow[] = [];
  for (const item of items) {
    if (item.kind === 'node') boxes.set(nodeBox(item.id), { name: nodeBox(item.id), label: item.id, shape: 'node' });
    if (!isResource(item)) continue;
    const name = resourceBox(item.id);
    boxes.set(name, { name, label: labelOf(item), shape: 'resource' });
    if (item.kind !== 'primitive') members.set(name, membersOf(item).map(resourceBox));
  }
  for (const item of items) {
    if (item.kind !== 'constraint') continue;
    const drawn = arrowsOf(item.value);
    if (drawn.length === 0 || drawn.some(({ from }) => from === constraintBox(item.id))) {
      const name = constraintBox(item.id);
      boxes.set(name, { name, label: `${item.value.kind} ${item.id}`, shape: 'constraint' });
    }
    arrows.push(...drawn);
  }
  return {
    boxes: [...boxes.values()],
    members,
    arrows: arrows.filter(({ to, from }) => boxes.has(to) && boxes.has(from)),
  };
}

function labelOf(item: Item): string {
  if (item.kind !== 'primitive') return `${item.kind} ${item.id}`;
  const { agent, template } = item.value;
  if (agent === undefined) return `${item.id}\n@${template ?? ''}`;
  return `${item.id}\n${[agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':')}`;
}

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ');

const scoreOf = (score: number | undefined): string | undefined =>
  score === undefined ? undefined : formatScore(score);

/** Actions or roles of the two sides: `(promote, start)`. */
const aspects = (first: string | undefined, second: string | undefined): string | undefined =>
  first === undefined && second === undefined ? undefined : `(${first ?? '-'}, ${second ?? '-'})`;

function arrowsOf(constraint: Constraint): readonly Arrow[] {
  const self = constraintBox(constraint.id);
  const toSets = (sets: readonly ResourceSet[], line: Line): readonly Arrow[] =>
    sets.flatMap((set, index) =>
      set.members.map((member) => ({
        from: self,
        to: resourceBox(member),
        label: words(`set ${index + 1}`, set.action, set.role),
        line,
      })),
    );
  switch (constraint.kind) {
    case 'order': {
      const { id, first, then, sets, firstAction, thenAction, orderKind } = constraint;
      if (sets !== undefined) return toSets(sets, 'solid');
      if (first === undefined || then === undefined) return [];
      const kind = orderKind ?? (constraint.score === 0 ? 'Optional' : undefined);
      const label = words(id, kind, aspects(firstAction, thenAction));
      return [{ from: resourceBox(first), to: resourceBox(then), label, line: 'solid' }];
    }
    case 'colocation': {
      const { id, score, dependent, primary, dependentRole, primaryRole, sets } = constraint;
      if (sets !== undefined) return toSets(sets, 'dashed');
      if (dependent === undefined || primary === undefined) return [];
      const label = words(id, scoreOf(score), aspects(dependentRole, primaryRole));
      return [{ from: resourceBox(dependent), to: resourceBox(primary), label, line: 'dashed' }];
    }
    case 'location': {
      const { id, resource, node, score, role, sets, pattern } = constraint;
      const label = words(id, scoreOf(score), role);
      if (resource !== undefined && node !== undefined)
        return [{ from: resourceBox(resource), to: nodeBox(node), label, line: 'dotted' }];
      const subjects = sets !== undefined ? toSets(sets, 'dotted') : [];
      const named: Arrow[] =
        resource === undefined
          ? []
          : [{ from: self, to: resourceBox(resource), label: words('rule', role), line: 'dotted' }];
      const target: Arrow[] =
        node === undefined
          ? []
          : [
              {
                from: self,
                to: nodeBox(node),
                label: words(pattern && `/${pattern}/`, scoreOf(score)),
                line: 'dotted',
              },
            ];
      return [...subjects, ...named, ...target];
    }
    case 'ticket': {
      const { ticket, resource, role, sets, lossPolicy } = constraint;
      if (sets !== undefined) return toSets(sets, 'dotted');
      if (resource === undefined) return [];
      return [{ from: self, to: resourceBox(resource), label: words(ticket, role, lossPolicy), line: 'dotted' }];
    }
  }
}

// --- how it is written -----------------------------------------------------------------------------------------

/** Writes boxes, each container around its members; a container has a box of its own, to which arrows lead. */
function writeBoxes(
  { boxes, members }: Picture,
  write: { box(box: Box): string; begin(box: Box): string; readonly end: string },
): readonly string[] {
  const byName = new Map(boxes.map((box) => [box.name, box]));
  const inner = new Set([...members.values()].flat());
  const lines: string[] = [];
  const put = (box: Box, indent: string): void => {
    const parts = members.get(box.name);
    if (parts === undefined) {
      lines.push(indent + write.box(box));
      return;
    }
    lines.push(indent + write.begin(box), `${indent}  ${write.box(box)}`);
    for (const part of parts) {
      const member = byName.get(part);
      if (member !== undefined) put(member, `${indent}  `);
    }
    lines.push(indent + write.end);
  };
  for (const box of boxes) if (!inner.has(box.name)) put(box, '  ');
  return lines;
}

const dotQuote = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

const dotShapes: Readonly<Record<Box['shape'], string>> = { resource: 'box', node: 'ellipse', constraint: 'diamond' };

function asDot(picture: Picture): string {
  const boxes = writeBoxes(picture, {
    box: ({ name, label, shape }) => `${dotQuote(name)} [label=${dotQuote(label)} shape=${dotShapes[shape]}];`,
    begin: ({ name }) => `subgraph ${dotQuote(`cluster ${name}`)} {`,
    end: '}',
  });
  const arrows = picture.arrows.map(
    ({ from, to, label, line }) => `  ${dotQuote(from)} -> ${dotQuote(to)} [label=${dotQuote(label)} style=${line}];`,
  );
  return ['digraph configuration {', '  node [fontname="sans-serif"];', ...boxes, ...arrows, '}', ''].join('\n');
}

const mermaidQuote = (text: string): string =>
  `"${text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('\n', '<br>')}"`;

// Mermaid knows no dashed line beside the dotted one; a colocation has an open end instead of an arrow's head.
const mermaidLines: Readonly<Record<Line, string>> = { solid: '-->', dashed: '-.-o', dotted: '-.->' };

function asMermaid(picture: Picture): string {
  const names = new Map(picture.boxes.map(({ name }, index) => [name, `b${index}`]));
  const nameOf = (name: string): string => names.get(name) ?? name;
  const boxes = writeBoxes(picture, {
    box: ({ name, label, shape }) => {
      const text = mermaidQuote(label);
      if (shape === 'node') return `${nameOf(name)}([${text}])`;
      return shape === 'constraint' ? `${nameOf(name)}{${text}}` : `${nameOf(name)}[${text}]`;
    },
    begin: ({ name }) => `subgraph ${nameOf(name)}_all [" "]`,
    end: 'end',
  });
  const arrows = picture.arrows.map(
    ({ from, to, label, line }) => `  ${nameOf(from)} ${mermaidLines[line]}|${mermaidQuote(label)}| ${nameOf(to)}`,
  );
  return ['flowchart LR', ...boxes, ...arrows, ''].join('\n');
}
