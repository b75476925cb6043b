/** What fits no other file: maintenance of the cluster, simulation, the shell's own settings. */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SystoleError } from '@systole/kernel';
import { defaultSetIds } from '../language/items.ts';
import { didYouMean } from '../language/suggest.ts';
import { changeConfiguration, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { readPacked } from '../shell/packed.ts';
import { defaultSettings, readSettings, settingNames, valuesOf, writeSettings } from '../shell/settings.ts';

export async function clusterMaintenance(context: Context, isOn: boolean): Promise<void> {
  const id = defaultSetIds.options;
  await changeConfiguration(context, `maintenance ${isOn ? 'on' : 'off'}`, (draft) => {
    draft.add({ kind: 'options', id, value: { id, pairs: [{ name: 'maintenance-mode', value: String(isOn) }] } });
  });
}

// --- simulation ------------------------------------------------------------------------------------------------

export async function simulate(context: Context, args: readonly string[]): Promise<number> {
  const { runSimulate } = await import('./simulate.ts');
  return await runSimulate(args, {
    readFile: readPacked,
    writeFile: (path, text) => writeFileSync(path, text),
    write: (text) => context.terminal.out(text),
    writeError: (text) => context.terminal.error(text),
    lines: () => createInterface({ input: process.stdin }),
    liveCib: () => liveCib(context),
    decidedFrom: async (wanted) => (await import('./inputs.ts')).decidedFrom(context, wanted),
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
  const allowed = valuesOf(name);
  if (allowed !== undefined && !allowed.includes(value))
    throw new UsageError(`${name} is ${allowed.join(' or ')}, not "${value}"${didYouMean(value, allowed)}`);
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
