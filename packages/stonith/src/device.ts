/**
 * A fence device's own settings, as configured by `pcmk_*` parameters, which its agent never sees: which nodes it can
 * fence and under which names, timeouts, tries, delays.
 *
 * Semantics: Pacemaker Explained, "Special meta-attributes of fencing resources"; Pacemaker's fencer where they differ.
 */
import { parseDuration } from '@systole/kernel';
import type { AgentDescription, LocatedAgent } from '@systole/ra';
import type { FenceAction, FenceDevice } from './contract.ts';

/** What an agent may be asked for, in the configuration's words. */
export type DeviceAction = FenceAction | 'list' | 'status' | 'monitor';

/** How the fencer finds out whether a device can fence a node. */
export type HostCheck = 'static-list' | 'dynamic-list' | 'status' | 'none' | 'invalid';

const separators = /[,;\s]+/;

/** Names compare without regard to case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** `pcmk_host_list`: names between commas, semicolons and blanks. */
export const hostList = (device: FenceDevice): readonly string[] =>
  (device.parameters['pcmk_host_list'] ?? '').split(separators).filter((name) => name !== '');

/** `pcmk_host_map`: `node:port;node=port,port`. A port may be a list of its own, handed on whole. */
export function hostMap(device: FenceDevice): readonly (readonly [node: string, port: string])[] {
  return (device.parameters['pcmk_host_map'] ?? '')
    .split(/[;\s]+/)
    .map((entry) => /^([^:=]+)[:=](.+)$/.exec(entry))
    .filter((match) => match !== null)
    .map((match) => [match[1] ?? '', match[2] ?? ''] as const);
}

/** What the device calls a node: the port of the map, or the node's own name. */
export const portOf = (device: FenceDevice, target: string): string =>
  hostMap(device).find(([node]) => sameName(node, target))?.[1] ?? target;

/** Whether list or map name the node. */
export const isListed = (device: FenceDevice, target: string): boolean =>
  hostList(device).some((name) => sameName(name, target)) || hostMap(device).some(([node]) => sameName(node, target));

const offers = (description: AgentDescription | undefined, action: string): boolean =>
  description?.actions.some(({ name }) => name === action) === true;

/** Whether an agent has an action; one without a description is taken to have the usual ones. */
export function supports(description: AgentDescription | undefined, action: string): boolean {
  if (description === undefined) return ['off', 'on', 'reboot', 'status', 'monitor'].includes(action);
  return offers(description, action) || (action === 'reboot' && offers(description, 'reset'));
}

/** The check as configured, or the one that suits what is configured and what the agent offers. */
export function hostCheck(device: FenceDevice, description: AgentDescription | undefined): HostCheck {
  const explicit = device.parameters['pcmk_host_check'];
  if (explicit !== undefined) {
    const known: readonly string[] = ['static-list', 'dynamic-list', 'status', 'none'] satisfies HostCheck[];
    return known.includes(explicit) ? (explicit as HostCheck) : 'invalid';
  }
  if (hostList(device).length > 0 || hostMap(device).length > 0) return 'static-list';
  if (offers(description, 'list') || offers(description, 'list-status')) return 'dynamic-list';
  return offers(description, 'status') ? 'status' : 'none';
}

/** The parameter that tells the agent its target, if it takes one. */
export function targetArgument(device: FenceDevice, description: AgentDescription | undefined): string | undefined {
  const explicit = device.parameters['pcmk_host_argument'];
  if (explicit !== undefined) return explicit === 'none' ? undefined : explicit;
  if (description === undefined) return 'port';
  return ['plug', 'port'].find((name) => description.parameters.some((parameter) => parameter.name === name));
}

/** `pcmk_off_timeout` and the like; absent where nothing valid is configured. */
export function ownTimeoutMs(device: FenceDevice, action: DeviceAction): number | undefined {
  const text = device.parameters[`pcmk_${action}_timeout`];
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true && parsed.value > 0 ? parsed.value : undefined;
}

/** `pcmk_off_retries` and the like: how often the agent is run in all, 2 unless configured. */
export function tries(device: FenceDevice, action: DeviceAction): number {
  const count = Number(device.parameters[`pcmk_${action}_retries`] ?? '2');
  return Number.isSafeInteger(count) && count >= 1 ? count : 2;
}

/** `pcmk_action_limit`: how many actions the device runs at a time; Infinity for -1. */
export function actionLimit(device: FenceDevice): number {
  const limit = Number(device.parameters['pcmk_action_limit'] ?? '1');
  if (limit === -1) return Number.POSITIVE_INFINITY;
  return Number.isSafeInteger(limit) && limit >= 1 ? limit : 1;
}

/** What the agent is told to do: `pcmk_reboot_action=off` and the like. */
export const agentAction = (device: FenceDevice, action: DeviceAction): string =>
  device.parameters[`pcmk_${action}_action`] ?? action;

const durationOr0 = (text: string | undefined): number => {
  const parsed = parseDuration(text ?? '0');
  return parsed.ok ? parsed.value : 0;
};

/**
 * The least and the most that off and reboot of a node wait: `pcmk_delay_base` (one for all, or `node:5s;other:0`, where
 * an unlisted node has none) and `pcmk_delay_max`. A base above the maximum is cut to it.
 */
export function delayBounds(device: FenceDevice, target: string): { readonly baseMs: number; readonly maxMs: number } {
  const text = device.parameters['pcmk_delay_base'] ?? '0';
  const perNode = /[:=]/.test(text)
    ? text
        .split(/[;\s]+/)
        .map((entry) => entry.split(/[:=]/))
        .find(([node]) => node !== undefined && sameName(node, target))?.[1]
    : text;
  const baseMs = durationOr0(perNode);
  const configuredMax = device.parameters['pcmk_delay_max'];
  if (configuredMax === undefined) return { baseMs, maxMs: baseMs };
  const maxMs = durationOr0(configuredMax);
  return maxMs === 0 ? { baseMs, maxMs: baseMs } : { baseMs: Math.min(baseMs, maxMs), maxMs };
}

const actionAttribute = (description: AgentDescription | undefined, action: string, attribute: string): boolean =>
  description?.actions.some(
    ({ name, attributes }) => name === action && ['1', 'true'].includes(attributes[attribute]?.toLowerCase() ?? ''),
  ) === true;

/** Whether unfencing must run this device: the agent says so, or the configuration. */
export const isUnfencing = (device: FenceDevice, description: AgentDescription | undefined): boolean =>
  actionAttribute(description, 'on', 'automatic') ||
  actionAttribute(description, 'on', 'required') ||
  device.meta['provides'] === 'unfencing';

/** Whether `on` has to be run by the very node that it is for. */
export const mustRunOnTarget = (description: AgentDescription | undefined): boolean =>
  actionAttribute(description, 'on', 'on_target');

/**
 * What a list action printed, as names: every word of letters, digits, `_`, `-` and `.`. The words on and off are
 * states, and lines that speak of invalid things are errors that an agent printed in spite of its success.
 */
export function listedTargets(output: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => !/invalid|variable/i.test(line))
    .flatMap((line) => line.split(separators))
    .filter((word) => /^[\w.-]+$/.test(word) && !/^(?:on|off)$/i.test(word));
}

/** A device on this node: what is configured, and what is known of it here. */
export interface DeviceState {
  config: FenceDevice;
  located: LocatedAgent | undefined;
  isVerified: boolean;
  /** What the list action said last, and when. */
  list: { readonly targets: readonly string[]; readonly atMs: number } | undefined;
  /** Its list has never worked and nobody asked for it explicitly: status is asked, for good. */
  isListGivenUp: boolean;
}

export const newDevice = (config: FenceDevice, located: LocatedAgent | undefined): DeviceState => ({
  config,
  located,
  isVerified: false,
  list: undefined,
  isListGivenUp: false,
});
