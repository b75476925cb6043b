/** Fence agents that lie, die, hang or are plugins of another kind, as real processes under real fencers. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { ownPlaces } from '../../../test/support/executor.ts';
import type { FenceDevice } from '../src/index.ts';
import { RealFencers } from './real-fencers.ts';
import { description, usualActions } from './virtual-fencers.ts';

vi.setConfig({ testTimeout: 30_000 });

const folder = mkdtempSync(join(tmpdir(), 'systole-bad-devices-'));
const plugins = join(folder, 'plugins', 'external');
mkdirSync(plugins, { recursive: true });
const places = { ...ownPlaces(), fence: [folder], external: join(folder, 'plugins') };
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const open: RealFencers[] = [];
afterEach(() => {
  for (const fencers of open.splice(0)) fencers.close();
});

let count = 0;

/** A fence agent: `$action` and `$plug` are read for its script, whose deeds go into `log`. */
function agent(
  script: string,
  actions: readonly string[] = usualActions,
  parameters: readonly string[] = ['plug'],
): string {
  const name = `fence_bad${(count += 1)}`;
  const text = `#!/bin/sh
while IFS== read -r name value; do
	case $name in action) action=$value ;; plug) plug=$value ;; esac
done
if [ "$action" = metadata ]; then
cat <<'END'
${description(name, actions, parameters)}
END
exit 0
fi
echo "$action $plug" >>${logOf(name)}
${script}
`;
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o755);
  return name;
}

const logOf = (name: string): string => join(folder, `${name}.log`);
const deeds = (name: string): readonly string[] =>
  existsSync(logOf(name)) ? readFileSync(logOf(name), 'utf8').trim().split('\n') : [];

const device = (type: string, parameters: Readonly<Record<string, string>> = {}): FenceDevice => ({
  id: type.replaceAll('/', '-'),
  agent: { class: 'stonith', type },
  parameters: { pcmk_host_list: 'n1 n2 n3', ...parameters },
  meta: {},
  isAllowedHere: true,
});

function fencers(nodes: readonly string[], ...devices: readonly FenceDevice[]): RealFencers {
  const all = new RealFencers(nodes, places);
  open.push(all);
  all.devices(...devices);
  return all;
}

const off = (target: string, timeoutMs = 10_000) => ({ target, action: 'off', timeoutMs }) as const;

describe('a device that', () => {
  test('claims success while the node still answers is not believed; the next one is tried', async () => {
    const [liar, honest] = [agent('exit 0'), agent('exit 0')];
    const all = fencers(['n1', 'n2'], device(liar), device(honest));
    all.giveAll({ type: 'optionsChanged', options: { watchdogTimeoutMs: 0, isConcurrent: true, goneTimeoutMs: 300 } });
    const ending = await all.fence('n1', off('n2'));
    expect(ending).toMatchObject({ outcome: 'failed' });
    expect(ending.reason).toContain(`${liar}: claims success, but n2 still answers`);
    expect(deeds(honest)).toEqual(['off n2']);
  });

  test('dies half-way has not fenced, and is tried again before the next one is', async () => {
    const dying = agent('[ "$action" = off ] && kill -KILL $$');
    const honest = agent('exit 0');
    const ending = await fencers(['n1'], device(dying), device(honest)).fence('n1', off('n3'));
    expect(ending).toMatchObject({ outcome: 'ok', devices: [honest] });
    expect(deeds(dying)).toEqual(['off n3', 'off n3']);
  });

  test('hangs and ignores TERM loses its time and no more, and its children with it', async () => {
    const hanging = agent(`trap '' TERM; sleep 60 & echo $! >${folder}/child; wait; wait`);
    const honest = agent('exit 0');
    const all = fencers(['n1'], device(hanging, { pcmk_off_timeout: '1s' }), device(honest));
    expect(await all.fence('n1', off('n3'))).toMatchObject({ outcome: 'ok', devices: [honest] });
    const child = readFileSync(join(folder, 'child'), 'utf8').trim();
    await vi.waitFor(() => {
      const isGone = !existsSync(`/proc/${child}`) || readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z ');
      expect(isGone).toBe(true);
    });
  });

  test('prints megabytes is read all the same', async () => {
    const chatty = agent('yes noise | head -c 20000000; yes noise | head -c 20000000 >&2; exit 0');
    expect(await fencers(['n1'], device(chatty)).fence('n1', off('n3'))).toMatchObject({ outcome: 'ok' });
  });

  test('answers with a foreign code has failed, and why is told', async () => {
    const foreign = agent('echo "no such plug" >&2; exit 42');
    const ending = await fencers(['n1'], device(foreign, { pcmk_off_retries: '1' })).fence('n1', off('n3'));
    expect(ending).toMatchObject({ outcome: 'failed' });
    expect(ending.reason).toContain('no such plug');
  });

  test.for([
    ['does not describe itself', 'exit 1'],
    ['describes itself in broken XML', 'echo "<resource-agent name=x><parameters>"; exit 0'],
  ] as const)('%s is used as one that has the usual actions', async ([, answer]) => {
    const name = `fence_mute${(count += 1)}`;
    const script = `#!/bin/sh\nread -r line\n[ "$line" = action=metadata ] && { ${answer}; }\ncat >>${logOf(name)}\nexit 0\n`;
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
    const all = fencers(['n1'], device(name));
    expect(await all.fence('n1', off('n3'))).toMatchObject({ outcome: 'ok' });
    expect(deeds(name)).toContain('nodename=n3');
    expect(all.effects.some(({ effect }) => effect.type === 'rejected')).toBe(true);
  });
});

describe('two fencers at once', () => {
  test('asked for the same act once, and both get the result', async () => {
    const slow = agent('sleep 0.5; exit 0');
    const all = fencers(['n1', 'n2'], device(slow));
    const first = all.fence('n1', off('n3'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = all.fence('n2', off('n3'));
    expect(await Promise.all([first, second])).toMatchObject([{ outcome: 'ok' }, { outcome: 'ok' }]);
    expect(deeds(slow)).toEqual(['off n3']);
  });

  test('asked in the same instant may both act, and both get the result', async () => {
    const slow = agent('sleep 0.3; exit 0');
    const all = fencers(['n1', 'n2'], device(slow));
    const both = await Promise.all([all.fence('n1', off('n3')), all.fence('n2', off('n3'))]);
    expect(both).toMatchObject([{ outcome: 'ok' }, { outcome: 'ok' }]);
    expect(deeds(slow).length).toBeLessThanOrEqual(2);
  });

  test('that shoot at each other do not meet where a delay lets one go first', async () => {
    const parting = agent('exit 0');
    // Each of them is alone, as after a split: nobody else can tell them to stop.
    const [one, two] = [fencers(['n1'], device(parting)), fencers(['n2'], device(parting, { pcmk_delay_base: '2s' }))];
    const first = await one.fence('n1', off('n2'));
    two.close(); // n2 is off
    void two.fence('n2', off('n1'));
    expect(first).toMatchObject({ outcome: 'ok' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(deeds(parting)).toEqual(['off n2']);
  });
});

describe('a device of another kind', () => {
  test('a plugin of cluster-glue is asked in its own words, with its parameters in the environment', async () => {
    const log = join(folder, 'glue.log');
    const script = `#!/bin/sh
case $1 in
getinfo-xml) echo '<parameters><parameter name="hostlist"/></parameters>' ;;
gethosts) echo "$hostlist" ;;
getconfignames) echo hostlist ;;
*) echo "$1 $2 on $address" >>${log} ;;
esac
`;
    writeFileSync(join(plugins, 'trial'), script);
    chmodSync(join(plugins, 'trial'), 0o755);
    const plugin = device('external/trial', { hostlist: 'n2 n3', address: '10.0.0.1' });
    const { pcmk_host_list: _listed, ...parameters } = plugin.parameters;
    const all = fencers(['n1'], { ...plugin, parameters: { ...parameters, pcmk_host_check: 'dynamic-list' } });
    expect(await all.fence('n1', off('n3'))).toMatchObject({ outcome: 'ok' });
    expect(await all.fence('n1', { ...off('n2'), action: 'reboot' })).toMatchObject({ outcome: 'ok' });
    expect(await all.fence('n1', off('n9'))).toMatchObject({ outcome: 'noDevice' });
    expect(readFileSync(log, 'utf8')).toBe('off n3 on 10.0.0.1\nreset n2 on 10.0.0.1\n');
  });

  test('one that refuses a node its storage may leave it talking, and lets it in again where it runs', async () => {
    const actions = ['on automatic=1 on_target=1', 'off', 'status', 'monitor', 'metadata'];
    const storage = agent('exit 0', actions);
    const all = fencers(['n1', 'n2'], device(storage));
    all.giveAll({ type: 'optionsChanged', options: { watchdogTimeoutMs: 0, isConcurrent: true, goneTimeoutMs: 300 } });
    expect(await all.fence('n1', off('n2'))).toMatchObject({ outcome: 'ok', devices: [storage] });
    expect(await all.fence('n1', { ...off('n2'), action: 'on' })).toMatchObject({ outcome: 'ok', executor: 'n2' });
    expect(deeds(storage)).toEqual(['off n2', 'on n2']);
    // The one that it would have to run on is not there.
    expect(await all.fence('n1', { ...off('n3'), action: 'on' })).toMatchObject({ outcome: 'noDevice' });
  });
});
