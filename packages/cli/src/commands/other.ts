/** What fits no other file: maintenance of the cluster, fencing devices, simulation, the shell's own settings. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SystoleError } from '@systole/kernel';
import { defaultSetIds } from '../language/items.ts';
import { didYouMean } from '../language/suggest.ts';
import { changeConfiguration, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { defaultSettings, readSettings, settingNames, writeSettings } from '../shell/settings.ts';

export async function clusterMaintenance(context: Context, isOn: boolean): Promise<void> {
  const id = defaultSetIds.options;
  await changeConfiguration(context, `maintenance ${isOn ? 'on' : 'off'}`, (draft) => {
    draft.add({ kind: 'options', id, value: { id, pairs: [{ name: 'maintenance-mode', value: String(isOn) }] } });
  });
}

// --- fencing ---------------------------------------------------------------------------------------------------

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
  context.answer(answer, `${answer.isOk ? 'works' : 'DOES NOT WORK'}: ${answer.reason}${targets}`);
  return answer.isOk ? 0 : 1;
}

// --- simulation ------------------------------------------------------------------------------------------------

export async function simulate(context: Context, args: readonly string[]): Promise<number> {
  const { runSimulate } = await import('./simulate.ts');
  return await runSimulate(args, {
    readFile: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
    writeFile: (path, text) => writeFileSync(path, text),
    write: (text) => context.terminal.out(text),
    writeError: (text) => context.terminal.error(text),
    lines: () => createInterface({ input: process.stdin }),
    liveCib: () => liveCib(context),
    now: () => Date.now(),
  });
}

// --- the shell's settings --------------------------------------------------------------------------------------

export function showSettings(context: Context, args: readonly string[]): void {
  const [name] = args;
  const settings: Readonly<Record<string, string>> = readSettings();
  if (name !== undefined && settings[name] === undefined)
    throw new SystoleError('notFound', `there is no setting "${name}"${didYouMean(name, settingNames)}`);
  const shown = name === undefined ? settings : { [name]: settings[name] ?? '' };
  context.answer(
    shown,
    Object.entries(shown)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
  );
}

export function changeSetting(_context: Context, args: readonly string[]): void {
  const [name = '', value = ''] = args;
  writeSettings({ ...readSettings(), [name]: value });
}

/** Settings are kept as soon as they are changed; the word is here for those who are used to it. */
export function saveSettings(context: Context): void {
  writeSettings(readSettings());
  context.remark('settings are saved');
}

export function resetSettings(_context: Context): void {
  writeSettings(defaultSettings);
}
