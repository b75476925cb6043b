import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { EventLog } from '../../src/host/event-log.ts';
import { Journal } from '../../src/host/journal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'systole-journal-'));
  folders.push(folder);
  return folder;
}

const event = (at: number, text = 'something') =>
  ({ at, level: 'info', subsystem: 'test', event: 'test.happened', text, fields: {} }) as const;

const fail = (error: Error): never => {
  throw error;
};

test('a next life goes on with the numbers and the events of the former', async () => {
  const folder = newFolder();
  const first = new Journal(folder, fail);
  const before = await EventLog.open(first);
  before.add(event(1));
  before.add(event(2));
  await first.close();

  const after = await EventLog.open(new Journal(folder, fail));
  after.add(event(3));
  expect(after.from(0).map(({ number, at }) => [number, at])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test('two files of bounded size are kept, with the newest events', async () => {
  const folder = newFolder();
  const journal = new Journal(folder, fail, 2000);
  for (let number = 1; number <= 100; number += 1) journal.append({ ...event(number), number });
  await journal.close();

  const names = readdirSync(folder);
  expect(names.toSorted()).toEqual(['journal.1.jsonl', 'journal.jsonl']);
  for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(2000);
  const kept = await new Journal(folder, fail).read(0, 1000);
  expect(kept.at(-1)?.number).toBe(100);
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(100);
});

test('a line that a power cut has torn is left out', async () => {
  const folder = newFolder();
  const journal = new Journal(folder, fail);
  journal.append({ ...event(1), number: 1 });
  await journal.close();
  appendFileSync(join(folder, 'journal.jsonl'), '{"at":2,"numb');
  expect((await new Journal(folder, fail).read(0, 10)).map(({ at }) => at)).toEqual([1]);
});

test('what lies before the events in memory is read from the disk', async () => {
  const folder = newFolder();
  const journal = new Journal(folder, fail);
  for (let number = 1; number <= 20; number += 1) journal.append({ ...event(number * 100), number });
  await journal.close();
  const log = new EventLog(new Journal(folder, fail), [{ ...event(2000), number: 20 }]);
  expect((await log.since(1000, 100)).map(({ at }) => at)[0]).toBe(1000);
  expect((await log.since(0, 3)).map(({ number }) => number)).toEqual([18, 19, 20]);
});

test('a folder that cannot be written costs events, and is told', async () => {
  const problems: string[] = [];
  const folder = newFolder();
  const journal = new Journal(folder, ({ message }) => problems.push(message));
  rmSync(folder, { recursive: true });
  journal.append({ ...event(1), number: 1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(problems[0]).toMatch(/ENOENT/);
});
