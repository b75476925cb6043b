/** A host for the local resource manager that runs nothing: tests say when a process or a timer ends. */
import type { Epoch, Instant, ProcessEnded, StartProcess } from '@systole/kernel';
import { standardPlaces } from '@systole/ra';
import {
  type Execute,
  LocalResourceManager,
  type LrmEffect,
  type LrmInput,
  type OperationEnded,
  type SavedResource,
} from '../src/index.ts';

export const dummy = { class: 'ocf', provider: 'test', type: 'Dummy' } as const;

/** An agent's description that makes `fast` reloadable and `pin` secret. */
export const dummyDescription = `<?xml version="1.0"?><resource-agent name="Dummy"><version>1.1</version><parameters>
  <parameter name="slow"><content type="string"/></parameter>
  <parameter name="fast" reloadable="1"><content type="string"/></parameter>
  <parameter name="pin" private="1"><content type="string"/></parameter></parameters>
  <actions><action name="start" timeout="20s"/><action name="reload-agent" timeout="20s"/></actions></resource-agent>`;

export class VirtualHost {
  readonly lrm: LocalResourceManager;
  readonly effects: LrmEffect[] = [];
  readonly running = new Map<string, StartProcess>();
  readonly killed: string[] = [];
  readonly timers = new Map<string, number>();
  readonly disk = new Map<string, SavedResource>();
  now = 1000;
  describes = true;

  constructor(installed: (path: string) => boolean = () => true) {
    this.lrm = new LocalResourceManager({
      node: 'alpha',
      nodeId: '1',
      places: standardPlaces({ ra: '/opt/ra', stonith: '/opt/stonith' }),
      firstExisting: (paths) => paths.find(installed),
      wallClock: () => (1_700_000_000_000 + this.now) as Epoch,
    });
  }

  give(...inputs: readonly LrmInput[]): readonly LrmEffect[] {
    const all: LrmEffect[] = [];
    for (const input of inputs) {
      for (const effect of this.lrm.step(input, this.now as Instant)) {
        all.push(effect);
        this.effects.push(effect);
        this.#carryOut(effect);
      }
    }
    return all;
  }

  #carryOut(effect: LrmEffect): void {
    switch (effect.type) {
      case 'startProcess':
        this.running.set(effect.id, effect);
        if (effect.id.startsWith('lrm/describe/') && this.describes)
          this.end(effect.id, 0, { stdout: dummyDescription });
        break;
      case 'killProcess':
        this.killed.push(effect.id);
        break;
      case 'startTimer':
        this.timers.set(effect.id, effect.delayMs);
        break;
      case 'stopTimer':
        this.timers.delete(effect.id);
        break;
      case 'saveHistory':
        if (effect.saved === undefined) this.disk.delete(effect.resource);
        else this.disk.set(effect.resource, JSON.parse(JSON.stringify(effect.saved)) as SavedResource);
        break;
      default:
        break;
    }
  }

  /** The processes of agents that run now, as `resource operation`. */
  get agents(): readonly string[] {
    return [...this.running.keys()]
      .filter((id) => !id.startsWith('lrm/describe/'))
      .map((id) => id.split('/').slice(2).join(' '));
  }

  processOf(resource: string): StartProcess {
    const found = [...this.running].find(([id]) => id.split('/')[2] === resource);
    if (found === undefined) throw new Error(`no process of ${resource}; there are: ${this.agents.join(', ')}`);
    return found[1];
  }

  end(
    id: string,
    code: number,
    output: { readonly stdout?: string; readonly stderr?: string } = {},
  ): readonly LrmEffect[] {
    return this.#ended(id, { type: 'exited', code }, output);
  }

  /** The process of a resource ends with an exit code, or otherwise. */
  finish(
    resource: string,
    outcome: number | ProcessEnded['outcome'],
    output: { readonly stdout?: string; readonly stderr?: string } = {},
  ): readonly LrmEffect[] {
    const { id } = this.processOf(resource);
    return this.#ended(id, typeof outcome === 'number' ? { type: 'exited', code: outcome } : outcome, output);
  }

  #ended(
    id: string,
    outcome: ProcessEnded['outcome'],
    output: { readonly stdout?: string; readonly stderr?: string },
  ): readonly LrmEffect[] {
    this.running.delete(id);
    return this.give({
      type: 'processEnded',
      id,
      outcome,
      stdout: output.stdout ?? '',
      stderr: output.stderr ?? '',
      startedAt: (1_700_000_000_000 + this.now) as Epoch,
      durationMs: 5,
    });
  }

  /** Lets a timer expire; it must have been set. */
  expire(id: string): readonly LrmEffect[] {
    if (!this.timers.delete(id)) throw new Error(`no timer ${id}; there are: ${[...this.timers.keys()].join(', ')}`);
    return this.give({ type: 'timerExpired', id });
  }
}

let asked = 0;

/** A request with what does not matter left to defaults. */
export const execute = (operation: string, fields: Partial<Execute> = {}): Execute => ({
  type: 'execute',
  operationId: `op_${(asked += 1)}`,
  resource: 'web',
  agent: dummy,
  operation,
  intervalMs: 0,
  timeoutMs: 20_000,
  parameters: {},
  meta: {},
  transitionKey: '1:2:0:te',
  expectedExitCode: 0,
  ...fields,
});

export const endedOf = (effects: readonly LrmEffect[]): readonly OperationEnded[] =>
  effects.filter((effect) => effect.type === 'operationEnded');
