/** The classic stories, told by the code that ships on simulated machines: what must happen, and in which order. */
import { expect, test } from 'vitest';
import { missing, story } from './story.ts';

test('a machine loses its power: it is fenced, then its service starts elsewhere', () => {
  const told = story({ kind: 'power', node: 1, forMs: 8000 });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /^n1 web: started → stopped \(power off\)/,
      /^node\.lost: n1 is lost/,
      /^quorum\.held/,
      /^transition\.started: .* because of n1 is lost/,
      /^fencing\.requested: fencing n1/,
      /^node\.fenced: n1 was fenced/,
      /^n[23] agent start of web begins/,
      /^operation\.done: start of web/,
      /^transition\.ended: .* complete/,
    ),
  ).toEqual([]);
  // Silence of 350 ms, a view, a plan: what the fence device takes comes after.
  expect(told.after('fencing.requested')).toBeLessThan(450);
});

test('a node is put to standby: its service stops there and starts elsewhere, and nobody is fenced', () => {
  const told = story({ kind: 'operator', command: { type: 'standby', node: 1 } });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /cib\.changed/,
      /^transition\.started: .* because of a change of the configuration/,
      /^n1 agent stop of web begins/,
      /^operation\.done: stop of web on n1/,
      /^n[23] agent start of web begins/,
      /^operation\.done: start of web on n[23]/,
    ),
  ).toEqual([]);
  expect(told.lines.some((line) => line.startsWith('fencing.'))).toBe(false);
});

test('a service dies: it is started again where it was', () => {
  const told = story({ kind: 'serviceDies', resource: 'web' });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /^resource\.failed: monitor .* of web on n1 failed with 7/,
      /^n1 agent stop of web begins/,
      /^n1 agent start of web begins/,
      /^operation\.done: start of web on n1 done/,
    ),
  ).toEqual([]);
});

test('a machine hangs: it is fenced before its service starts elsewhere', () => {
  const told = story({ kind: 'pause', node: 1, forMs: 3000 });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /^node\.lost: n1 is lost/,
      /^fencing\.requested: fencing n1/,
      /^n1 power off: fenced/,
      /^n[23] agent start of web begins/,
    ),
  ).toEqual([]);
});

test('a node is cut off: it starts nothing, and is fenced before its service starts elsewhere', () => {
  const told = story({ kind: 'partition', side: [1], forMs: 6000 });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /^quorum\.lost/,
      /^fencing\.requested: fencing n1/,
      /^node\.fenced: n1/,
      /^n[23] agent start of web begins/,
    ),
  ).toEqual([]);
  expect(told.lines.some((line) => line.startsWith('fencing.requested: fencing n2'))).toBe(false);
  expect(told.lines.some((line) => line.startsWith('fencing.requested: fencing n3'))).toBe(false);
});

test('a daemon is told to stop: its services move first, it leaves cleanly, and nobody is fenced', () => {
  const told = story({ kind: 'leave', node: 1, forMs: 5000 });
  expect(told.violation).toBeUndefined();
  expect(
    missing(
      told,
      /^node\.leaving/,
      /^transition\.started: .* because of attributes of n1: shutdown/,
      /^operation\.done: stop of web on n1/,
      /^node\.left: n1 has left/,
    ),
  ).toEqual([]);
  expect(missing(told, /^operation\.done: stop of web on n1/, /^n[23] agent start of web begins/)).toEqual([]);
  expect(told.lines.some((line) => line.startsWith('fencing.'))).toBe(false);
});

test('a daemon dies with its service running: no second copy starts before the first is gone or found again', () => {
  const told = story({ kind: 'crash', node: 1, forMs: 200 });
  expect(told.violation).toBeUndefined();
});

test('all power is cut: what was acknowledged is there when it comes back, and the service runs again', () => {
  const told = story(
    { kind: 'operator', command: { type: 'parameter', resource: 'web', value: 7 } },
    { kind: 'powerAll', forMs: 3000 },
  );
  expect(told.violation).toBeUndefined();
  expect(missing(told, /^FAULT powerAll/, /^quorum\.held/, /^operation\.done: start of web/)).toEqual([]);
});
