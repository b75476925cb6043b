/**
 * How far a transition has come: which actions are done, which may begin. Each action counts the predecessors it still
 * waits for, so the end of one costs only a look at its successors, however large the graph.
 */
import { invariant } from '@systole/kernel';
import type { Transition, TransitionAction } from '@systole/pe';

type State = 'waiting' | 'running' | 'done' | 'failed';

export class Progress {
  readonly transition: Transition;
  readonly #states: State[];
  readonly #waitsFor: Int32Array;
  readonly #successors: readonly (readonly number[])[];
  /** Ready to begin, highest priority first; ties go to the lower index. */
  readonly #ready: number[];
  readonly #count = { waiting: 0, running: 0, done: 0, failed: 0 };
  readonly #migrations = new Map<string, number>();

  constructor(transition: Transition) {
    const size = transition.actions.length;
    const successors: number[][] = Array.from({ length: size }, () => []);
    this.transition = transition;
    this.#states = Array.from({ length: size }, () => 'waiting');
    this.#waitsFor = new Int32Array(size);
    for (const [first, then] of transition.orderings) {
      invariant(first < size && then < size, 'an ordering names an action that the transition does not have');
      successors[first]?.push(then);
      this.#waitsFor[then] = (this.#waitsFor[then] ?? 0) + 1;
    }
    this.#successors = successors;
    this.#count.waiting = size;
    this.#ready = [...transition.actions.keys()].filter((index) => this.#waitsFor[index] === 0);
    this.#sort();
  }

  get counts(): Readonly<Record<State, number>> {
    return this.#count;
  }

  isRunning(index: number): boolean {
    return this.#states[index] === 'running';
  }

  /** Indexes of the actions under way, in order. */
  running(): readonly number[] {
    return [...this.#states.entries()].filter(([, state]) => state === 'running').map(([index]) => index);
  }

  /**
   * Takes the next action that may begin, and counts it as running. Undefined if none may: all wait for others, or
   * limits are reached, or all that are ready have less than `priorityFloor`.
   */
  begin(priorityFloor: number): number | undefined {
    const { batchLimit } = this.transition.settings;
    const position = this.#ready.findIndex((index) => {
      const action = this.#action(index);
      if ((action.priority ?? 0) < priorityFloor) return false;
      if (action.kind === 'pseudo') return true;
      return (batchLimit === 0 || this.#count.running < batchLimit) && this.#mayMigrate(action);
    });
    const [index] = position < 0 ? [] : this.#ready.splice(position, 1);
    if (index !== undefined) {
      this.#enter(index, 'running');
      this.#countMigration(this.#action(index), 1);
    }
    return index;
  }

  /** An action under way was done, or failed in a way the transition can live with; its successors may become ready. */
  done(index: number): void {
    this.#leaveRunning(index, 'done');
    const before = this.#ready.length;
    for (const then of this.#successors[index] ?? []) {
      const left = (this.#waitsFor[then] ?? 0) - 1;
      this.#waitsFor[then] = left;
      if (left === 0) this.#ready.push(then);
    }
    if (this.#ready.length > before) this.#sort();
  }

  /** An action under way failed; what waits for it will not begin. */
  failed(index: number): void {
    this.#leaveRunning(index, 'failed');
  }

  #leaveRunning(index: number, state: 'done' | 'failed'): void {
    invariant(this.isRunning(index), 'only an action under way can end');
    this.#enter(index, state);
    this.#countMigration(this.#action(index), -1);
  }

  #enter(index: number, state: State): void {
    this.#count[this.#states[index] ?? 'waiting'] -= 1;
    this.#count[state] += 1;
    this.#states[index] = state;
  }

  #action(index: number): TransitionAction {
    const action = this.transition.actions[index];
    invariant(action !== undefined, 'the transition has an action of that index');
    return action;
  }

  #mayMigrate(action: TransitionAction): boolean {
    const { migrationLimit } = this.transition.settings;
    if (migrationLimit < 0 || !isMigration(action)) return true;
    return [action.source, action.target].every((node) => (this.#migrations.get(node ?? '') ?? 0) < migrationLimit);
  }

  #countMigration(action: TransitionAction, by: number): void {
    if (!isMigration(action)) return;
    for (const node of [action.source, action.target]) {
      this.#migrations.set(node ?? '', (this.#migrations.get(node ?? '') ?? 0) + by);
    }
  }

  #sort(): void {
    const priority = (index: number): number => this.#action(index).priority ?? 0;
    this.#ready.sort((a, b) => priority(b) - priority(a) || a - b);
  }
}

const isMigration = (action: TransitionAction): boolean =>
  action.operation === 'migrate_to' || action.operation === 'migrate_from';
