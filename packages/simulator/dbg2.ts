import { readFileSync, writeFileSync } from 'node:fs';
import { World } from './src/world.ts';
import { shipped } from './src/subject.ts';
const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8'));
let world: any;
world = new World({ plan, ...shipped, see: (e: any) => {} });
const at = +process.argv[3]!;
while (world.now < at) world.agenda.step(at);
const cib = world.cibOf(+(process.argv[4] ?? 1));
writeFileSync('/tmp/sim-soak/cib.json', JSON.stringify(cib, null, 1));
for (const n of cib.status.nodes)
  console.log(
    n.name,
    JSON.stringify(n.attributes ?? n.transient ?? Object.keys(n)),
    n.inCluster,
    n.join,
    n.expected,
    '\n',
    n.history
      .map(
        (h: any) =>
          h.id +
          ': ' +
          h.operations
            .map((o: any) => `${o.id}=${o.exitCode}/${o.status}#${o.callId}@${o.lastChange - 1767225600}`)
            .join(' '),
      )
      .join('\n '),
  );
