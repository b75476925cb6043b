/**
 * What must hold before a draft becomes the configuration: names refer to something of the right kind, nothing is in
 * two places, ids are unique. What was wrong before the edits and has not been touched does not stand in their way.
 */
import { forEachId } from './ids.ts';
import { type Item, isResource, membersOf } from './items.ts';
import { LanguageProblem, LanguageProblems } from './problem.ts';
import { namedResources } from '@systole/cib';
import { didYouMean } from './suggest.ts';

/** So many problems are told at once. */
const PROBLEMS_SHOWN = 20;

/** @throws LanguageProblems if `items` have problems that `before` had not. */
export function checkItems(items: readonly Item[], before: readonly Item[]): void {
  const problems = problemsOf(items);
  if (problems.length === 0) return;
  const old = new Set(problemsOf(before).map((problem) => problem.message));
  const fresh = problems.filter((problem) => !old.has(problem.message));
  if (fresh.length > 0) throw new LanguageProblems(fresh.slice(0, PROBLEMS_SHOWN));
}

export function problemsOf(items: readonly Item[]): readonly LanguageProblem[] {
  const problems: LanguageProblem[] = [];
  const byId = new Map(items.filter((item) => item.kind !== 'node').map((item) => [item.id, item]));
  const report: Report = (item, message, name) => {
    const place = name === undefined ? item.place : (item.locate?.(name) ?? item.place);
    problems.push(new LanguageProblem(message, { place, code: 'refused' }));
  };
  checkUniqueIds(items, report);
  checkContainers(items, byId, report);
  for (const item of items) checkNames(item, items, byId, report);
  return problems;
}

/** `name` is the word that is wrong. */
type Report = (item: Item, message: string, name?: string) => void;

function checkUniqueIds(items: readonly Item[], report: Report): void {
  const owners = new Map<string, Item>();
  const nodes = new Map<string, string>();
  for (const item of items) {
    if (item.kind === 'node') {
      const other = nodes.get(item.value.id);
      if (other !== undefined) report(item, `the nodes ${other} and ${item.id} have the same id "${item.value.id}"`);
      nodes.set(item.value.id, item.id);
    }
    forEachId(item, (id) => {
      const owner = owners.get(id);
      if (owner !== undefined) {
        report(
          item,
          owner === item
            ? `${item.id} uses the id "${id}" twice`
            : `${item.id}: the id "${id}" is in use in ${owner.id}`,
        );
      }
      owners.set(id, item);
    });
  }
}

function checkContainers(items: readonly Item[], byId: ReadonlyMap<string, Item>, report: Report): void {
  const containers = new Map<string, Item>();
  for (const item of items) {
    for (const id of membersOf(item)) {
      const member = byId.get(id);
      const other = containers.get(id);
      containers.set(id, item);
      if (member === undefined)
        report(item, `${item.id} contains "${id}", which does not exist${didYouMean(id, resourceIds(items))}`, id);
      else if (!mayContain(item, member)) {
        const allowed = item.kind === 'clone' ? 'a primitive or a group' : 'primitives';
        report(item, `${item.id} is a ${item.kind} and can contain only ${allowed}; ${id} is a ${member.kind}`, id);
      } else if (other !== undefined && other !== item)
        report(item, `${id} is in ${other.id} and in ${item.id}; it can be in one only`, id);
    }
  }
}

const mayContain = (container: Item, member: Item): boolean =>
  member.kind === 'primitive' || (container.kind === 'clone' && member.kind === 'group');

const resourceIds = (items: readonly Item[]): readonly string[] =>
  items.flatMap((item) => (isResource(item) ? [item.id] : []));

function checkNames(item: Item, items: readonly Item[], byId: ReadonlyMap<string, Item>, report: Report): void {
  switch (item.kind) {
    case 'primitive': {
      const { template } = item.value;
      if (template !== undefined && byId.get(template)?.kind !== 'template') {
        const templates = items.flatMap((each) => (each.kind === 'template' ? [each.id] : []));
        report(
          item,
          `${item.id} is made from "${template}", but there is no such template${didYouMean(template, templates)}`,
          template,
        );
      }
      return;
    }
    case 'constraint':
      for (const name of namedResources(item.value)) {
        const named = byId.get(name);
        if (named !== undefined && (isResource(named) || named.kind === 'template' || named.kind === 'tag')) continue;
        const what =
          named === undefined ? `there is no resource "${name}"` : `${name} is a ${named.kind}, not a resource`;
        report(item, `${item.id}: ${what}${named === undefined ? didYouMean(name, resourceIds(items)) : ''}`, name);
      }
      return;
    case 'tag':
      for (const name of item.value.members) {
        if (!byId.has(name) && !items.some((each) => each.id === name)) {
          report(item, `tag ${item.id} names "${name}", which does not exist${didYouMean(name, byId.keys())}`, name);
        }
      }
      return;
    case 'aclTarget':
    case 'aclGroup': {
      const roles = items.flatMap((each) => (each.kind === 'aclRole' ? [each.id] : []));
      for (const role of item.value.roles) {
        if (!roles.includes(role))
          report(item, `${item.id} has the role "${role}", which does not exist${didYouMean(role, roles)}`, role);
      }
      return;
    }
    case 'fencing':
      for (const device of new Set(item.value.flatMap((level) => level.devices)))
        checkDevice(device, item, items, byId, report);
      return;
    default:
  }
}

function checkDevice(
  device: string,
  item: Item,
  items: readonly Item[],
  byId: ReadonlyMap<string, Item>,
  report: Report,
): void {
  const found = byId.get(device);
  const devices = items.flatMap((each) => (isFencingDevice(each, byId) ? [each.id] : []));
  if (found === undefined)
    report(
      item,
      `fencing_topology uses the device "${device}", which does not exist${didYouMean(device, devices)}`,
      device,
    );
  else if (!isFencingDevice(found, byId))
    report(item, `fencing_topology uses ${device}, which is no fencing device (class stonith)`, device);
}

function isFencingDevice(item: Item, byId: ReadonlyMap<string, Item>): boolean {
  if (item.kind !== 'primitive') return false;
  const { template, agent } = item.value;
  const made = template === undefined ? undefined : byId.get(template);
  return (agent ?? (made?.kind === 'template' ? made.value.agent : undefined))?.class === 'stonith';
}
