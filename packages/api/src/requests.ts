/** What can be asked of a daemon, with the schemas that its door checks. */
import type { Change, Configuration } from '@systole/cib';
import { fail, ok, type Result } from '@systole/kernel';
import { Ajv, type ValidateFunction } from 'ajv';
import { Type } from 'typebox';

/** Applies a change that was made from a known state; edits that meet something else are refused as conflicts. */
export interface ChangeRequest {
  readonly change: Change;
  /** Refused unless the configuration still has this epoch. */
  readonly ifEpoch?: number;
  /** The command as it was given, for the history. */
  readonly command?: string;
}

/** Replaces the whole configuration. */
export interface ReplaceRequest {
  readonly configuration: Configuration;
  readonly ifEpoch?: number;
  readonly command?: string;
}

export interface AttributesRequest {
  readonly node: string;
  /** Null removes. They last until the node leaves; permanent ones are part of the configuration. */
  readonly values: Readonly<Record<string, string | null>>;
  /** Set only after so long without another change. */
  readonly dampenMs?: number;
}

export interface CleanUpRequest {
  readonly resource?: string;
  readonly node?: string;
  readonly operation?: string;
  readonly intervalMs?: number;
  /** Forget all history, not only failures: everything is probed anew. */
  readonly isWhole?: boolean;
}

export interface FenceRequest {
  readonly target: string;
  /** Default `reboot`. */
  readonly action?: 'off' | 'reboot' | 'on';
}

export interface ConfirmRequest {
  readonly target: string;
}

export interface DeviceRequest {
  readonly device: string;
  readonly action: 'monitor' | 'list' | 'status';
  readonly target?: string;
  readonly timeoutMs?: number;
}

export interface UndoRequest {
  /** The configuration of this epoch is to be in force again. */
  readonly epoch: number;
}

export interface RotateKeyRequest {
  /** Nodes that are away and are not waited for. */
  readonly without?: readonly string[];
}

/** A change of what the files of all nodes say about the network. */
export type NetworkChange =
  /** A link as it is to be: each node's address on it, by node, and what all have in common. */
  | {
      readonly type: 'setLink';
      readonly link: number;
      /** There is none of this number yet; else what is not said stays as it is. */
      readonly isNew: boolean;
      readonly addresses: Readonly<Record<string, string>>;
      readonly options: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly type: 'removeLink'; readonly link: number }
  /** One value outside the links: `link_mode`, `timing.heartbeat`. */
  | { readonly type: 'setValue'; readonly name: string; readonly value: string | number };

export interface NetworkRequest {
  readonly change: NetworkChange;
}

const name = Type.String({ minLength: 1, maxLength: 1024 });
const whole = Type.Integer({ minimum: 0 });
const optionalName = Type.Optional(name);
const strict = { additionalProperties: false } as const;
const version = Type.Object({ adminEpoch: whole, epoch: whole, updates: whole }, strict);

export const requestSchemas = {
  change: Type.Object(
    {
      change: Type.Object(
        {
          base: version,
          edits: Type.Array(
            Type.Object({
              type: Type.Union([Type.Literal('set'), Type.Literal('insert'), Type.Literal('remove')]),
              path: Type.Array(Type.Union([name, Type.Object({ id: name }, strict)]), { minItems: 1, maxItems: 32 }),
            }),
            { maxItems: 100_000 },
          ),
        },
        strict,
      ),
      ifEpoch: Type.Optional(whole),
      command: Type.Optional(Type.String({ maxLength: 4096 })),
    },
    strict,
  ),
  replace: Type.Object(
    {
      configuration: Type.Object({}),
      ifEpoch: Type.Optional(whole),
      command: Type.Optional(Type.String({ maxLength: 4096 })),
    },
    strict,
  ),
  attributes: Type.Object(
    {
      node: name,
      values: Type.Record(name, Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()])),
      dampenMs: Type.Optional(whole),
    },
    strict,
  ),
  cleanUp: Type.Object(
    {
      resource: optionalName,
      node: optionalName,
      operation: optionalName,
      intervalMs: Type.Optional(whole),
      isWhole: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  fence: Type.Object(
    {
      target: name,
      action: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('reboot'), Type.Literal('on')])),
    },
    strict,
  ),
  confirm: Type.Object({ target: name }, strict),
  device: Type.Object(
    {
      device: name,
      action: Type.Union([Type.Literal('monitor'), Type.Literal('list'), Type.Literal('status')]),
      target: optionalName,
      timeoutMs: Type.Optional(whole),
    },
    strict,
  ),
  undo: Type.Object({ epoch: whole }, strict),
  network: Type.Object(
    {
      change: Type.Union([
        Type.Object(
          {
            type: Type.Literal('setLink'),
            link: Type.Integer({ minimum: 0, maximum: 7 }),
            isNew: Type.Boolean(),
            addresses: Type.Record(name, name),
            options: Type.Record(name, Type.Union([name, Type.Number(), Type.Boolean()])),
          },
          strict,
        ),
        Type.Object({ type: Type.Literal('removeLink'), link: Type.Integer({ minimum: 0, maximum: 7 }) }, strict),
        Type.Object({ type: Type.Literal('setValue'), name, value: Type.Union([name, Type.Number()]) }, strict),
      ]),
    },
    strict,
  ),
  rotateKey: Type.Object({ without: Type.Optional(Type.Array(name, { maxItems: 32 })) }, strict),
  empty: Type.Object({}, strict),
} as const;

export type RequestKind = keyof typeof requestSchemas;

const ajv = new Ajv({ allErrors: true });
const validators = new Map<RequestKind, ValidateFunction>();

/** Accepts a body of that kind, or says what is wrong with it. */
export function checkRequest<T>(kind: RequestKind, body: unknown): Result<T, string> {
  let validate = validators.get(kind);
  if (validate === undefined) {
    validate = ajv.compile(requestSchemas[kind]);
    validators.set(kind, validate);
  }
  return validate(body) ? ok(body as T) : fail(ajv.errorsText(validate.errors, { dataVar: 'request' }));
}
