/**
 * Known traps in a configuration: what is valid and still not what anybody wants. Each finding says what may happen,
 * and what to do. Nothing outside the configuration is asked.
 */
import { allPrimitives, type Configuration, parseXPath } from '@systole/cib';
import { readOption } from '../commands/options.ts';
import { problemsOf } from '../language/checks.ts';
import { type Item, fromConfiguration, isOptions } from '../language/items.ts';
import { constraints } from './constraints.ts';
import { type Finding, isYes, values } from './finding.ts';
import { names } from './names.ts';
import { fencing, monitors, nodes, promotable } from './resources.ts';

export function lint(configuration: Configuration, now: number): readonly Finding[] {
  const items = fromConfiguration(configuration);
  const primitives = allPrimitives(configuration.resources);
  return [
    ...problemsOf(items).map((problem): Finding => ({
      level: 'error',
      text: problem.message,
      advice: 'correct the name, or define what is missing',
    })),
    ...fencing(items, primitives),
    ...nodes(configuration, items),
    ...primitives.flatMap(monitors),
    ...promotable(configuration.resources),
    ...constraints(configuration, now),
    ...names(items),
    ...permissions(configuration),
    ...leftovers(configuration, items),
  ].toSorted((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
}

function permissions({ acls }: Configuration): readonly Finding[] {
  return acls.roles.flatMap(({ id, permissions: list }) =>
    list.flatMap(({ kind, xpath }): readonly Finding[] => {
      const parsed = xpath === undefined ? undefined : parseXPath(xpath);
      if (parsed === undefined || parsed.ok) return [];
      const effect = kind === 'deny' ? 'whoever has the role may do nothing at all' : 'it grants nothing';
      return [
        {
          level: kind === 'deny' ? 'error' : 'warning',
          id,
          text: `role ${id}: ${parsed.error}, so ${effect}`,
          advice: 'write it with steps, names and conditions on attributes, or with ref:ID or type:NAME',
        },
      ];
    }),
  );
}

/** What somebody may have forgotten. */
function leftovers(configuration: Configuration, items: readonly Item[]): readonly Finding[] {
  const found: Finding[] = [];
  for (const { id } of configuration.constraints) {
    const resource = /^cli-(?:prefer|ban)-(.+?)(?:-on-.+)?$/.exec(id)?.[1];
    if (resource !== undefined)
      found.push({
        level: 'warning',
        id,
        text: `${id} is left over from resource move or ban`,
        advice: `systole resource clear ${resource}`,
      });
  }
  if (isYes(readOption(items, 'maintenance-mode')))
    found.push({
      level: 'warning',
      text: 'the whole cluster is in maintenance: nothing is recovered',
      advice: 'systole maintenance off',
    });
  for (const item of items) {
    if (isOptions(item) || item.kind === 'constraint' || !('meta' in item.value)) continue;
    const { meta } = item.value;
    if (values(meta, 'target-role')?.toLowerCase() === 'stopped')
      found.push({
        level: 'warning',
        id: item.id,
        text: `${item.id} is stopped on purpose`,
        advice: `systole resource start ${item.id}`,
      });
    if (values(meta, 'is-managed')?.toLowerCase() === 'false')
      found.push({
        level: 'warning',
        id: item.id,
        text: `${item.id} is not managed: it is not recovered`,
        advice: `systole resource manage ${item.id}`,
      });
  }
  return found;
}

/** What a change brings: findings that were not there before. */
export function newFindings(before: Configuration, after: Configuration, now: number): readonly Finding[] {
  const known = new Set(lint(before, now).map(({ text }) => text));
  return lint(after, now).filter(({ text }) => !known.has(text));
}
