/** The demo on three machines made of namespaces. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Lab, type NodeStatus } from '../../test/lab/cluster.ts';
import { sleep, until } from '../../test/lab/command.ts';
import { longestOutage } from '../../test/lab/outage.ts';
import type { Answer } from '../../test/lab/probe.ts';
import { root } from '../../test/support/repository.ts';
import { breakdown } from './breakdown.ts';
import { Story } from './story.ts';

const nodes = ['n1', 'n2', 'n3'] as const;
const page = 'http://10.77.0.100:8080/';
const probeEveryMs = 10;

export async function namespacesDemo(): Promise<number> {
  const story = new Story();
  story.chapter('Three machines, a switch between them, a client, and a power switch');
  const lab = await Lab.open({
    nodes: [...nodes],
    onLog: (line) => story.hear(line),
    onText: (node, text) => story.say(`${node}: ${text}`),
    // The example's init script is found among these machines' own.
    agents: ['/usr/lib/ocf', join(root, 'examples', 'web', 'init.d'), '/etc/init.d'],
  });
  process.once('SIGINT', () => void lab.close().finally(() => process.exit(130)));
  try {
    return await tell(lab, story);
  } finally {
    await lab.close();
    story.say('everything is taken down again');
  }
}

async function tell(lab: Lab, story: Story): Promise<number> {
  await Promise.all(nodes.map((node) => lab.startDaemon(node)));
  await lab.settled(nodes);

  story.chapter('examples/web/web.crm: a web server behind a floating address, fencing by power');
  story.begin();
  await configure(lab);
  const first = await until('the service runs', async () => activeNode(await lab.status('n1')), 60_000);
  const answers = probe(lab);
  await until('the client is answered', () => answers.some((answer) => answer.from !== undefined), 20_000);
  await sleep(500);
  story.say(`a client asks ${page} every ${probeEveryMs} ms; ${styleText('green', first)} answers`);

  story.chapter(`The plug of ${first} is pulled`);
  story.begin();
  const fault = Date.now();
  await lab.powerOff(first);
  const survivors = nodes.filter((node) => node !== first);
  const second = await until(
    'another node answers',
    () =>
      answers.findLast((answer) => answer.asked > fault && answer.from !== undefined && answer.from !== first)?.from,
    30_000,
    20,
  );
  await sleep(500);
  const outage = longestOutage(answers, fault);
  if (outage === undefined) throw new Error('the client noticed nothing; that cannot be');
  story.chapter(
    `${styleText('green', second)} answers. The client waited ${styleText('bold', `${outage.durationMs} ms`)}:`,
  );
  for (const { name, ms } of breakdown({ log: lab.log, fault, back: outage.firstGood, resource: 'address' })) {
    story.say(`${String(ms).padStart(5)} ms  ${name}`);
  }
  await lab.settled(survivors);

  story.chapter(`${first} comes back`);
  story.begin();
  // The power switch may be booting it already: fencing is a reboot.
  if (!lab.machine(first).isOn) await lab.boot(first);
  await lab.settled(nodes);
  const now = activeNode(await lab.status(second));
  story.say(
    now === second
      ? `the service stays on ${second}: stickiness (100) is more than the preference for n1 (50)`
      : `the service went back to ${now ?? 'nowhere'}`,
  );
  process.stdout.write(`\n${(await lab.systole(second, 'status')).trimEnd()}\n\n`);

  const holders = new Set(answers.filter((answer) => answer.asked > fault).map(({ from }) => from));
  holders.delete(undefined);
  story.say(
    `${answers.length} pages were asked for; after the fault ${[...holders].join(', ')} answered, and nobody else`,
  );
  return now === second && holders.size === 1 ? 0 : 1;
}

async function configure(lab: Lab): Promise<void> {
  const text = await readFile(join(root, 'examples', 'web', 'web.crm'), 'utf8');
  const here = text.replaceAll('/run/lab/power.sock', lab.power.socketPath);
  const file = lab.file('web.crm', here);
  await lab.systole('n1', 'configure', 'load', 'update', await file);
}

/** Starts the client; its answers appear in the list. */
function probe(lab: Lab): readonly Answer[] {
  const answers: Answer[] = [];
  lab.client.start(
    [process.execPath, join(root, 'test', 'lab', 'probe.ts'), page, String(probeEveryMs)],
    (line, stream) => {
      if (stream === 'stdout') answers.push(JSON.parse(line) as Answer);
    },
  );
  return answers;
}

function activeNode(status: NodeStatus | undefined): string | undefined {
  const www = status?.resources.find(
    (resource) => (resource.id ?? resource.rsc) === 'www' && resource.role === 'Started',
  );
  return status?.transition.state === 'idle' ? www?.nodes[0] : undefined;
}
