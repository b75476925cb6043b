/**
 * Fence devices: switches that really take a machine's power, slowly, and not always. They are reached from any machine
 * whose path to them the plan has not cut; one that fails says so, one that hangs says nothing, one that lies says that it
 * has done what it has not (only for scenarios: about a target that nobody hears, nothing can find out that it lied).
 */
import { between } from './draw.ts';

export interface FenceFault {
  readonly kind: 'fails' | 'hangs' | 'slow' | 'lies';
  readonly device: string;
  /** Only for requests of this machine; absent: of every one. */
  readonly from?: number;
}

export interface FenceInput {
  readonly action: string;
  readonly device: string;
  readonly target: string | undefined;
}

export interface FenceAnswer {
  /** Undefined: it never answers. */
  readonly durationMs: number | undefined;
  readonly end: () => { readonly code: number; readonly stdout: string; readonly stderr: string };
}

/** What the devices do to machines. */
export interface PowerControl {
  isOn(machine: string): boolean;
  off(machine: string, by: number): void;
  on(machine: string): void;
  readonly names: readonly string[];
}

export class FenceDevices {
  readonly #seed: number;
  readonly #power: PowerControl;
  readonly #faults = new Set<FenceFault>();
  #runs = 0;

  constructor(seed: number, power: PowerControl) {
    this.#seed = seed;
    this.#power = power;
  }

  add(fault: FenceFault): void {
    this.#faults.add(fault);
  }

  remove(fault: FenceFault): void {
    this.#faults.delete(fault);
  }

  heal(): void {
    this.#faults.clear();
  }

  run(from: number, { action, device, target }: FenceInput): FenceAnswer {
    this.#runs += 1;
    const fault = [...this.#faults].find(
      (each) => each.device === device && (each.from === undefined || each.from === from),
    );
    const isSwitch = action === 'off' || action === 'reboot' || action === 'on';
    const usual = isSwitch ? between(200, 1500, this.#seed, 'fence', device, this.#runs) : 50;
    const durationMs = fault?.kind === 'hangs' ? undefined : fault?.kind === 'slow' ? usual * 10 : usual;
    return {
      durationMs,
      end: () => {
        if (fault?.kind === 'fails') return failed('the device does not answer');
        return fault?.kind === 'lies' && isSwitch ? done('') : this.#act(action, target, from);
      },
    };
  }

  #act(action: string, target: string | undefined, from: number): ReturnType<FenceAnswer['end']> {
    if (action === 'monitor') return done('');
    if (action === 'list' || action === 'list-status')
      return done(this.#power.names.map((name) => `${name},${name}\n`).join(''));
    if (target === undefined || !this.#power.names.includes(target)) return failed(`no such port: ${target}`);
    switch (action) {
      case 'status':
        return { code: this.#power.isOn(target) ? 0 : 2, stdout: '', stderr: '' };
      case 'off':
        this.#power.off(target, from);
        return done('');
      case 'reboot':
        this.#power.off(target, from);
        this.#power.on(target);
        return done('');
      case 'on':
        this.#power.on(target);
        return done('');
      default:
        return failed(`no action ${action}`);
    }
  }
}

/** Fence agents read `name=value` lines. */
export function parseFenceInput(stdin: string): FenceInput {
  const lines = new Map(
    stdin.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  const target = lines.get('nodename') ?? lines.get('port') ?? lines.get('plug');
  return { action: lines.get('action') ?? '', device: lines.get('device') ?? '', target };
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });
const failed = (stderr: string) => ({ code: 1, stdout: '', stderr });

export const fenceDescription = `<resource-agent name="fence_sim"><parameters>
<parameter name="plug"><content type="string"/></parameter><parameter name="device"><content type="string"/></parameter></parameters>
<actions>${['on', 'off', 'reboot', 'status', 'monitor', 'list', 'metadata'].map((name) => `<action name="${name}"/>`).join('')}</actions></resource-agent>`;
