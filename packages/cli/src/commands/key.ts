/** `systole key rotate` and `status`: the cluster key is changed while the cluster runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { KeyReport } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';

/** Between two looks at how far the members are. */
const LOOK_MS = 100;
/** Members that are all here need well under a second; after so long something holds it up, and it is said what. */
const PATIENCE_MS = 10_000;

export async function rotateKey(context: Context, args: readonly string[]): Promise<void> {
  const without = readWithout(args);
  const { to } = await context.client.rotateKey(without);
  context.remark(`key ${to} is on its way: it is accepted everywhere first, then used, then the old one is forgotten`);
  const end = performance.now() + PATIENCE_MS;
  let report = await context.client.keys();
  while (report.rotation?.to === to && performance.now() < end) {
    await sleep(LOOK_MS);
    report = await context.client.keys();
  }
  if (report.rotation?.to === to) {
    context.answer(
      report,
      () => `the change of the key is not done yet: ${report.waiting ?? ''}\nIt goes on by itself.`,
    );
    return;
  }
  if (report.primary !== to) {
    throw new SystoleError('failed', 'the key was not changed: the membership changed meanwhile; try again');
  }
  const left =
    without.length === 0 ? '' : `\nCopy the key file to ${without.join(', ')} before starting systoled there.`;
  context.answer(report, () => `the cluster key is key ${to} now, on all members${left}`);
}

function readWithout(args: readonly string[]): readonly string[] {
  try {
    const { values } = parseArgs({ args: [...args], options: { without: { type: 'string', multiple: true } } });
    return (values.without ?? []).flatMap((names) => names.split(',')).filter((name) => name !== '');
  } catch (error) {
    throw new UsageError((error as Error).message, '  usage: systole key rotate [--without NODE,NODE]');
  }
}

export async function keyStatus(context: Context): Promise<void> {
  const report = await context.client.keys();
  context.answer(report, () => renderKeys(report));
}

const stageWords = {
  before: 'has not got the new key',
  added: 'accepts the new key',
  primary: 'uses the new key, accepts the old one',
  done: 'has the new key alone',
} as const;

export function renderKeys({ keys, primary, rotation, members, waiting }: KeyReport): string {
  const rows = keys.map(({ id, print }) => [
    `key ${id}`,
    print,
    id === primary ? 'seals' : rotation === undefined ? 'accepted' : id === rotation.to ? 'new' : 'old, accepted',
  ]);
  if (rotation === undefined) return table(rows);
  const left = rotation.without.length === 0 ? [] : [`left out: ${rotation.without.join(', ')}`];
  const stages = members.map(({ node, stage }) => [node, stageWords[stage]]);
  return [table(rows), `changing to key ${rotation.to}: ${waiting ?? ''}`, ...left, table(stages, '  ')]
    .filter((line) => line !== '')
    .join('\n');
}

/** The line of a key file that a new node starts with. @throws SystoleError while the key is being changed. */
export function tokenKey(content: string): string {
  if (content.includes('#systole rotation'))
    throw new SystoleError(
      'refused',
      'the cluster key is being changed; ask again when systole key status shows one key',
    );
  const [first = ''] = content.split('\n').flatMap((line) => {
    const key = line.replace(/#.*/, '').trim();
    return key === '' ? [] : [key];
  });
  return first;
}

/** A key as it stands in a key file and in a join token: 64 digits, with its id before them or not. */
export const isKeyLine = (text: string): boolean => /^(?:\d{1,5}:)?[0-9a-f]{64}$/.test(text);
