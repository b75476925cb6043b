/** The examples' configurations as they stand, but for the fence device: a laboratory has a power switch of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../support/repository.ts';

/** `path` is below `examples/`; `replaced` names what this machine has in other places than the example says. */
export async function example(path: string, replaced: Readonly<Record<string, string>> = {}): Promise<string> {
  const written = await readFile(join(root, 'examples', path), 'utf8');
  const device = /^primitive power stonith:fence_ipmilan(?:.*\\\n)*.*\n/mu;
  if (!device.test(written)) throw new Error(`examples/${path} has no fence device named power`);
  let text = written.replace(
    device,
    'primitive power stonith:fence_netns params socket=POWER op monitor interval=60s\n',
  );
  for (const [from, to] of Object.entries(replaced)) {
    if (!text.includes(from)) throw new Error(`examples/${path} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}
