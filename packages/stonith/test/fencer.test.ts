import { describe, expect, test } from 'vitest';
import {
  type Agent,
  description,
  device,
  fails,
  level,
  usualActions,
  VirtualFencers,
  works,
} from './virtual-fencers.ts';

const agents = { fence_a: works, fence_b: works, fence_bad: fails, fence_off: offOnly, fence_slow: slow };

function offOnly({ action, agent }: Parameters<Agent>[0]): ReturnType<Agent> {
  return { ms: 100, code: 0, stdout: action === 'metadata' ? description(agent, ['off', 'status', 'monitor']) : '' };
}

function slow({ action, agent }: Parameters<Agent>[0]): ReturnType<Agent> {
  if (action === 'metadata') return { ms: 100, code: 0, stdout: description(agent, usualActions) };
  return { ms: 8000, code: 0 };
}

function fabricAgent({ action, agent }: Parameters<Agent>[0]): ReturnType<Agent> {
  const actions = ['on automatic=1', 'off', 'status', 'monitor', 'metadata'];
  return { ms: 100, code: 0, stdout: action === 'metadata' ? description(agent, actions) : '' };
}

/** Three nodes, of which gamma is lost. */
function cluster(seed = 1): VirtualFencers {
  const fencers = new VirtualFencers(['alpha', 'beta'], agents, seed);
  fencers.run();
  return fencers;
}

describe('a fencing', () => {
  test('runs a device that can do it and reports with proof who did it', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'gamma' }));
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({
      outcome: 'ok',
      devices: ['power'],
      executor: 'alpha',
      action: 'off',
    });
    expect(fencers.deeds).toEqual(['fence_a off gamma @alpha']);
  });

  test('is heard of by every node, once, and stands in every history', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.fence('alpha', 'gamma');
    fencers.run();
    const heard = fencers.effects.filter(({ effect }) => effect.type === 'fencingHeard');
    expect(heard.map(({ node }) => node).toSorted()).toEqual(['alpha', 'beta']);
    expect(fencers.fencer('beta').history()).toEqual(fencers.fencer('alpha').history());
    expect(fencers.fencer('beta').history()).toMatchObject([{ target: 'gamma', state: 'ok', originator: 'alpha' }]);
  });

  test('starts without waiting for anyone where a device is known to work here', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.give('alpha', { type: 'askDevice', requestId: 'm', device: 'power', action: 'monitor', timeoutMs: 5000 });
    fencers.runFor(200);
    fencers.cut.add('beta>alpha');
    expect(fencers.fence('alpha', 'gamma').tookMs).toBe(100);
  });

  test('waits for all answers where no device has proved itself, but not for a member that leaves', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.cut.add('beta>alpha');
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(300);
    expect(fencers.deeds).toEqual([]);
    fencers.members(['alpha']);
    expect(fencers.answer('x').outcome).toBe('ok');
  });

  test('asks the node that has the device', () => {
    const fencers = cluster();
    const power = device('power', 'fence_a', { pcmk_host_list: 'gamma' });
    fencers.give('beta', { type: 'devicesChanged', devices: [power] });
    fencers.runFor(200);
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'ok', executor: 'beta' });
    expect(fencers.deeds).toEqual(['fence_a off gamma @beta']);
  });

  test('is never left to the target while another node can do it', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'alpha beta' }));
    fencers.options({ goneTimeoutMs: 0 });
    fencers.fence('alpha', 'alpha');
    expect(fencers.deeds).toEqual(['fence_a off alpha @beta']);
  });

  test('of itself is done by a node that is alone', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'alpha' }));
    fencers.members(['alpha']);
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'alpha', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(1000);
    expect(fencers.deeds).toEqual(['fence_a off alpha @alpha']);
  });

  test('without a device that can do it fails as such', () => {
    const fencers = cluster();
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'delta' }));
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'noDevice', devices: [] });
    expect(fencers.deeds).toEqual([]);
  });

  test('goes on to another device when one fails, and says why at the end', () => {
    const fencers = cluster();
    fencers.devices(
      device('bad', 'fence_bad', { pcmk_host_list: 'gamma', pcmk_off_retries: '1' }),
      device('good', 'fence_a', { pcmk_host_list: 'gamma' }),
    );
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'ok', devices: ['good'] });
    fencers.devices(device('bad', 'fence_bad', { pcmk_host_list: 'gamma', pcmk_off_retries: '1' }));
    const failed = fencers.fence('alpha', 'gamma');
    expect(failed.outcome).toBe('failed');
    expect(failed.reason).toMatch(/bad on alpha: its agent ended with 1: no answer from the power switch; bad on beta/);
  });

  test('is tried twice by a device unless configured otherwise, a second apart', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('bad', 'fence_bad', { pcmk_host_list: 'gamma' }));
    const first = fencers.fence('alpha', 'gamma');
    expect(first.tookMs).toBe(1200);
    expect(fencers.deeds).toHaveLength(2);
    fencers.devices(device('bad', 'fence_bad', { pcmk_host_list: 'gamma', pcmk_off_retries: '4' }));
    fencers.fence('alpha', 'gamma');
    expect(fencers.deeds).toHaveLength(6);
  });

  test('by an agent that outlasts its time is a timeout and not tried again', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma' }));
    expect(fencers.fence('alpha', 'gamma', { timeoutMs: 3000 })).toMatchObject({ outcome: 'timedOut', tookMs: 3000 });
    expect(fencers.deeds).toHaveLength(1);
  });

  test('may take the device’s own time where it has one', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma', pcmk_off_timeout: '15' }));
    const ended = fencers.fence('alpha', 'gamma', { timeoutMs: 3000 });
    expect(ended).toMatchObject({ outcome: 'ok', tookMs: 8000 });
    expect(fencers.effects.map(({ effect }) => effect)).toContainEqual(
      expect.objectContaining({ type: 'fenceAccepted', totalTimeoutMs: 18_000 }),
    );
  });

  test('by reboot is off where the agent has no reboot', () => {
    const fencers = cluster();
    fencers.devices(device('off', 'fence_off', { pcmk_host_list: 'gamma' }));
    expect(fencers.fence('alpha', 'gamma', { action: 'reboot' }).outcome).toBe('ok');
    expect(fencers.deeds).toEqual(['fence_off off gamma @alpha']);
  });
});

describe('proof', () => {
  test('a device that claims success while the target still answers is not believed', () => {
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], agents);
    fencers.devices(device('liar', 'fence_a', { pcmk_host_list: 'gamma' }));
    const ended = fencers.fence('alpha', 'gamma');
    expect(ended.outcome).toBe('failed');
    expect(ended.reason).toContain('liar: claims success, but gamma still answers');
    expect(ended.devices).toEqual([]);
  });

  test('that it still runs is enough for a node to disbelieve that it was fenced, whoever did it', () => {
    const fencers = new VirtualFencers(['alpha', 'beta'], agents);
    fencers.devices(device('liar', 'fence_a', { pcmk_host_list: 'alpha' }));
    const request = { type: 'fence', target: 'alpha', action: 'off', timeoutMs: 20_000 } as const;
    fencers.give('alpha', { ...request, requestId: 'own' });
    fencers.runFor(20);
    fencers.give('beta', { ...request, requestId: 'joined' });
    const own = fencers.answer('own');
    expect(own.outcome).toBe('failed');
    expect(own.reason).toContain('liar: claims success, but alpha still answers');
    fencers.run();
    expect(fencers.answer('joined').outcome).toBe('failed');
    expect(
      fencers
        .fencer('beta')
        .history()
        .map(({ state }) => state),
    ).not.toContain('ok');
  });

  test('what was done for a node that was hit is told by who did it, once that node is gone', () => {
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], agents);
    const power = device('power', 'fence_a', { pcmk_host_list: 'alpha' });
    fencers.give('beta', { type: 'devicesChanged', devices: [power] });
    fencers.runFor(200);
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'alpha', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(1000);
    expect(fencers.fencer('gamma').history()).toMatchObject([{ target: 'alpha', state: 'pending' }]);
    fencers.cut.add('alpha>beta').add('alpha>gamma');
    fencers.members(['beta', 'gamma']);
    fencers.runFor(10);
    expect(fencers.fencer('gamma').history()).toMatchObject([{ target: 'alpha', state: 'ok', executor: 'beta' }]);
  });

  test('one of two power supplies is not the end of a node that asked for its own fencing', () => {
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], agents);
    const listed = { pcmk_host_list: 'alpha' };
    const [a, b] = [device('a', 'fence_a', listed), device('b', 'fence_slow', listed)];
    fencers.give('beta', { type: 'devicesChanged', devices: [a, b] });
    fencers.levels(level('alpha', 1, 'a', 'b'));
    fencers.runFor(200);
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'alpha', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(2000); // a is off, b at work
    expect(fencers.deeds).toEqual(['fence_a off alpha @beta', 'fence_slow off alpha @beta']);
    fencers.cut.add('alpha>beta').add('alpha>gamma');
    fencers.members(['beta', 'gamma']);
    fencers.runFor(10);
    expect(
      fencers
        .fencer('gamma')
        .history()
        .map(({ state }) => state),
    ).not.toContain('ok');
  });

  test('a target that was away before a device acted on it has to go again', () => {
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], agents);
    fencers.devices(device('liar', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.cut.add('beta>alpha'); // its answer is waited for
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(200);
    fencers.members(['alpha', 'beta']);
    fencers.members(['alpha', 'beta', 'gamma']);
    expect(fencers.answer('x')).toMatchObject({ outcome: 'failed' });
  });

  test('who is cut off from something else than power is told to reset itself, and waited for', () => {
    const fabric = { ...agents, fence_fabric: fabricAgent };
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], fabric);
    fencers.devices(device('fabric', 'fence_fabric', { pcmk_host_list: 'gamma' }, { meta: { provides: 'unfencing' } }));
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(2000);
    expect(fencers.effects.some(({ node, effect }) => node === 'gamma' && effect.type === 'resetSelf')).toBe(true);
    expect(fencers.effects.some(({ effect }) => effect.type === 'fenceEnded')).toBe(false);
    fencers.members(['alpha', 'beta']);
    expect(fencers.answer('x')).toMatchObject({ outcome: 'ok', devices: ['fabric'] });
  });

  test('success counts as soon as the target has left', () => {
    const fencers = new VirtualFencers(['alpha', 'beta', 'gamma'], agents);
    fencers.devices(device('power', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(800);
    expect(fencers.effects.some(({ effect }) => effect.type === 'fenceEnded')).toBe(false);
    fencers.members(['alpha', 'beta']);
    expect(fencers.answer('x')).toMatchObject({ outcome: 'ok', devices: ['power'] });
  });

  test('a person’s word counts for a node that is not a member, and for no other', () => {
    const fencers = cluster();
    fencers.give('alpha', { type: 'confirmDown', requestId: 'a', target: 'gamma', by: 'root' });
    expect(fencers.answer('a')).toMatchObject({ outcome: 'ok', devices: ['a human'] });
    fencers.give('alpha', { type: 'confirmDown', requestId: 'b', target: 'beta', by: 'root' });
    expect(fencers.answer('b').outcome).toBe('refused');
  });

  test('a person’s word ends what is under way', () => {
    const fencers = cluster();
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma' }));
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'reboot', timeoutMs: 60_000 });
    fencers.runFor(1000);
    fencers.give('alpha', { type: 'confirmDown', requestId: 'c', target: 'gamma', by: 'root' });
    expect(fencers.answer('x')).toMatchObject({ outcome: 'ok', devices: ['a human'] });
    expect(fencers.nowMs).toBeLessThan(3000);
  });
});

describe('levels', () => {
  test('need all their devices; the first that fails leads to the next level', () => {
    const fencers = cluster();
    const listed = { pcmk_host_list: 'gamma', pcmk_off_retries: '1' };
    fencers.devices(device('a', 'fence_a', listed), device('bad', 'fence_bad', listed), device('b', 'fence_b', listed));
    fencers.levels(level('gamma', 1, 'a', 'bad'), level('gamma', 2, 'b'));
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'ok', devices: ['b'] });
    expect(fencers.deeds).toEqual([
      'fence_a off gamma @alpha',
      'fence_bad off gamma @alpha',
      'fence_b off gamma @alpha',
    ]);
  });

  test('are tried by index, and exclude devices that stand in none', () => {
    const fencers = cluster();
    const listed = { pcmk_host_list: 'gamma', pcmk_off_retries: '1' };
    fencers.devices(device('a', 'fence_a', listed), device('bad', 'fence_bad', listed));
    fencers.levels(level('gamma', 2, 'bad'), level('gamma', 1, 'bad'));
    expect(fencers.fence('alpha', 'gamma').outcome).toBe('failed');
    expect(fencers.deeds.some((deed) => deed.startsWith('fence_a '))).toBe(false);
  });

  test('of several devices turn a reboot into all off, then all on', () => {
    const fencers = cluster();
    const listed = { pcmk_host_list: 'gamma' };
    fencers.devices(device('a', 'fence_a', listed), device('b', 'fence_b', listed));
    fencers.levels(level('gamma', 1, 'a', 'b'));
    expect(fencers.fence('alpha', 'gamma', { action: 'reboot' })).toMatchObject({ outcome: 'ok', devices: ['a', 'b'] });
    expect(fencers.deeds).toEqual([
      'fence_a off gamma @alpha',
      'fence_b off gamma @alpha',
      'fence_a on gamma @alpha',
      'fence_b on gamma @alpha',
    ]);
  });

  test('do not switch on again what is set to stay off or cannot be switched on', () => {
    const fencers = cluster();
    fencers.devices(
      device('a', 'fence_a', { pcmk_host_list: 'gamma', pcmk_reboot_action: 'off' }),
      device('b', 'fence_off', { pcmk_host_list: 'gamma' }),
    );
    fencers.levels(level('gamma', 1, 'a', 'b'));
    expect(fencers.fence('alpha', 'gamma', { action: 'reboot' }).outcome).toBe('ok');
    expect(fencers.deeds).toEqual(['fence_a off gamma @alpha', 'fence_off off gamma @alpha']);
  });

  test('after a failed off go on with a whole reboot at the next level', () => {
    const fencers = cluster();
    const listed = { pcmk_host_list: 'gamma', pcmk_off_retries: '1' };
    fencers.devices(device('a', 'fence_a', listed), device('bad', 'fence_bad', listed), device('b', 'fence_b', listed));
    fencers.levels(level('gamma', 1, 'a', 'bad'), level('gamma', 2, 'b'));
    fencers.fence('alpha', 'gamma', { action: 'reboot' });
    expect(fencers.deeds).toEqual([
      'fence_a off gamma @alpha',
      'fence_bad off gamma @alpha',
      'fence_b reboot gamma @alpha',
    ]);
  });
});

describe('delays', () => {
  test('of a device hold off and reboot back, and of the request the first device only', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma', pcmk_delay_base: '1' }));
    expect(fencers.fence('alpha', 'gamma', { delayMs: 2000 }).tookMs).toBe(3100);
    expect(fencers.fence('alpha', 'gamma', { delayMs: -1 }).tookMs).toBe(100);
    expect(fencers.fence('alpha', 'gamma', { action: 'on' }).tookMs).toBe(100);
  });

  test('per node apply to the nodes they name', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma delta', pcmk_delay_base: 'delta:2s' }));
    expect(fencers.fence('alpha', 'gamma').tookMs).toBe(100);
    expect(fencers.fence('alpha', 'delta').tookMs).toBe(2100);
  });

  test('at random lie between base and maximum and differ by seed', () => {
    const delays = [1, 2, 3, 4, 5].map((seed) => {
      const fencers = cluster(seed);
      fencers.members(['alpha']);
      fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma', pcmk_delay_base: '1', pcmk_delay_max: '5' }));
      return fencers.fence('alpha', 'gamma').tookMs - 100;
    });
    expect(delays.every((delay) => delay >= 1000 && delay <= 5000)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(1);
  });
});

describe('requests for the same', () => {
  test('join what is under way here and share its end', () => {
    const fencers = cluster();
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }));
    const request = { type: 'fence', target: 'gamma', action: 'off', timeoutMs: 20_000 } as const;
    fencers.give('alpha', { ...request, requestId: 'one' });
    fencers.give('alpha', { ...request, requestId: 'two' });
    expect([fencers.answer('one').outcome, fencers.answer('two').outcome]).toEqual(['ok', 'ok']);
    expect(fencers.deeds).toHaveLength(1);
  });

  test('join what another node has begun', () => {
    const fencers = cluster();
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma' }));
    const request = { type: 'fence', target: 'gamma', action: 'off', timeoutMs: 20_000 } as const;
    fencers.give('alpha', { ...request, requestId: 'one' });
    fencers.runFor(100);
    fencers.give('beta', { ...request, requestId: 'two' });
    expect(fencers.answer('two').outcome).toBe('ok');
    expect(fencers.deeds).toHaveLength(1);
  });

  test('begin their own when the node that had begun is lost', () => {
    const fencers = cluster();
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma' }));
    const request = { type: 'fence', target: 'gamma', action: 'off', timeoutMs: 20_000 } as const;
    fencers.give('alpha', { ...request, requestId: 'one' });
    fencers.runFor(100);
    fencers.give('beta', { ...request, requestId: 'two' });
    fencers.cut.add('alpha>beta').add('beta>alpha');
    fencers.members(['beta']);
    expect(fencers.answer('two').outcome).toBe('ok');
    expect(fencers.deeds).toEqual(['fence_slow off gamma @alpha', 'fence_slow off gamma @beta']);
  });

  test('for another action do not join', () => {
    const fencers = cluster();
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }));
    const request = { type: 'fence', target: 'gamma', timeoutMs: 20_000 } as const;
    fencers.give('alpha', { ...request, action: 'off', requestId: 'one' });
    fencers.give('alpha', { ...request, action: 'reboot', requestId: 'two' });
    fencers.answer('one');
    fencers.answer('two');
    expect(fencers.deeds).toHaveLength(2);
  });

  test('are spared by tolerance if the same was done recently enough', () => {
    const fencers = cluster();
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.fence('alpha', 'gamma');
    fencers.runFor(5000);
    expect(fencers.fence('beta', 'gamma', { toleranceMs: 60_000 })).toMatchObject({ outcome: 'ok', tookMs: 0 });
    expect(fencers.fence('beta', 'gamma', { toleranceMs: 1000 }).tookMs).toBeGreaterThan(0);
    expect(fencers.fence('beta', 'gamma', { toleranceMs: 60_000, action: 'reboot' }).tookMs).toBeGreaterThan(0);
  });
});

describe('a device', () => {
  test('runs one action at a time unless its limit says otherwise', () => {
    const timeOf = (parameters: Readonly<Record<string, string>>): number => {
      const fencers = cluster();
      fencers.members(['alpha']);
      fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma delta', ...parameters }));
      const request = { type: 'fence', action: 'off', timeoutMs: 20_000 } as const;
      const beganMs = fencers.nowMs;
      fencers.give('alpha', { ...request, target: 'gamma', requestId: 'one' });
      fencers.give('alpha', { ...request, target: 'delta', requestId: 'two' });
      fencers.answer('two');
      return fencers.nowMs - beganMs;
    };
    expect(timeOf({})).toBe(16_000);
    expect(timeOf({ pcmk_action_limit: '-1' })).toBe(8000);
  });

  test('that became free too late does not act any more', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma delta', pcmk_off_timeout: '30' }));
    fencers.give('alpha', { type: 'fence', target: 'gamma', action: 'off', timeoutMs: 20_000, requestId: 'one' });
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma delta' }));
    const late = fencers.fence('alpha', 'delta', { timeoutMs: 2000 });
    expect(late.outcome).toBe('timedOut');
    fencers.run();
    expect(fencers.deeds).toEqual(['fence_slow off gamma @alpha']);
  });

  test('can be banned from a node', () => {
    const fencers = cluster();
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }, { isAllowedHere: false }));
    expect(fencers.fence('alpha', 'gamma').outcome).toBe('noDevice');
  });
});

describe('nodes one at a time', () => {
  test('is what concurrent-fencing=false means', () => {
    const fencers = cluster();
    fencers.members(['alpha']);
    fencers.options({ isConcurrent: false });
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma delta', pcmk_action_limit: '-1' }));
    const request = { type: 'fence', action: 'off', timeoutMs: 20_000 } as const;
    const beganMs = fencers.nowMs;
    fencers.give('alpha', { ...request, target: 'gamma', requestId: 'one' });
    fencers.give('alpha', { ...request, target: 'delta', requestId: 'two' });
    fencers.answer('two');
    expect(fencers.nowMs - beganMs).toBe(16_000);
  });
});

describe('the watchdog', () => {
  test('fences a silent node by waiting, where this partition has quorum', () => {
    const fencers = cluster();
    fencers.options({ watchdogTimeoutMs: 10_000 });
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'ok', devices: ['watchdog'], tookMs: 10_002 });
  });

  test('proves nothing without quorum, for a node that has none, or if it still answers', () => {
    const fencers = cluster();
    fencers.options({ watchdogTimeoutMs: 10_000, watchdogNodes: ['delta', 'beta'] });
    expect(fencers.fence('alpha', 'gamma').outcome).toBe('noDevice');
    expect(fencers.fence('alpha', 'beta')).toMatchObject({ outcome: 'failed', reason: 'watchdog: it still answers' });
    fencers.members(['alpha', 'beta'], false);
    expect(fencers.fence('alpha', 'delta').outcome).toBe('noDevice');
  });

  test('makes a member reset itself', () => {
    const fencers = cluster();
    fencers.options({ watchdogTimeoutMs: 10_000 });
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'beta', action: 'off', timeoutMs: 5000 });
    fencers.runFor(1000);
    expect(fencers.effects.some(({ node, effect }) => node === 'beta' && effect.type === 'resetSelf')).toBe(true);
    fencers.members(['alpha']);
    expect(fencers.answer('x')).toMatchObject({ outcome: 'ok', devices: ['watchdog'] });
  });

  test('can be one device of a level', () => {
    const fencers = cluster();
    fencers.options({ watchdogTimeoutMs: 5000 });
    fencers.devices(device('bad', 'fence_bad', { pcmk_host_list: 'gamma', pcmk_off_retries: '1' }));
    fencers.levels(level('gamma', 1, 'bad'), level('gamma', 2, 'watchdog'));
    expect(fencers.fence('alpha', 'gamma')).toMatchObject({ outcome: 'ok', devices: ['watchdog'] });
  });
});

describe('history', () => {
  test('is shared with a fencer that comes', () => {
    const fencers = new VirtualFencers(['alpha', 'beta'], agents);
    fencers.members(['alpha']);
    fencers.members(['beta']);
    fencers.cut.add('alpha>beta').add('beta>alpha');
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.fence('alpha', 'gamma');
    expect(fencers.fencer('beta').history()).toEqual([]);
    fencers.cut.clear();
    fencers.members(['alpha', 'beta']);
    fencers.run();
    expect(fencers.fencer('beta').history()).toEqual(fencers.fencer('alpha').history());
  });

  test('is cleaned everywhere, but for what is under way', () => {
    const fencers = cluster();
    fencers.devices(device('a', 'fence_a', { pcmk_host_list: 'gamma' }));
    fencers.fence('alpha', 'gamma');
    fencers.give('beta', { type: 'cleanHistory' });
    fencers.run();
    expect(fencers.fencer('alpha').history()).toEqual([]);
  });

  test('keeps five hundred and then drops the older half', () => {
    const fencers = cluster();
    for (let count = 0; count <= 500; count += 1) {
      fencers.give('alpha', { type: 'confirmDown', requestId: `c${count}`, target: `n${count}`, by: 'root' });
      fencers.nowMs += 1;
    }
    const history = fencers.fencer('alpha').history();
    expect(history).toHaveLength(250);
    expect(history[0]?.target).toBe('n500');
  });
});

describe('messages from peers', () => {
  test.for([
    null,
    7,
    'x',
    {},
    { kind: 'toString' },
    { kind: 'query' },
    { kind: 'performed', operation: 'x', step: -1 },
  ])('that are none are rejected (%#)', (message) => {
    const fencers = cluster();
    fencers.give('alpha', { type: 'peerMessage', from: 'beta', message });
    expect(fencers.effects.at(-1)?.effect).toMatchObject({ type: 'rejected' });
  });

  test('about operations nobody knows change nothing', () => {
    const fencers = cluster();
    const before = fencers.effects.length;
    const message = { kind: 'performed', operation: 'fence_none', step: 1, outcome: 'ok', reason: '' };
    fencers.give('alpha', { type: 'peerMessage', from: 'beta', message });
    expect(fencers.effects).toHaveLength(before);
  });

  test('that claim a step is done, from a node that was not asked, are not believed', () => {
    const fencers = cluster();
    fencers.devices(device('slow', 'fence_slow', { pcmk_host_list: 'gamma' }));
    fencers.give('alpha', { type: 'fence', requestId: 'x', target: 'gamma', action: 'off', timeoutMs: 20_000 });
    fencers.runFor(100);
    const operation = fencers.fencer('alpha').history()[0]?.id ?? '';
    const message = { kind: 'performed', operation, step: 1, outcome: 'ok', reason: '' };
    fencers.give('alpha', { type: 'peerMessage', from: 'beta', message });
    expect(fencers.effects.some(({ effect }) => effect.type === 'fenceEnded')).toBe(false);
  });
});
