/** The operator's shell against three real daemons: every command, and changes while the cluster breaks. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import type { Lab } from '../lab/cluster.ts';
import { notHere, openCluster, web } from './cluster.ts';
import { commands, shellConfiguration } from './shell-commands.ts';

test.skipIf(notHere !== undefined)(
  'every command works on a live cluster, with the status and the words it promises',
  async () => {
    await using cluster = await openCluster(web + shellConfiguration);
    const { lab } = cluster;
    await cluster.runsOn('www');
    const wrong: string[] = [];
    for (const { words, status = 0, says, json, input } of commands(lab.folder)) {
      const line = `systole ${words.join(' ')}`;
      const done = await lab.trySystole('n1', words, input);
      if (done.code !== status)
        wrong.push(`${line} ended with ${done.code}, not ${status}: ${done.stderr}${done.stdout}`);
      const text = done.stdout + done.stderr;
      if (says !== undefined && !says.test(text)) wrong.push(`${line} does not say ${says}: ${text}`);
      if (/mistake in systole|\bat .*\.ts:\d+/.test(text)) wrong.push(`${line} shows a trace: ${text}`);
      if (json !== true) continue;
      const facts = await lab.trySystole('n1', ['--format', 'json', ...words]);
      if (facts.code !== status || !isJson(status === 0 || facts.stdout !== '' ? facts.stdout : facts.stderr))
        wrong.push(`${line} with --format json ended with ${facts.code}: ${facts.stderr}${facts.stdout}`);
    }
    expect(wrong).toEqual([]);
  },
  400_000,
);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(notHere !== undefined)(
  'a change is made, or is said not to be, whatever dies meanwhile',
  async () => {
    await using cluster = await openCluster(web);
    const { lab } = cluster;
    await cluster.runsOn('www');

    // The node that leads loses its power while another one is told of changes.
    const { dc = 'n1' } = await cluster.status();
    const [asked = '', other = ''] = ['n1', 'n2', 'n3'].filter((name) => name !== dc);
    const first = changeAllTheWhile(lab, asked, 'a', 12);
    await until('the first is made', () => first.told.length > 2, 20_000);
    await lab.powerOff(dc);
    await first.done;
    await expectTruth(lab, other, first.told);
    expect(first.told.filter(({ code }) => code === 0).length).toBeGreaterThan(8);

    // The node that is told is cut off: it may not act, and says so.
    await lab.settled(['n1', 'n2', 'n3']);
    const second = changeAllTheWhile(lab, asked, 'b', 4);
    await until('the first is made', () => second.told.length > 0, 20_000);
    await lab.network.cut(asked);
    await second.done;
    await lab.network.mend(asked);
    await expectTruth(lab, other, second.told);
    for (const { code, text } of second.told) {
      if (code === 0 || code > 128) continue; // made; or the node was fenced under the shell
      expect([1, 5, 6, 7]).toContain(code);
      expect(text).toMatch(
        /nothing was changed|cannot be changed|was not made|not known whether|no daemon answers|No such file/,
      );
    }
  },
  200_000,
);

interface Told {
  readonly id: string;
  readonly code: number;
  readonly text: string;
}

/** One change after the other, each of a resource of its own. */
function changeAllTheWhile(lab: Lab, node: string, prefix: string, count: number) {
  const told: Told[] = [];
  const run = async (): Promise<void> => {
    for (let number = 1; number <= count; number += 1) {
      const id = `${prefix}x${number}`;
      try {
        const words = ['configure', 'primitive', id, 'ocf:systole:dummy', 'meta', 'target-role=Stopped'];
        const { code, stdout, stderr } = await lab.trySystole(node, words);
        told.push({ id, code, text: stdout + stderr });
      } catch (error) {
        told.push({ id, code: 255, text: String(error) }); // the machine is off
      }
    }
  };
  return { told, done: run() };
}

/** What was acknowledged is there; what was refused is not. */
async function expectTruth(lab: Lab, ask: string, told: readonly Told[]): Promise<void> {
  await until('somebody leads with a quorum', async () => (await lab.status(ask))?.quorate === true, 30_000);
  const text = await lab.systole(ask, 'configure', 'show', 'type:primitive');
  for (const { id, code } of told) {
    if (code === 0) expect(text, id).toContain(`primitive ${id} `);
    if (code === 5 || code === 1) expect(text, id).not.toContain(`primitive ${id} `);
  }
}

test.skipIf(notHere !== undefined)(
  'the history is one for all nodes, and outlives them',
  async () => {
    await using cluster = await openCluster(web);
    const { lab } = cluster;
    await cluster.runsOn('www');
    await lab.powerOff('n1');
    await cluster.runsOn('www', 'n2', 'n1');
    await cluster.boot('n1');
    await lab.settled(['n1', 'n2', 'n3']);

    // n1 was dead while it happened, and knows all of it, what the others alone saw as well.
    const story = await lab.systole('n1', 'history');
    expect(story).toMatch(/fencing\.ok|node\.fenced/);
    expect(story).toMatch(/n1 +daemon\.started +.*the machine has booted; it was last alive/);
    expect(await lab.systole('n1', 'history', 'transitions')).toMatch(/ n[23] +\d+ actions/);
    const [row] = JSON.parse(await lab.systole('n1', '--format', 'json', 'availability', 'www')) as [
      { outages: object[] },
    ];
    expect(row.outages).toHaveLength(1);

    const archive = join(lab.folder, 'report.tar.gz');
    await lab.systole('n1', 'report', archive);
    expect((await readFile(archive)).length).toBeGreaterThan(1000);
    const { stdout } = await lab.machine('n1').tryRun(['tar', '-tzf', archive]);
    for (const node of ['n1', 'n2', 'n3']) expect(stdout).toContain(`/${node}/events.jsonl`);
    expect(stdout).toMatch(/\/n[23]\/policy-inputs\/transition-\d+-tr_/);
  },
  120_000,
);
