/**
 * Runs a recording of messaging again, and tells what happened. One that reaches back to the engine's start is run: the
 * engine must do, step by step, what it did, which is checked. One that begins later is only told, from what was kept.
 */
import { instant } from '@systole/kernel';
import {
  DrawnAgain,
  type EngineEffect,
  type EngineStatus,
  openedSeal,
  type RecordedInput,
  type RecordingStart,
  replayed,
  type Seal,
} from '@systole/messaging';
import { isTold } from './flight-recorder.ts';
import { localMessaging, type MessagingPort, type MessagingSetup } from './messaging-port.ts';
import { messagingWords } from './messaging-words.ts';

type Line =
  | {
      readonly type: 'step';
      readonly at: number;
      readonly input: RecordedInput;
      readonly drawn?: readonly (number | string)[];
      readonly told?: readonly EngineEffect[];
    }
  | {
      readonly type: 'setup';
      readonly at: number;
      readonly setup: MessagingSetup;
      readonly drawn: readonly (number | string)[];
      readonly told: readonly EngineEffect[];
    }
  | { readonly type: 'status'; readonly at: number; readonly status: EngineStatus };

export interface ReplayResult {
  readonly steps: number;
  /** The engine was run again. */
  readonly isRun: boolean;
  /** The first step, counted from 1, in which it did something else than it had done. */
  readonly differsAt: number | undefined;
}

/** @throws Error if the lines are no recording. */
export function replay(
  lines: Iterable<string>,
  clusterTag: Seal['clusterTag'],
  print: (text: string) => void,
): ReplayResult {
  let engine: MessagingPort | undefined;
  let names = new Map<number, string>();
  const random = new DrawnAgain();
  let steps = 0;
  let differsAt: number | undefined;
  let begin = 0;
  let wasStatusShown = false;
  let isFirst = true;
  const say = (at: number, text: string): void => print(`${((at - begin) / 1000).toFixed(3).padStart(9)}  ${text}`);
  const nameOf = (id: number): string => names.get(id) ?? `#${id}`;

  for (const text of lines) {
    if (text === '') continue;
    if (isFirst) {
      isFirst = false;
      const start = JSON.parse(text) as RecordingStart & { setup: MessagingSetup; isWhole: boolean; reason: string };
      if (start.format !== 'systole-recording/1') throw new Error('this is no recording of messaging');
      begin = start.now;
      names = new Map(start.setup.names);
      print(
        `recorded by ${nameOf(start.setup.configuration.self)} of cluster ${start.setup.configuration.clusterName}: ${start.reason}`,
      );
      if (!start.isWhole) {
        print('the recording begins after the start of the engine: what was kept is told, and nothing is run again');
        continue;
      }
      random.give(start.drawn);
      const ports = { random, seal: openedSeal(clusterTag), wallClock: () => start.wall };
      engine = localMessaging(revived(start.setup), ports, start.saved, start.now);
      continue;
    }
    const line = JSON.parse(text) as Line;
    if (line.type === 'status') {
      if (engine === undefined && !wasStatusShown)
        for (const said of statusWords(line.status, nameOf)) say(line.at, said);
      wasStatusShown = true;
      continue;
    }
    steps += 1;
    random.give(line.drawn ?? []);
    if (line.type === 'setup') names = new Map(line.setup.names);
    let effects = line.told ?? [];
    if (engine !== undefined) {
      try {
        const all =
          line.type === 'setup'
            ? engine.reconfigure(revived(line.setup), instant(line.at))
            : engine.step(replayed(line.input), instant(line.at));
        const again = JSON.stringify(all.filter(isTold));
        if ((again !== JSON.stringify(effects) || random.isShort) && differsAt === undefined) differsAt = steps;
      } catch (error) {
        say(line.at, `the engine broke: ${(error as Error).message}`);
        effects = [];
      }
    }
    for (const effect of effects) {
      const words = effectWords(effect, nameOf);
      if (words !== undefined) say(line.at, words);
    }
  }
  return { steps, isRun: engine !== undefined, differsAt };
}

/** Keys are empty in a recording; the engine wants bytes. */
const revived = (setup: MessagingSetup): MessagingSetup => ({
  ...setup,
  configuration: {
    ...setup.configuration,
    keys: setup.configuration.keys.map((key) => ({ ...key, key: new Uint8Array(32) })),
  },
});

function statusWords({ mode, view, quorum, peers }: EngineStatus, nameOf: (id: number) => string): readonly string[] {
  return [
    `is ${mode} in view ${view.tag.number} of ${view.members.map(({ node }) => nameOf(node)).join(', ')}`,
    `quorum ${quorum.state}: ${quorum.reason}`,
    ...peers.map(
      ({ node, heard, hearsMe, silenceMs }) =>
        `${nameOf(node)} ${heard ? 'is heard' : 'is not heard'}, ${hearsMe ? 'hears us' : 'does not hear us'}, silent for ${silenceMs ?? '-'} ms`,
    ),
  ];
}

function effectWords(effect: EngineEffect, nameOf: (id: number) => string): string | undefined {
  switch (effect.type) {
    case 'view': {
      const departed = effect.departed.map(({ node, cause }) => `; ${nameOf(node)} ${cause}`).join('');
      return `view ${effect.view.tag.number}: ${effect.view.members.map(({ node }) => nameOf(node)).join(', ')}${departed}`;
    }
    case 'viewActive':
      return `view ${effect.view.number} is active`;
    case 'viewEnding':
      return `view ${effect.view.number} ends; with us go ${effect.survivors.map(nameOf).join(', ')}`;
    case 'quorum':
      return `quorum ${effect.state.state}: ${effect.state.reason}`;
    case 'report': {
      const { text } = messagingWords(effect.event, effect.fields, nameOf);
      return text === effect.event ? `${effect.event} ${JSON.stringify(effect.fields)}` : text;
    }
    case 'rejected':
      return `message ${effect.handle} rejected: ${effect.reason}`;
    case 'left':
      return 'has left';
    case 'restart':
    case 'stopped':
      return `stops: ${effect.reason}`;
    case 'keyInUse':
      return `${nameOf(effect.node)} seals with key ${effect.keyId}`;
    default:
      return undefined;
  }
}
