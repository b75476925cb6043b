/** Laws of fencing under failing devices, lost messages and changing members. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FenceAction } from '../src/index.ts';
import { type Agent, description, device, level, usualActions, VirtualFencers } from './virtual-fencers.ts';

const names = ['alpha', 'beta', 'gamma'] as const;

/** What a device does, call by call; the last goes on for ever. */
type Behaviour = readonly ('works' | 'fails' | 'hangs')[];

const behaviour: fc.Arbitrary<Behaviour> = fc.array(fc.constantFrom('works', 'fails', 'hangs'), {
  minLength: 1,
  maxLength: 4,
});

interface Story {
  readonly devices: readonly Behaviour[];
  readonly levels: readonly (readonly number[])[];
  readonly requests: readonly {
    readonly at: number;
    readonly action: FenceAction;
    readonly asks: (typeof names)[number];
  }[];
  readonly cuts: readonly { readonly at: number; readonly from: number; readonly to: number }[];
  readonly departures: readonly { readonly at: number; readonly who: (typeof names)[number] }[];
  readonly watchdogMs: number;
  readonly seed: number;
}

const story: fc.Arbitrary<Story> = fc.record({
  devices: fc.array(behaviour, { minLength: 1, maxLength: 3 }),
  levels: fc.array(fc.array(fc.nat(2), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  requests: fc.array(
    fc.record({
      at: fc.nat(3000),
      action: fc.constantFrom<FenceAction>('off', 'reboot', 'on'),
      asks: fc.constantFrom(...names),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  cuts: fc.array(fc.record({ at: fc.nat(4000), from: fc.nat(2), to: fc.nat(2) }), { maxLength: 3 }),
  departures: fc.array(fc.record({ at: fc.nat(4000), who: fc.constantFrom(...names) }), { maxLength: 1 }),
  watchdogMs: fc.constantFrom(0, 0, 5000),
  seed: fc.nat(1000),
});

/** The target is a fourth node that is lost already. */
const target = 'delta';

interface Told {
  readonly fencers: VirtualFencers;
  /** When an agent was told to do something to the target, and whether it did. */
  readonly asked: ReadonlyMap<string, { readonly asks: string; readonly action: FenceAction; readonly at: number }>;
}

function tell({ devices, levels, requests, cuts, departures, watchdogMs, seed }: Story): Told {
  const calls = devices.map(() => 0);
  const agents: Readonly<Record<string, Agent>> = Object.fromEntries(
    devices.map((one, index) => [
      `fence_${index}`,
      ({ action, agent }) => {
        if (action === 'metadata') return { ms: 10, code: 0, stdout: description(agent, usualActions) };
        const turn = calls[index] ?? 0;
        calls[index] = turn + 1;
        const what = one[Math.min(turn, one.length - 1)];
        return what === 'works'
          ? { ms: 100, code: 0 }
          : what === 'fails'
            ? { ms: 100, code: 1 }
            : { ms: 60_000, code: 0 };
      },
    ]),
  );
  const fencers = new VirtualFencers(names, agents, seed);
  fencers.options({ watchdogTimeoutMs: watchdogMs });
  fencers.devices(...devices.map((_, index) => device(`d${index}`, `fence_${index}`, { pcmk_host_list: target })));
  const valid = levels
    .map((level) => level.filter((index) => index < devices.length))
    .filter((level) => level.length > 0);
  fencers.levels(...valid.map((level_, index) => level(target, index + 1, ...level_.map((one) => `d${one}`))));

  const members = new Set<string>(names);
  const asked = new Map<string, { asks: string; action: FenceAction; at: number }>();
  const events = [
    ...requests.map((request, index) => ({
      at: request.at,
      run: (): void => {
        if (!members.has(request.asks)) return;
        const requestId = `r${index}`;
        asked.set(requestId, { ...request, at: fencers.nowMs });
        fencers.give(request.asks, { type: 'fence', requestId, target, action: request.action, timeoutMs: 2000 });
      },
    })),
    ...cuts.map(({ at, from, to }) => ({
      at,
      run: (): void => {
        fencers.cut.add(`${names[from]}>${names[to]}`);
      },
    })),
    ...departures.map(({ at, who }) => ({
      at,
      run: (): void => {
        members.delete(who);
        for (const other of members) fencers.cut.add(`${who}>${other}`).add(`${other}>${who}`);
        fencers.members([...members]);
      },
    })),
  ].toSorted((a, b) => a.at - b.at);
  const beganMs = fencers.nowMs;
  for (const { at, run } of events) {
    fencers.runFor(Math.max(0, beganMs + at - fencers.nowMs));
    run();
  }
  fencers.run();
  return { fencers, asked };
}

const runs = { numRuns: 300 };

describe('whatever devices and the network do', () => {
  test('every request is answered exactly once', () => {
    fc.assert(
      fc.property(story, (one) => {
        const { fencers, asked } = tell(one);
        const answers = fencers.effects.flatMap(({ effect }) =>
          effect.type === 'fenceEnded' ? [effect.requestId] : [],
        );
        expect(answers.toSorted()).toEqual([...asked.keys()].toSorted());
      }),
      runs,
    );
  });

  test('success is never without a device that did it, or the time of the watchdog', () => {
    fc.assert(
      fc.property(story, (one) => {
        const { fencers, asked } = tell(one);
        for (const { effect, atMs } of fencers.effects) {
          if (effect.type !== 'fenceEnded' || effect.outcome !== 'ok') continue;
          const request = asked.get(effect.requestId);
          const actions = effect.action === 'reboot' ? ['off', 'reboot'] : [effect.action];
          const deeds = fencers.calls.filter(
            (call) =>
              actions.includes(call.action) && call.code === 0 && !call.hasTimedOut && call.atMs + call.ms <= atMs,
          );
          const names_ = effect.devices.filter((name) => name !== 'watchdog');
          for (const name of names_) {
            expect(
              deeds.some(({ agent }) => agent === `fence_${name.slice(1)}`),
              `${name} for ${effect.requestId}`,
            ).toBe(true);
          }
          expect(effect.devices.length).toBeGreaterThan(0);
          if (effect.devices.includes('watchdog')) {
            expect(one.watchdogMs).toBeGreaterThan(0);
            // A request that joined another shares its wait.
            const first = Math.min(
              ...[...asked.values()].filter(({ action }) => action === effect.action).map(({ at }) => at),
            );
            expect(atMs - first).toBeGreaterThanOrEqual(one.watchdogMs);
          }
          expect(request).toBeDefined();
        }
      }),
      runs,
    );
  });

  test('a level succeeds only with all its devices', () => {
    fc.assert(
      fc.property(story, (one) => {
        const { fencers } = tell(one);
        const levels = one.levels
          .map((level_) => level_.filter((index) => index < one.devices.length).map((index) => `d${index}`))
          .filter((level_) => level_.length > 0);
        if (levels.length === 0) return;
        for (const { effect } of fencers.effects) {
          if (effect.type !== 'fenceEnded' || effect.outcome !== 'ok' || effect.devices.includes('watchdog')) continue;
          const isWhole = levels.some((level_) => level_.every((name) => effect.devices.includes(name)));
          expect(isWhole, `${effect.devices.join(' ')} of ${JSON.stringify(levels)}`).toBe(true);
        }
      }),
      runs,
    );
  });

  test('once all is over no timer runs, no process is left, and nothing is pending', () => {
    fc.assert(
      fc.property(story, (one) => {
        const { fencers } = tell(one);
        const departed = new Set(one.departures.map(({ who }) => who));
        for (const name of names) {
          if (departed.has(name)) continue;
          const pending = fencers
            .fencer(name)
            .history()
            .filter(({ state, originator }) => state === 'pending' && originator === name);
          expect(pending).toEqual([]);
        }
      }),
      runs,
    );
  });
});
