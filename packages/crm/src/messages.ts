/**
 * What controllers say to each other, always to all members and in the agreed order. Every member applies the same
 * messages to the same CIB, so the replicas stay equal byte for byte; nobody needs to send a result twice.
 *
 * | message | from | for |
 * |---|---|---|
 * | `hello` | every member of a new view that not all came to together | whose CIB is the newest |
 * | `state` | the one who has it | the whole CIB; from here on all are equal |
 * | `join` | a member that the CIB does not know as such | what runs on it |
 * | `change` | any member, for a client | a change of the configuration |
 * | `perform` | the DC | an action of its transition, for one member |
 * | `result`, `cancelled`, `forgotten`, `refused` | the member that performed it | what became of it |
 * | `attributes` | any member | transient attributes of a node |
 * | `cleaned` | any member, for a client | failures or history that are to be forgotten |
 * | `fenced` | who asked its fencer | a node that certainly does not run any more |
 * | `settled` | the DC | the status as of a position is what the policy engine wants |
 */
import type { AgentName, Change, CibVersion, OperationRecord, ReplicaState, ResourceHistory } from '@systole/cib';
import { fail, ok, type Result } from '@systole/kernel';
import type { TransitionAction } from '@systole/pe';
import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { Position } from './contract.ts';

export interface Hello {
  readonly type: 'hello';
  readonly incarnation: number;
  /** Number of the last quorate view in which this node's CIB was that of the view; the higher has the newer CIB. */
  readonly lineage: number;
  readonly version: CibVersion;
  /** Fingerprint of this node's CIB: whoever has another than the donor has been elsewhere, and must join again. */
  readonly digest: string;
  /** What this node's program can do; the DC is of the lowest present, so that everyone understands it. */
  readonly featureSet: number;
}

export interface State {
  readonly type: 'state';
  readonly replica: ReplicaState;
}

export interface Join {
  readonly type: 'join';
  readonly incarnation: number;
  readonly history: readonly ResourceHistory[];
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ChangeMessage {
  readonly type: 'change';
  readonly change: Change;
  readonly user: string;
  readonly command?: string;
  /** Seconds since 1970 at the sender. */
  readonly at: number;
  readonly ifEpoch?: number;
}

export interface Perform {
  readonly type: 'perform';
  readonly to: string;
  readonly operationId: string;
  readonly transitionKey: string;
  readonly action: TransitionAction;
}

export interface ResultMessage {
  readonly type: 'result';
  readonly operationId: string;
  readonly resource: string;
  readonly agent: AgentName;
  readonly record: OperationRecord;
  readonly alsoChanged: readonly OperationRecord[];
  readonly removed: readonly string[];
  readonly hasSucceeded: boolean;
  readonly expectedExitCode: number;
}

export interface Cancelled {
  readonly type: 'cancelled';
  readonly operationId: string;
  readonly resource: string;
  readonly removed: readonly string[];
}

export interface Forgotten {
  readonly type: 'forgotten';
  readonly operationId: string;
  readonly resource: string;
  readonly records?: readonly string[];
}

/** The node did not begin what it was asked for: nothing has happened. */
export interface Refused {
  readonly type: 'refused';
  readonly operationId: string;
  readonly resource?: string;
  readonly reason: string;
}

export interface Attributes {
  readonly type: 'attributes';
  readonly node: string;
  /** Null removes. */
  readonly values: Readonly<Record<string, string | null>>;
  /** Set for a transition's action: its end. */
  readonly operationId?: string;
  /** A resource whose failures these were: the record of the last one goes too, where later ones tell how it is. */
  readonly failuresOf?: string;
}

export interface Cleaned {
  readonly type: 'cleaned';
  readonly resource?: string;
  readonly node?: string;
  readonly operation?: string;
  readonly intervalMs?: number;
  readonly isWhole: boolean;
}

export interface Fenced {
  readonly type: 'fenced';
  readonly requestId: string;
  readonly target: string;
  readonly action: 'off' | 'reboot' | 'on';
  readonly devices: readonly string[];
  readonly executor?: string;
  /** Seconds since 1970 at the sender. */
  readonly at: number;
}

export interface Settled {
  readonly type: 'settled';
  readonly asOf: Position;
  readonly transitionId?: string;
}

export type ControllerMessage =
  | Hello
  | State
  | Join
  | ChangeMessage
  | Perform
  | ResultMessage
  | Cancelled
  | Forgotten
  | Refused
  | Attributes
  | Cleaned
  | Fenced
  | Settled;

// Peers are authenticated and run this program, perhaps of another version: what is checked here is that a message has
// the shape its handler relies on. What is inside a CIB was checked where it entered the cluster.
const text = Type.String({ maxLength: 4096 });
const record = Type.Object({
  id: text,
  operation: text,
  callId: Type.Integer(),
  exitCode: Type.Integer(),
  status: Type.Integer(),
});
const version = Type.Object({ adminEpoch: Type.Integer(), epoch: Type.Integer(), updates: Type.Integer() });
const names = Type.Array(text, { maxItems: 4096 });
const fenceAction = Type.Union([Type.Literal('off'), Type.Literal('reboot'), Type.Literal('on')]);
const whole = Type.Integer({ minimum: 0 });

const shapes: Readonly<Record<ControllerMessage['type'], ReturnType<typeof Type.Object>>> = {
  hello: Type.Object({ incarnation: whole, lineage: whole, version, digest: text, featureSet: whole }),
  state: Type.Object({
    replica: Type.Object({
      cib: Type.Object({ version, header: Type.Object({}), configuration: Type.Object({}), status: Type.Object({}) }),
      records: Type.Array(Type.Object({})),
    }),
  }),
  join: Type.Object({
    incarnation: whole,
    history: Type.Array(Type.Object({ id: text })),
    attributes: Type.Record(text, text),
  }),
  change: Type.Object({
    change: Type.Object({
      base: version,
      edits: Type.Array(Type.Object({ type: text, path: Type.Array(Type.Unknown()) })),
    }),
    user: text,
    at: Type.Number(),
  }),
  perform: Type.Object({
    to: text,
    operationId: text,
    transitionKey: text,
    action: Type.Object({ kind: text, operation: text, key: text, parameters: Type.Object({}), meta: Type.Object({}) }),
  }),
  result: Type.Object({
    operationId: text,
    resource: text,
    agent: Type.Object({ class: text, type: text }),
    record,
    alsoChanged: Type.Array(record),
    removed: names,
    hasSucceeded: Type.Boolean(),
    expectedExitCode: Type.Integer(),
  }),
  cancelled: Type.Object({ operationId: text, resource: text, removed: names }),
  forgotten: Type.Object({ operationId: text, resource: text, records: Type.Optional(names) }),
  refused: Type.Object({ operationId: text, resource: Type.Optional(text), reason: text }),
  attributes: Type.Object({
    node: text,
    values: Type.Record(text, Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()])),
    operationId: Type.Optional(text),
    failuresOf: Type.Optional(text),
  }),
  cleaned: Type.Object({
    resource: Type.Optional(text),
    node: Type.Optional(text),
    operation: Type.Optional(text),
    intervalMs: Type.Optional(whole),
    isWhole: Type.Boolean(),
  }),
  fenced: Type.Object({
    requestId: text,
    target: text,
    action: fenceAction,
    devices: names,
    executor: Type.Optional(text),
    at: Type.Number(),
  }),
  settled: Type.Object({ asOf: Type.Object({ view: whole, sequence: whole }), transitionId: Type.Optional(text) }),
};

const ajv = new Ajv({ allErrors: false });
const validators = new Map(Object.entries(shapes).map(([type, shape]) => [type, ajv.compile(shape)]));

/** Fails with a sentence when `message` is none that a controller of this version understands. */
export function checkMessage(message: unknown): Result<ControllerMessage, string> {
  const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
  const validate = typeof type === 'string' ? validators.get(type) : undefined;
  if (validate === undefined) return fail(`unknown message ${JSON.stringify(type)}`);
  if (validate(message)) return ok(message as unknown as ControllerMessage);
  return fail(`${String(type)}: ${ajv.errorsText(validate.errors)}`);
}
