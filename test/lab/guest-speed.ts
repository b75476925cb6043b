/**
 * How fast a machine with a kernel of its own is here. Starting a program costs such a kernel a hundred times what it costs
 * the real one, and an agent starts hundreds: where each takes too long, the whole guest stands still for seconds at each
 * failover, and its peers rightly take it for dead.
 */
import { Lab } from './cluster.ts';
import { Wiring } from './director-pair.ts';

const programs = 100;

/** Milliseconds that a guest takes to start a program that does nothing, when it has nothing else to do. */
export async function guestStartMs(): Promise<number> {
  const wiring = new Wiring('dr');
  const lab = await Lab.open({
    nodes: ['lb1'],
    build: (node, of) => wiring.build(node, of),
    wire: (machine) => wiring.wire(machine),
  });
  try {
    const begin = performance.now();
    await lab.machine('lb1').run('sh', '-c', `i=0; while [ $i -lt ${programs} ]; do /bin/true; i=$((i+1)); done`);
    return (performance.now() - begin) / programs;
  } finally {
    await lab.close();
  }
}
