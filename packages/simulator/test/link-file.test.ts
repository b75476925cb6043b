/** A machine's file of links, changed as the cluster asks. */
import { describe, expect, test } from 'vitest';
import { Agenda } from '../src/agenda.ts';
import { Agents } from '../src/agents.ts';
import { Disk } from '../src/disk.ts';
import { FenceDevices } from '../src/fence-devices.ts';
import { LinkFile, linksOf } from '../src/link-file.ts';
import { Machine } from '../src/machine.ts';
import { Services } from '../src/services.ts';

function machineOn(agenda: Agenda): Machine {
  const agents = new Agents(1, new Services(() => undefined));
  const power = { names: [], isOn: () => true, off: () => undefined, on: () => undefined };
  const disk = new Disk(1, 1, agenda);
  const machine = new Machine({ id: 1, name: 'n1', seed: 1, agenda, disk, agents, fence: new FenceDevices(1, power) });
  machine.boot();
  return machine;
}

const add = { type: 'setLink', link: 1, isNew: true, addresses: {}, options: {} } as const;
const remove = { type: 'removeLink', link: 0 } as const;

describe('a file of links', () => {
  /** Asks in turn, and tells the links after each answer, or the problem. */
  const told = (steps: readonly (readonly ['check' | 'apply' | 'undo', typeof add | typeof remove])[]) => {
    const agenda = new Agenda();
    const machine = machineOn(agenda);
    const file = new LinkFile(machine, 1);
    return steps.map(([step, change]) => {
      let answer = 'no answer';
      file.change({ type: 'changeFile', id: 'x', step, change }, (problem) => {
        answer = problem ?? linksOf(machine, 1).join(' ');
      });
      const until = agenda.now + 1000;
      while (agenda.step(until));
      return answer;
    });
  };

  test('is looked at without a change, changed, and changed back', () => {
    expect(
      told([
        ['check', add],
        ['apply', add],
        ['undo', add],
      ]),
    ).toEqual(['0', '0 1', '0']);
  });

  test('may be asked for the same again', () => {
    expect(
      told([
        ['apply', add],
        ['apply', add],
        ['apply', remove],
        ['apply', remove],
      ]),
    ).toEqual(['0 1', '0 1', '1', '1']);
  });

  test('keeps its last link', () => {
    expect(told([['check', remove]])).toEqual(['link 0 is the only one']);
  });

  test('forgets what was before when its daemon ends', () => {
    expect(told([['undo', add]])).toEqual(['there is nothing to take back']);
  });
});
