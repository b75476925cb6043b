import { describe, expect, test } from 'vitest';
import { Mail, readEnvelope, waitingMax } from '../../src/node/mail.ts';

const letter = (message: unknown) => ({ envelope: { to: 'stonith', message }, service: 'agreed' }) as const;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('mail', () => {
  test('what is submitted reads back as the same envelope', () => {
    const { body } = new Mail().submit(letter({ ask: 'who' }));

    expect(readEnvelope(body)).toEqual({ to: 'stonith', message: { ask: 'who' } });
  });

  test('a letter is taken once; handles that are not ours are nobody’s', () => {
    const mail = new Mail();
    const { handle } = mail.submit(letter(1));

    expect(mail.take(handle)).toEqual(letter(1));
    expect(mail.take(handle)).toBeUndefined();
    expect(mail.take(undefined)).toBeUndefined();
  });

  test('those that wait leave in their order; beyond the bound the oldest are dropped', () => {
    const mail = new Mail();
    for (let n = 0; n <= waitingMax; n += 1) mail.keep(letter(n));

    const waiting = mail.takeWaiting();

    expect(waiting).toHaveLength(waitingMax);
    expect(waiting[0]).toEqual(letter(1));
    expect(mail.takeWaiting()).toEqual([]);
  });

  test.for(['', '{', 'null', '7', '{"to":"crm"}', '{"to":"nobody","message":1}'])('%j is no envelope', (text) => {
    expect(readEnvelope(bytes(text))).toBeUndefined();
  });
});
