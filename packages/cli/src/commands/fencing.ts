/** `systole stonith`: fencing devices, what they can fence, whether they work, and in which order they are used. */
import { SystoleError } from '@systole/kernel';
import { isDevice } from '../lint/finding.ts';
import { fromConfiguration } from '../language/items.ts';
import { printItems } from '../language/print.ts';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';

export async function cleanFencing(context: Context, args: readonly string[]): Promise<void> {
  await context.client.cleanFencingHistory(args[0]);
}

export async function fencingDevices(context: Context, args: readonly string[]): Promise<void> {
  const [target = ''] = args;
  const { devices } = await context.client.devices(target);
  if (devices.length === 0)
    throw new SystoleError(
      'notFound',
      `no device can fence ${target}: it would stay unclean, and its resources would not be recovered`,
    );
  context.answer(devices, devices.join('\n'));
}

export async function testDevice(context: Context, args: readonly string[]): Promise<number> {
  const [device = '', action = 'monitor', target] = args;
  if (action !== 'monitor' && action !== 'list' && action !== 'status')
    throw new UsageError(`a device is asked to monitor, list or status, not "${action}"`);
  const answer = await context.client.device({ device, action, ...(target === undefined ? {} : { target }) });
  const targets = answer.targets === undefined ? '' : `\ncan fence: ${answer.targets.join(', ')}`;
  const why = answer.reason === '' ? '' : `: ${answer.reason}`;
  context.answer(answer, `${device} ${answer.isOk ? 'works' : 'DOES NOT WORK'}${why}${targets}`);
  return answer.isOk ? 0 : 1;
}

/** Which nodes each device can fence, as the node that answers knows it. */
async function devicesByNode(context: Context): Promise<ReadonlyMap<string, readonly string[]>> {
  const { nodes } = await context.client.status();
  const rows = await Promise.all(
    nodes.map(async ({ name }) => [name, (await context.client.devices(name)).devices] as const),
  );
  return new Map(rows);
}

/** All devices: their agents, where they are started, whom they can fence. */
export async function listDevices(context: Context): Promise<void> {
  const [{ configuration }, report, byNode] = await Promise.all([
    context.client.cib(),
    context.client.status(),
    devicesByNode(context),
  ]);
  const items = fromConfiguration(configuration);
  const devices = items
    .flatMap((item) => (item.kind === 'primitive' && isDevice(item.value, items) ? [item.value] : []))
    .map(({ id, agent }) => ({
      device: id,
      agent: agent === undefined ? '' : `${agent.class}:${agent.type}`,
      nodes: [...new Set(report.resources.filter((row) => row.id === id).flatMap((row) => row.nodes))],
      fences: [...byNode].filter(([, list]) => list.includes(id)).map(([node]) => node),
    }));
  context.answer(devices, () =>
    devices.length === 0
      ? 'there is no fencing device: a node that is lost would not be recovered from\nsystole ra list stonith shows the agents; then: systole configure primitive ID stonith:AGENT params …'
      : table(
          devices.map(({ device, agent, nodes, fences }) => [
            device,
            agent,
            nodes.length === 0 ? 'not started' : `started on ${nodes.join(', ')}`,
            fences.length === 0 ? 'can fence NO node' : `fences ${fences.join(', ')}`,
          ]),
        ),
  );
}

/** The order in which devices are tried; without levels every device that can is used, one after the other. */
export async function showLevels(context: Context): Promise<void> {
  const { configuration } = await context.client.cib();
  const items = fromConfiguration(configuration);
  const levels = items.filter((item) => item.kind === 'fencing');
  context.answer(
    configuration.fencingLevels,
    levels.length === 0
      ? 'there are no levels: devices that can fence a node are tried one after the other'
      : printItems(levels, items),
  );
}

type DeviceAnswer = Awaited<ReturnType<Context['client']['device']>>;

/** Asks every device whether it works, and whether every node can be fenced. @returns 1 if not. */
export async function verifyDevices(context: Context): Promise<number> {
  const [{ configuration }, byNode] = await Promise.all([context.client.cib(), devicesByNode(context)]);
  const items = fromConfiguration(configuration);
  const devices = items.flatMap((item) =>
    item.kind === 'primitive' && isDevice(item.value, items) ? [item.value.id] : [],
  );
  const answers: (DeviceAnswer & { readonly device: string })[] = [];
  for (const device of devices) {
    if (context.terminal.isTerminal) context.terminal.error(`\r\u001b[Kasking ${device}`);
    answers.push({ device, ...(await context.client.device({ device, action: 'monitor' })) });
  }
  if (context.terminal.isTerminal) context.terminal.error('\r\u001b[K');
  const open = [...byNode].filter(([, list]) => list.length === 0).map(([node]) => node);
  context.answer({ devices: answers, withoutDevice: open }, () =>
    [
      ...answers.map(
        ({ device, isOk, reason }) =>
          `${device} ${isOk ? 'works' : 'DOES NOT WORK'}${reason === '' ? '' : `: ${reason}`}`,
      ),
      ...open.map((node) => `error: no device can fence ${node}: its resources would not be recovered`),
      ...(open.length === 0 ? ['every node can be fenced'] : []),
    ].join('\n'),
  );
  return open.length > 0 || answers.some(({ isOk }) => !isOk) ? exitStatus.failed : exitStatus.done;
}
