/** The devices of the configuration as this node can use them: their agents, descriptions, and whom they can fence. */
import type { Instant, ProcessEnded, StartProcess } from '@systole/kernel';
import {
  type AgentCommand,
  type AgentDescription,
  type AgentPlaces,
  describeCommand,
  fenceCommand,
  type FirstExisting,
  formatAgentName,
  locateAgent,
  parseDescription,
} from '@systole/ra';
import type { FenceAction, FenceDevice } from './contract.ts';
import {
  agentAction,
  delayBounds,
  type DeviceAction,
  type DeviceState,
  hostCheck,
  isListed,
  isUnfencing,
  mustRunOnTarget,
  newDevice,
  ownTimeoutMs,
  portOf,
  sameName,
  supports,
  targetArgument,
} from './device.ts';
import type { OfferedDevice } from './message.ts';

const describeTimeoutMs = 30_000;
const describeOutputLimitBytes = 1024 * 1024;
const prefix = 'stonith/describe/';

/** A list that a device gave is good for a minute, as its answer may take seconds. */
const listLifeMs = 60_000;

/** Whether a device can fence a node, or what has to be asked to find out. */
export type Capability = 'yes' | 'no' | 'askList' | 'askStatus' | 'awaitDescription';

export class Catalog {
  readonly #places: AgentPlaces;
  readonly #firstExisting: FirstExisting;
  readonly #node: string;
  readonly #devices = new Map<string, DeviceState>();
  /** By agent; `asked` while it is being read, `none` where the agent does not say anything usable. */
  readonly #descriptions = new Map<string, AgentDescription | 'asked' | 'none'>();

  constructor(node: string, places: AgentPlaces, firstExisting: FirstExisting) {
    this.#node = node;
    this.#places = places;
    this.#firstExisting = firstExisting;
  }

  /** Takes the configured devices; answers with the processes that read descriptions not read yet. */
  replace(devices: readonly FenceDevice[]): readonly StartProcess[] {
    const before = new Map(this.#devices);
    this.#devices.clear();
    const wanted: StartProcess[] = [];
    for (const config of devices) {
      const known = before.get(config.id);
      if (
        known !== undefined &&
        JSON.stringify(known.config) === JSON.stringify(config) &&
        known.located !== undefined
      ) {
        this.#devices.set(config.id, known);
        continue;
      }
      const located = locateAgent(config.agent, this.#places, this.#firstExisting);
      const device = newDevice(config, located);
      this.#devices.set(config.id, device);
      const describe = this.#describe(device);
      if (describe !== undefined) wanted.push(describe);
    }
    return wanted;
  }

  #describe({ config, located }: DeviceState): StartProcess | undefined {
    const name = formatAgentName(config.agent);
    if (located === undefined || this.#descriptions.has(name)) return undefined;
    const command = located.kind === 'fence' ? describeCommand(config.agent, located, this.#places) : undefined;
    if (command === undefined) {
      this.#descriptions.set(name, 'none');
      return undefined;
    }
    this.#descriptions.set(name, 'asked');
    return {
      type: 'startProcess',
      id: `${prefix}${name}`,
      ...command,
      timeoutMs: describeTimeoutMs,
      killAfterMs: 0,
      outputLimitBytes: describeOutputLimitBytes,
    };
  }

  /** True if the process read a description; `problem` says why it is of no use. */
  described(input: ProcessEnded): { readonly problem?: string } | undefined {
    if (!input.id.startsWith(prefix)) return undefined;
    const name = input.id.slice(prefix.length);
    const parsed =
      input.outcome.type === 'exited' && input.outcome.code === 0
        ? parseDescription(input.stdout)
        : ({ ok: false, error: `metadata ended with ${JSON.stringify(input.outcome)}` } as const);
    this.#descriptions.set(name, parsed.ok ? parsed.value : 'none');
    return parsed.ok ? {} : { problem: `${name} does not describe itself: ${parsed.error}` };
  }

  get(id: string): DeviceState | undefined {
    return this.#devices.get(id);
  }

  /** In the configuration's order. */
  all(): readonly DeviceState[] {
    return [...this.#devices.values()];
  }

  description({ config }: DeviceState): AgentDescription | undefined {
    const known = this.#descriptions.get(formatAgentName(config.agent));
    return known === 'asked' || known === 'none' ? undefined : known;
  }

  #isBeingDescribed({ config }: DeviceState): boolean {
    return this.#descriptions.get(formatAgentName(config.agent)) === 'asked';
  }

  /** Whether this node can use the device for an action on a target, leaving open whose turn it is. */
  capability(device: DeviceState, target: string, action: FenceAction, now: Instant): Capability {
    if (device.located === undefined || !device.config.isAllowedHere) return 'no';
    if (this.#isBeingDescribed(device)) return 'awaitDescription';
    const description = this.description(device);
    if (action === 'on') {
      if (!supports(description, 'on')) return 'no';
      if (mustRunOnTarget(description) && !sameName(target, this.#node)) return 'no';
    } else if (!supports(description, 'off') && !supports(description, action)) {
      return 'no';
    }
    switch (this.checkOf(device)) {
      case 'static-list':
        return isListed(device.config, target) ? 'yes' : 'no';
      case 'dynamic-list': {
        const { list } = device;
        if (list === undefined || now - list.atMs >= listLifeMs) return 'askList';
        return this.isInList(device, target) ? 'yes' : 'no';
      }
      case 'status':
        return 'askStatus';
      case 'none':
        return 'yes';
      case 'invalid':
        return 'no';
    }
  }

  /** The host check in force: a list that never worked gives way to status, unless it was asked for explicitly. */
  checkOf(device: DeviceState): ReturnType<typeof hostCheck> {
    const check = hostCheck(device.config, this.description(device));
    return check === 'dynamic-list' && device.isListGivenUp ? 'status' : check;
  }

  isInList(device: DeviceState, target: string): boolean {
    const port = portOf(device.config, target);
    return device.list?.targets.some((name) => sameName(name, port)) === true;
  }

  /** What peers are told of a device that can fence the target. */
  offer(device: DeviceState, target: string): OfferedDevice {
    const { config } = device;
    const description = this.description(device);
    const timeouts = (['off', 'reboot', 'on'] as const).flatMap((action) => {
      const own = ownTimeoutMs(config, this.effective(device, action));
      return own === undefined ? [] : [[action, own] as const];
    });
    return {
      id: config.id,
      isVerified: device.isVerified,
      isUnfencing: isUnfencing(config, description),
      timeoutMs: Object.fromEntries(timeouts),
      delayMs: delayBounds(config, target).maxMs,
      supports: (['off', 'reboot', 'on'] as const).filter((action) => supports(description, action)),
      isRebootOff: agentAction(config, 'reboot') === 'off',
    };
  }

  /** A reboot by an agent that has none is an off. */
  effective(device: DeviceState, action: FenceAction): FenceAction {
    return action === 'reboot' && !supports(this.description(device), 'reboot') ? 'off' : action;
  }

  /** The program that does `action` with the device; `undefined` if its agent is not here. */
  command(device: DeviceState, action: DeviceAction, target?: string): AgentCommand | undefined {
    const { config, located } = device;
    if (located === undefined) return undefined;
    const argument = targetArgument(config, this.description(device));
    return fenceCommand({
      located,
      places: this.#places,
      action: agentAction(config, action),
      parameters: config.parameters,
      ...(target === undefined
        ? {}
        : {
            target: {
              node: target,
              value: portOf(config, target),
              ...(argument === undefined ? {} : { argument }),
            },
          }),
    });
  }
}
