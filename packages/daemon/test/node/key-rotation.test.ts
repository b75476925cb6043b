import { describe, expect, test } from 'vitest';
import { VirtualNodes } from './virtual-nodes.ts';

const names = ['n1', 'n2', 'n3'];
const idsOf = (nodes: VirtualNodes, name: string): readonly number[] =>
  nodes.machine(name).disk.keys?.keys.map(({ id }) => id) ?? [0];
const viewOf = (nodes: VirtualNodes, name: string): number => nodes.node(name).controller.state.viewNumber ?? 0;

function three(): VirtualNodes {
  const nodes = new VirtualNodes(names);
  nodes.run(2500);
  return nodes;
}

describe('whole nodes that change their key', () => {
  test('go on in their view, while attributes are set on each of them', () => {
    const nodes = three();
    const before = names.map((name) => viewOf(nodes, name));
    expect(nodes.ask('n2', { type: 'rotateKey', without: [] })).toEqual({ ok: true, value: { to: 1 } });
    for (let count = 1; count <= 10; count++) {
      const name = names[count % 3] ?? '';
      const answer = nodes.ask(name, { type: 'setAttributes', node: name, values: { count: String(count) } });
      expect(answer.ok).toBe(true);
    }
    nodes.run(1000);
    expect(names.map((name) => viewOf(nodes, name))).toEqual(before);
    expect(names.map((name) => idsOf(nodes, name))).toEqual([[1], [1], [1]]);
    expect(nodes.node('n1').keyStatus).toMatchObject({ primary: 1, members: [], waitingFor: [] });
    expect(nodes.reports.filter((line) => line.includes('key.changed'))).toHaveLength(3);
  });

  test.for([5, 10, 15, 20, 25, 30, 40, 50, 60, 80])('come to the new key though one crashes %i ms later', (ms) => {
    for (const victim of names) {
      const nodes = three();
      expect(nodes.ask('n1', { type: 'rotateKey', without: [] }).ok).toBe(true);
      nodes.run(ms);
      nodes.crash(victim);
      nodes.run(800);
      nodes.start(victim);
      nodes.run(4000);
      expect(names.map((name) => idsOf(nodes, name))).toEqual([[1], [1], [1]]);
      expect(names.map((name) => nodes.node(name).controller.state.members.length)).toEqual([3, 3, 3]);
    }
  });

  test('say what to do when one was left out', () => {
    const nodes = three();
    nodes.crash('n3');
    nodes.run(1000);
    expect(nodes.ask('n1', { type: 'rotateKey', without: [] })).toMatchObject({ ok: false, code: 'refused' });
    expect(nodes.ask('n1', { type: 'rotateKey', without: ['n3'] }).ok).toBe(true);
    nodes.run(1000);
    nodes.start('n3');
    nodes.run(3000);
    for (const name of ['n1', 'n3'])
      expect(
        nodes.reports.some((line) => line.startsWith(`${name} unknownKey: `) && line.includes('copy the key file')),
      ).toBe(true);
    nodes.crash('n3');
    const { keys } = nodes.machine('n1').disk;
    if (keys !== undefined) nodes.machine('n3').disk.keys = keys;
    nodes.start('n3');
    nodes.run(3000);
    expect(nodes.node('n3').controller.state.members).toHaveLength(3);
  });
});
