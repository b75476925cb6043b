import { expect, test } from 'vitest';
import { Gathering, openQuestionsMax, partCharactersMax, readQuestion } from '../../src/node/gathering.ts';

const question = { what: 'events', since: 0 } as const;

test('an answer comes when all members have told, each its own part', () => {
  const asker = new Gathering('n1');
  const other = new Gathering('n2');
  const [letter] = asker.ask('r1', question, ['n1', 'n2']).letters;
  expect(letter?.node).toBeUndefined();

  const own = asker.delivered('n1', letter?.message).collect;
  const theirs = other.delivered('n1', letter?.message).collect;
  expect(theirs).toMatchObject({ asker: 'n1', question });

  expect(asker.collected(own?.id ?? '', 'n1', 'one').answer).toBeUndefined();
  const [told] = other.collected(theirs?.id ?? '', 'n1', 'two').letters;
  expect(told).toMatchObject({ to: 'gathering', node: 'n1' });
  expect(asker.delivered('n2', told?.message).answer).toEqual({
    requestId: 'r1',
    answer: {
      ok: true,
      value: {
        parts: [
          { node: 'n1', body: 'one' },
          { node: 'n2', body: 'two' },
        ],
        missing: [],
      },
    },
  });
});

test('who does not tell in time is named', () => {
  const asker = new Gathering('n1');
  const { timer } = asker.ask('r1', question, ['n1', 'n2', 'n3']);
  asker.collected('n1/1', 'n1', 'one');
  expect(asker.expired(timer ?? '').answer?.answer).toMatchObject({ value: { missing: ['n2', 'n3'] } });
  expect(asker.expired(timer ?? '')).toEqual({ letters: [] });
});

test('a node alone asks nobody else', () => {
  const alone = new Gathering('n1');
  const { letters, collect } = alone.ask('r1', question, []);
  expect(letters).toEqual([]);
  expect(alone.collected(collect?.id ?? '', 'n1', 'one').answer?.answer).toMatchObject({ ok: true });
});

test('what a member sends is not trusted: strangers, repeats, too much, nonsense', () => {
  const asker = new Gathering('n1');
  asker.ask('r1', question, ['n1', 'n2']);
  const told = (body: string) => ({ type: 'told', id: 'n1/1', body });
  expect(asker.delivered('n9', told('x'))).toEqual({ letters: [] });
  expect(asker.delivered('n2', told('x'.repeat(partCharactersMax + 1)))).toEqual({ letters: [] });
  expect(asker.delivered('n2', { type: 'ask', id: 'y', question: { what: 'all', since: 0 } })).toEqual({ letters: [] });
  expect(asker.delivered('n2', undefined)).toEqual({ letters: [] });
  expect(asker.delivered('n2', told('x')).answer).toBeUndefined();
  expect(asker.delivered('n2', told('x')).answer).toBeUndefined();
});

test('only so many questions are open at once', () => {
  const asker = new Gathering('n1');
  for (let n = 0; n < openQuestionsMax; n += 1) expect(asker.ask(`r${n}`, question, ['n2']).answer).toBeUndefined();
  expect(asker.ask('last', question, ['n2']).answer?.answer).toMatchObject({ ok: false, code: 'refused' });
});

test('a question is understood if it is one that this release knows, and names no place outside the folder', () => {
  expect(readQuestion({ what: 'inputs', since: 5, more: 1 })).toEqual({ what: 'inputs', since: 5 });
  expect(readQuestion({ what: 'input', transition: 'tr_V1StGX-_' })).toEqual({
    what: 'input',
    transition: 'tr_V1StGX-_',
  });
  for (const transition of ['', 'tr_', 'tr_../key', '/etc/passwd', `tr_${'x'.repeat(65)}`, 7, undefined])
    expect(readQuestion({ what: 'input', transition })).toBeUndefined();
  expect(readQuestion({ what: 'events' })).toBeUndefined();
  expect(readQuestion({ what: 'weather', since: 0 })).toBeUndefined();
});
