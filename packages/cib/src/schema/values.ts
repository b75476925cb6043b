/** What the schemas of all sections are made of. Bounds are generous: they stop accidents and attacks, not operators. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';
import { INFINITY } from '../score.ts';

/** Ids, names and words; a thousand characters is more than any file name may have. */
export const word = Type.String({ minLength: 1, maxLength: 1024 });

/** Values and descriptions: scripts have been seen in parameters. */
export const text = Type.String({ maxLength: 65_536 });

export const flag = Type.Boolean();
export const count = Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER });
export const score = Type.Integer({ minimum: -INFINITY, maximum: INFINITY });

/** A list with a bound that no real cluster comes near. */
export const list = <Element extends TSchema>(element: Element) => Type.Array(element, { maxItems: 200_000 });

/** An object without unknown fields. */
export const object = <Properties extends TProperties>(properties: Properties): TObject<Properties> =>
  Type.Object(properties, { additionalProperties: false });

export const optional = Type.Optional;

export const words = <const Values extends readonly string[]>(...values: Values) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: values });

/** Names and texts as written in XML, for what only its reader understands. */
export const texts = Type.Record(Type.String(), text);

/** All schemas that others refer to by name, for the validator to know. */
export const named: TSchema[] = [];

/**
 * Gives a schema a name, and answers with a reference to it. What is used in many places is named, so that its checks are
 * compiled once and not written out in each place: that makes compiling the whole a hundred times quicker.
 */
export function name<Schema extends TSchema>(id: string, schema: Schema) {
  named.push({ ...schema, $id: id });
  return reference<Static<Schema>>(id);
}

/** Refers to a schema that has, or will get, a name. */
export const reference = <T>(id: string) => Type.Unsafe<T>({ $ref: id });

/** The type that a schema describes, with all fields read-only, as the model has it. */
export type Described<Schema extends TSchema> = DeepReadonly<Static<Schema>>;

type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
