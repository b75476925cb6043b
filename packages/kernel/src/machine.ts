/**
 * Statecharts as pure steps. XState's `transition()` lists actions without running them; delayed transitions arrive
 * as data and become `startTimer` and `stopTimer` effects, so no clock hides inside a machine.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  type AnyActorScope,
  createActor,
  type ExecutableActionObject,
  initialTransition,
  type SnapshotFrom,
} from 'xstate';

/** Something a machine wants done. `params` is plain JSON and all that is needed to do it. */
export interface MachineEffect {
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface MachineStep<Machine extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<Machine>;
  readonly effects: readonly MachineEffect[];
}

/** Declares an action of a machine that is reported, not run. */
export const effect = <Params extends Readonly<Record<string, unknown>>>(): ((
  args: unknown,
  params: Params,
) => void) => {
  return () => undefined;
};

export function start<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): MachineStep<Machine> {
  const [snapshot, actions] = initialTransition(machine, input);
  return { snapshot, effects: actions.map(toEffect) };
}

/** A delayed event that has come due is handed in as `event` like any other. */
export function step<Machine extends AnyStateMachine>(
  machine: Machine,
  before: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine>,
): MachineStep<Machine> {
  const scope = scopeOf(machine);
  const effects: MachineEffect[] = [];
  scope.actionExecutor = (action: ExecutableActionObject) => effects.push(toEffect(action));
  const snapshot = machine.transition(before, event, scope) as SnapshotFrom<Machine>;
  return { snapshot, effects };
}

const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

/**
 * Where a machine's transitions are computed: nothing runs in it. XState's own `transition()` makes a new actor, initial
 * state and all, for each event, which costs more than the event. Our machines spawn no actors, so one does for all.
 */
function scopeOf(machine: AnyStateMachine): AnyActorScope {
  const known = scopes.get(machine);
  if (known !== undefined) return known;
  const self = createActor(machine);
  const nothing = (): undefined => undefined;
  const scope: AnyActorScope = {
    self,
    id: '',
    sessionId: '',
    logger: nothing,
    defer: nothing,
    stopChild: nothing,
    emit: nothing,
    actionExecutor: nothing,
    system: self.system,
  };
  scopes.set(machine, scope);
  return scope;
}

/** The innermost states as one word each: `dc.idle`. */
export function stateName(snapshot: AnyMachineSnapshot): string {
  const name = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : Object.entries(value as Record<string, unknown>)
          .map(([key, inner]) => `${key}.${name(inner)}`)
          .join(' ');
  return name(snapshot.value);
}

function toEffect(action: { readonly type: string; readonly params?: unknown }): MachineEffect {
  const params = (action.params ?? {}) as Readonly<Record<string, unknown>>;
  switch (action.type) {
    case 'xstate.raise':
      return { type: 'startTimer', params: { id: params['id'], delayMs: params['delay'], event: params['event'] } };
    case 'xstate.cancel':
      return { type: 'stopTimer', params: { id: params['sendId'] } };
    default:
      return { type: action.type, params };
  }
}
