/** A transition as a picture for Graphviz: real actions solid, points in time dotted, fencing in red. */
import type { Transition, TransitionAction } from '@systole/pe';

const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const colours: Readonly<Record<TransitionAction['kind'], string>> = {
  rsc: 'black',
  fence: 'red',
  cluster: 'blue',
  pseudo: 'grey60',
};

/** Readable by `dot -Tsvg`. */
export function graphAsDot({ actions, orderings }: Transition): string {
  const nameOf = (action: TransitionAction, index: number): string =>
    `${index}: ${action.kind === 'fence' ? `fence (${action.operation})` : action.key}${action.node === undefined ? '' : ` ${action.node}`}`;
  const lines = actions.map((action, index) => {
    const style = action.kind === 'pseudo' ? 'dotted' : 'solid';
    return `  ${index} [label=${quote(nameOf(action, index))} style=${style} color=${colours[action.kind]}];`;
  });
  const arrows = orderings.map(([first, then]) => `  ${first} -> ${then};`);
  return ['digraph transition {', '  node [shape=box fontname="sans-serif"];', ...lines, ...arrows, '}', ''].join('\n');
}
