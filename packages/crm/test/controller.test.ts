import { describe, expect, test } from 'vitest';
import { diff } from '@systole/cib';
import { isJoined, nodeState, transientAttributes } from '../src/index.ts';
import { action, Bus, transition } from './bus.ts';

const three = ['alpha', 'beta', 'gamma'];

function cluster(names: readonly string[] = three): Bus {
  const bus = new Bus();
  for (const name of names) bus.add(name);
  bus.view(names);
  return bus;
}

describe('a view', () => {
  test('has the member of the highest rank as DC, and all know it', () => {
    const bus = cluster();

    expect(three.map((name) => bus.node(name).controller.state.dc)).toEqual(['alpha', 'alpha', 'alpha']);
    expect(bus.node('alpha').controller.state.state).toBe('dc.idle');
    expect(bus.node('beta').controller.state.state).toBe('following');
  });

  test('leaves all members with the same CIB, in which each is a member', () => {
    const bus = cluster();

    expect(bus.digests(three).size).toBe(1);
    for (const { name, incarnation } of bus.members(three))
      expect(isJoined(bus.cib('gamma'), name, incarnation)).toBe(true);
  });

  test('of members that came together needs no messages before its DC plans', () => {
    const bus = cluster();
    const before = bus.effects('beta', 'send').length;
    bus.view(['beta', 'gamma']);

    expect(bus.node('beta').controller.state.dc).toBe('beta');
    const sent = bus.effects('beta', 'send').slice(before);
    expect(sent.map(({ message }) => message.type)).toEqual(['settled']);
  });

  test('that ended before a member had activated it parts nobody: all came together still', () => {
    const bus = cluster(['alpha', 'beta', 'gamma', 'delta']);
    bus.view(['beta', 'gamma', 'delta'], { missedBy: ['delta'] });
    bus.view(['beta', 'gamma', 'delta']);

    for (const name of ['beta', 'gamma', 'delta'])
      expect(bus.node(name).controller.state).toMatchObject({ dc: 'beta', isAgreed: true });
    expect(bus.digests(['beta', 'gamma', 'delta']).size).toBe(1);
  });

  test('of members that did not come together parts them still, if it ended before it was activated', () => {
    const bus = cluster();
    bus.view(['alpha']);
    bus.view(three, { missedBy: three });
    bus.view(three);

    expect(bus.effects('beta', 'send').some(({ message }) => message.type === 'hello')).toBe(true);
    expect(bus.digests(three).size).toBe(1);
  });

  /** An operator's change at `name` that takes gamma, which is a member, out of the configuration. */
  const removeGamma = (bus: Bus, name: string): void => {
    const cib = bus.cib(name);
    const nodes = cib.configuration.nodes.filter((node) => node.name !== 'gamma');
    const change = diff(cib, { ...cib, configuration: { ...cib.configuration, nodes } });
    bus.give(name, { type: 'request', requestId: 'remove', request: { type: 'change', change, user: 'test' } });
  };

  test('enters a member again that was taken out of the configuration', () => {
    const bus = cluster();
    removeGamma(bus, 'beta');
    bus.run();

    expect(bus.cib('beta').configuration.nodes.map(({ name }) => name)).toEqual(['alpha', 'beta', 'gamma']);
  });

  test('is not planned for without such a member, also where it is taken out while the policy engine works', () => {
    const bus = cluster();
    const asked: number[] = [];
    bus.plan = (cib) => {
      asked.push(cib.configuration.nodes.length);
      return transition([]);
    };
    bus.setOption('alpha', 'r1', 'cluster-name', 'x'); // asks the policy engine
    removeGamma(bus, 'alpha'); // in the order before it has answered
    bus.run();

    expect(asked).not.toContain(2);
    expect(bus.cib('beta').configuration.nodes).toHaveLength(3);
  });

  test.for([
    ['ignore', 0],
    ['stop', 1],
  ] as const)(
    'without quorum under no-quorum-policy=%s is planned for %i times without such a member',
    ([policy, plans]) => {
      const bus = cluster();
      bus.setOption('alpha', 'r1', 'no-quorum-policy', policy);
      bus.run();
      removeGamma(bus, 'alpha');
      bus.deliverOne(); // gamma is out; quorum goes before it has been entered again
      for (const name of three) bus.give(name, { type: 'quorum', state: 'lost', reason: 'as the test says' });
      const asked: number[] = [];
      bus.plan = (cib) => {
        asked.push(cib.configuration.nodes.length);
        return transition([]);
      };
      bus.view(three, { quorum: 'lost' });

      expect(bus.cib('alpha').configuration.nodes).toHaveLength(2);
      expect(asked.length).toBe(plans);
    },
  );

  test('takes over the CIB of the highest lineage, however high the version of another', () => {
    const bus = cluster();
    bus.view(['alpha', 'beta']);
    bus.setOption('alpha', 'r1', 'cluster-name', 'new');
    bus.run();
    const stale = new Bus();
    stale.add('gamma');
    stale.view(['gamma'], { quorum: 'lost' });
    for (let count = 0; count < 20; count++) {
      const values = { note: String(count) };
      stale.give('gamma', {
        type: 'request',
        requestId: `q${count}`,
        request: { type: 'setAttributes', node: 'gamma', values },
      });
      stale.run();
    }
    bus.add('gamma', { state: { ...stale.node('gamma').controller.replica.state, records: [] }, lineage: 1 });
    bus.view(three);

    expect(bus.digests(three).size).toBe(1);
    expect(bus.cib('gamma').configuration.options[0]?.pairs[0]?.value).toBe('new');
  });
});

describe('a member that goes', () => {
  test('without a word is unclean, with its history, and loses its transient attributes', () => {
    const bus = cluster();
    bus.give('gamma', {
      type: 'request',
      requestId: 'r',
      request: { type: 'setAttributes', node: 'gamma', values: { shutdown: '1' } },
    });
    bus.run();
    bus.view(['alpha', 'beta']);

    const state = nodeState(bus.cib('alpha'), 'gamma');
    expect(state).toMatchObject({ inCluster: 'false', expected: 'member', join: 'down' });
    expect(transientAttributes(state).size).toBe(0);
    expect(bus.digests(['alpha', 'beta']).size).toBe(1);
  });

  test('in order is clean', () => {
    const bus = cluster();
    bus.view(['alpha', 'beta'], { cause: 'left' });

    expect(nodeState(bus.cib('beta'), 'gamma')).toMatchObject({ inCluster: 'false', expected: 'down', history: [] });
  });

  test('and comes back in another life counts as a member only once it has told what runs on it', () => {
    const bus = cluster();
    bus.view(['alpha', 'beta']);
    bus.add('gamma');
    bus.view(three);
    const [, , gamma] = bus.members(three);

    expect(isJoined(bus.cib('alpha'), 'gamma', gamma?.incarnation ?? 0)).toBe(true);
    expect(bus.digests(three).size).toBe(1);
  });
});

describe('the DC', () => {
  test('gives an action to its node, and goes on when the result is delivered', () => {
    const bus = cluster();
    let plans = 0;
    bus.plan = () =>
      plans++ === 0 ? transition([action('beta', 'start'), action('gamma', 'start', 'db')], [[0, 1]]) : transition([]);
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    const [execute] = bus.effects('beta', 'execute');
    expect(execute).toMatchObject({
      resource: 'web',
      operation: 'start',
      agent: { class: 'ocf', provider: 'systole', type: 'dummy' },
    });
    expect(bus.effects('gamma', 'execute')).toEqual([]);
    expect(nodeState(bus.cib('gamma'), 'beta')?.history[0]?.operations[0]).toMatchObject({
      operation: 'start',
      status: -1,
    });

    finish(bus, 'beta', 'web', 'start', 0, execute?.operationId ?? '');
    expect(bus.effects('gamma', 'execute')).toHaveLength(1);
    expect(nodeState(bus.cib('alpha'), 'beta')?.history[0]?.operations.map(({ id }) => id)).toEqual(['web_last_0']);
  });

  test('plans anew when an action fails, and the failure is counted at all members', () => {
    const bus = cluster();
    let plans = 0;
    bus.plan = () => (plans++ === 0 ? transition([action('beta', 'start')]) : transition([]));
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();
    finish(bus, 'beta', 'web', 'start', 1, bus.effects('beta', 'execute')[0]?.operationId ?? '');

    expect(plans).toBeGreaterThan(1);
    expect(transientAttributes(nodeState(bus.cib('gamma'), 'beta')).get('fail-count-web#start_0')).toBe('INFINITY');
    expect(bus.digests(three).size).toBe(1);
  });

  test('takes a breath before each further transition once three in a row have failed', () => {
    const bus = cluster();
    bus.plan = () => transition([action('beta', 'monitor')]);
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();
    const failLast = (): void => {
      const { operationId } = bus.effects('beta', 'execute').at(-1) ?? { operationId: '' };
      finish(bus, 'beta', 'web', 'monitor', 1, operationId);
    };
    for (let failure = 1; failure <= 2; failure++) failLast();
    expect(bus.effects('beta', 'execute')).toHaveLength(3);

    for (let failure = 3; failure <= 5; failure++) {
      failLast();
      expect(bus.effects('beta', 'execute')).toHaveLength(failure);
      expect(bus.effects('alpha', 'startTimer').at(-1)).toEqual(
        expect.objectContaining({ id: 'crm.fitness', delayMs: 1000 }),
      );
      bus.now += 1000;
      bus.give('alpha', { type: 'timerExpired', id: 'crm.fitness' });
      bus.run();
    }
    expect(bus.effects('beta', 'execute')).toHaveLength(6);

    failLast(); // a breath begins; in a new view nothing is waited for
    bus.view(['alpha', 'beta']);
    expect(bus.effects('beta', 'execute')).toHaveLength(7);
  });

  test('does not wait for a member that is gone', () => {
    const bus = cluster();
    let plans = 0;
    bus.plan = () => (plans++ === 0 ? transition([action('gamma', 'start')]) : transition([]));
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();
    expect(bus.node('alpha').controller.state.state).toBe('dc.executing');
    bus.view(['alpha', 'beta']);

    expect(bus.node('alpha').controller.state.state).toBe('dc.idle');
  });

  test('fences through its fencer, and the node is clean at all members once that is delivered', () => {
    const bus = cluster();
    const fence = { ...action('gamma', 'reboot'), kind: 'fence', key: 'stonith-gamma-reboot' } as const;
    let plans = 0;
    bus.plan = (cib) =>
      nodeState(cib, 'gamma')?.expected === 'member' && nodeState(cib, 'gamma')?.inCluster === 'false' && plans++ === 0
        ? transition([fence])
        : transition([]);
    bus.view(['alpha', 'beta']);
    const [asked] = bus.effects('alpha', 'fence');
    expect(asked).toMatchObject({ target: 'gamma', action: 'reboot' });
    bus.give('alpha', {
      type: 'fenceEnded',
      requestId: asked?.requestId ?? '',
      target: 'gamma',
      action: 'reboot',
      outcome: 'ok',
      devices: ['ipmi'],
      reason: 'ok',
    });
    bus.run();

    expect(nodeState(bus.cib('beta'), 'gamma')).toMatchObject({ expected: 'down', inCluster: 'false', history: [] });
    expect(bus.node('alpha').controller.state.isSettled).toBe(true);
  });

  test('never asks its fencer without quorum', () => {
    const bus = cluster();
    bus.plan = () => transition([{ ...action('gamma', 'reboot'), kind: 'fence', key: 'stonith-gamma-reboot' }]);
    bus.view(['alpha'], { quorum: 'lost' });

    expect(bus.effects('alpha', 'fence')).toEqual([]);
    expect(bus.reports('alpha', 'fencing.refused')).not.toEqual([]);
  });

  test('that loses its office forgets its transition', () => {
    const bus = cluster();
    bus.plan = () => transition([action('beta', 'start')]);
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();
    bus.plan = () => transition([]);
    bus.view(['beta', 'alpha', 'gamma']);

    expect(bus.node('alpha').controller.transitions.progress).toBeUndefined();
    expect(bus.node('beta').controller.state.state).toBe('dc.idle');
  });
});

describe('a node whose quorum is not held', () => {
  test('resets itself under no-quorum-policy=fence, if it ever had quorum', () => {
    const bus = cluster();
    bus.setOption('alpha', 'r1', 'no-quorum-policy', 'fence');
    bus.run();
    bus.view(['gamma'], { quorum: 'lost' });

    expect(bus.effects('gamma', 'resetSelf')).toHaveLength(1);
    expect(bus.effects('alpha', 'resetSelf')).toHaveLength(0);
    const never = new Bus();
    never.add('gamma', { state: { ...bus.node('gamma').controller.replica.state, records: [] }, lineage: 1 });
    never.view(['gamma'], { quorum: 'lost' });
    expect(never.effects('gamma', 'resetSelf')).toHaveLength(0);
  });

  test('begins no start that it is ordered to, and says so', () => {
    const bus = cluster();
    let plans = 0;
    bus.plan = () => (plans++ === 0 ? transition([action('beta', 'start')]) : transition([]));
    bus.give('beta', { type: 'quorum', state: 'uncertain', reason: 'a pause' });
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    expect(bus.effects('beta', 'execute')).toEqual([]);
    expect(bus.reports('alpha', 'operation.refused')).toHaveLength(1);
    expect(nodeState(bus.cib('gamma'), 'beta')?.history[0]?.operations).toEqual([]);
  });

  test('stops what it is ordered to stop', () => {
    const bus = cluster();
    let plans = 0;
    bus.plan = () => (plans++ === 0 ? transition([action('beta', 'stop')]) : transition([]));
    bus.view(three, { quorum: 'lost' });

    expect(bus.effects('beta', 'execute')).toHaveLength(1);
  });

  test('changes no configuration', () => {
    const bus = cluster();
    bus.view(['alpha'], { quorum: 'lost' });
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    expect(bus.answer('alpha', 'r1')).toMatchObject({ ok: false, code: 'noQuorum' });
    expect(bus.cib('alpha').configuration.options).toEqual([]);
  });
});

describe('a change', () => {
  test('is answered when it is delivered, and is in every replica then', () => {
    const bus = cluster();
    bus.setOption('beta', 'r1', 'cluster-name', 'x');
    expect(bus.answer('beta', 'r1')).toBeUndefined();
    bus.run();

    expect(bus.answer('beta', 'r1')).toMatchObject({ ok: true });
    expect(bus.digests(three).size).toBe(1);
    expect(bus.cib('gamma').configuration.options).toHaveLength(1);
  });

  test('that meets another state is a conflict, and changes nothing anywhere', () => {
    const bus = cluster();
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.setOption('beta', 'r2', 'cluster-name', 'y');
    bus.run();

    expect(bus.answer('alpha', 'r1')).toMatchObject({ ok: true });
    expect(bus.answer('beta', 'r2')).toMatchObject({ ok: false, code: 'conflict' });
    expect(bus.digests(three).size).toBe(1);
  });

  test('whose view ends before it has its place is made in the next', () => {
    const bus = cluster();
    bus.setOption('beta', 'r1', 'cluster-name', 'x');
    bus.view(['beta', 'gamma']);

    expect(bus.answer('beta', 'r1')).toMatchObject({ ok: true });
    expect(bus.cib('gamma').configuration.options).toHaveLength(1);
  });
});

describe('idle', () => {
  test('means that the policy engine has seen everything that has happened', () => {
    const bus = cluster();
    expect(three.every((name) => bus.node(name).controller.state.isSettled)).toBe(true);
    bus.plan = () => transition([action('beta', 'start')]);
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    expect(three.some((name) => bus.node(name).controller.state.isSettled)).toBe(false);
  });

  test('is not what a policy engine that cannot plan makes of the cluster', () => {
    const bus = cluster();
    const settledBefore = bus.reports('beta', 'cluster.settled').length;
    bus.planFailure = 'out of memory';
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    expect(bus.reports('alpha', 'schedule.failed')).not.toEqual([]);
    expect(bus.reports('beta', 'cluster.settled')).toHaveLength(settledBefore);
    expect(three.some((name) => bus.node(name).controller.state.isSettled)).toBe(false);
  });
});

describe('a node that is to leave', () => {
  test('asks the DC, and leaves when the DC says that nothing runs on it any more', () => {
    const bus = cluster();
    const shutDown = {
      ...action('beta', 'do_shutdown'),
      kind: 'cluster',
      key: 'do_shutdown-beta',
      meta: { op_no_wait: 'true' },
    } as const;
    let plans = 0;
    bus.plan = (cib) =>
      transientAttributes(nodeState(cib, 'beta')).has('shutdown') && plans++ === 0
        ? transition([shutDown])
        : transition([]);
    bus.give('beta', { type: 'shutDown', reason: 'SIGTERM' });
    bus.run();

    expect(bus.effects('beta', 'leave')).toMatchObject([{ isClean: true }]);
  });

  test('leaves once the policy engine can plan again, without other news', () => {
    const bus = cluster();
    const shutDown = { ...action('beta', 'do_shutdown'), kind: 'cluster', key: 'do_shutdown-beta' } as const;
    bus.plan = () => transition([shutDown]);
    bus.planFailure = 'out of memory';
    bus.give('beta', { type: 'shutDown', reason: 'SIGTERM' });
    bus.run();
    expect(bus.effects('beta', 'leave')).toEqual([]);
    expect(bus.effects('alpha', 'startTimer').at(-1)).toMatchObject({ id: 'crm.recheck', delayMs: 10_000 });

    bus.planFailure = undefined;
    bus.give('alpha', { type: 'timerExpired', id: 'crm.recheck' });
    bus.run();
    expect(bus.effects('beta', 'leave')).toMatchObject([{ isClean: true }]);
  });
});

describe('the input of a decision', () => {
  test('is kept for each transition, by the question that it answers, and not where nothing is left to do', () => {
    const bus = cluster();
    expect(bus.effects('alpha', 'keepInput')).toEqual([]);

    bus.plan = () => transition([action('alpha', 'start')]);
    bus.setOption('alpha', 'r1', 'cluster-name', 'x');
    bus.run();

    const [kept] = bus.effects('alpha', 'keepInput');
    const question = bus.effects('alpha', 'schedule').find(({ scheduleId }) => scheduleId === kept?.scheduleId);
    expect(question?.cib.configuration.options[0]?.pairs[0]?.value).toBe('x');
    const [started] = bus.reports('alpha', 'transition.started');
    expect(kept).toMatchObject({ transitionId: started?.fields['transition'], number: 1 });
    expect(bus.effects('beta', 'keepInput')).toEqual([]);
  });
});

describe('the input of a failure', () => {
  test('is kept once in a row, not with each attempt', () => {
    const bus = cluster();
    const attempt = (value: string): void => {
      bus.setOption('alpha', `r${value}`, `option-${value}`, value);
      bus.run();
    };
    bus.planFailure = 'a mistake';
    attempt('x');
    attempt('y');
    const [failed] = bus.reports('alpha', 'schedule.failed');
    expect(bus.reports('alpha', 'schedule.failed').length).toBeGreaterThan(1);
    expect(bus.effects('alpha', 'keepInput')).toMatchObject([
      { number: 0, transitionId: failed?.fields['transition'] },
    ]);
    bus.planFailure = undefined;
    attempt('z');
    bus.planFailure = 'another';
    attempt('w');
    expect(bus.effects('alpha', 'keepInput')).toHaveLength(2);
  });
});

describe('messages that make no sense', () => {
  test.for([{ type: 'perform' }, { type: 'nonsense' }, 'text', null, { type: 'state', replica: {} }])(
    '%j is refused and changes nothing',
    (message) => {
      const bus = cluster();
      const before = bus.digests(three);
      bus.give('beta', {
        type: 'delivered',
        from: 'alpha',
        position: { view: 1, sequence: 99 },
        isTransitional: false,
        message,
      });

      expect(bus.reports('beta', 'message.refused')).toHaveLength(1);
      expect(bus.digests(three)).toEqual(before);
    },
  );
});

function finish(
  bus: Bus,
  node: string,
  resource: string,
  operation: string,
  exitCode: number,
  operationId: string,
): void {
  const record = {
    id: `${resource}_last_0`,
    key: `${resource}_${operation}_0`,
    operation,
    intervalMs: 0,
    callId: 1,
    exitCode,
    status: 0,
    lastChange: 1_700_000_000,
  };
  bus.give(node, {
    type: 'operationEnded',
    operationId,
    resource,
    agent: { class: 'ocf', provider: 'systole', type: 'dummy' },
    record,
    alsoChanged: [],
    removed: [],
    hasSucceeded: exitCode === 0,
    expectedExitCode: 0,
  });
  bus.run();
}
