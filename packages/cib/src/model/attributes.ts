/** Named values in sets, and the rules that say when a set applies. Used by everything that is configured. */
import type { Score } from '../score.ts';

/** One name and value. `value` is absent only when a pair was written without one, or refers to another pair by `idRef`. */
export interface Pair {
  readonly id?: string;
  readonly name?: string;
  readonly value?: string;
  /** The id of a pair elsewhere whose name and value count here; `name`, if present, replaces its name. */
  readonly idRef?: string;
}

/** Pairs that apply together. Of several sets the one with the higher score wins for a name; ties go to the later. */
export interface AttributeSet {
  readonly id?: string;
  /** The id of a set elsewhere that stands here; then nothing else is present. */
  readonly idRef?: string;
  readonly score?: Score;
  readonly rule?: Rule;
  readonly pairs: readonly Pair[];
  /** Comments of the configuration text that stand before this set; only for options and defaults. */
  readonly comments?: readonly string[];
}

/** True or false at an instant for a node; in a location constraint it carries the score as well. */
export interface Rule {
  readonly id?: string;
  /** The id of a rule elsewhere that stands here. */
  readonly idRef?: string;
  readonly score?: Score;
  /** The node attribute whose value is the score. */
  readonly scoreAttribute?: string;
  readonly role?: Role;
  /** How the expressions combine; `and` unless said otherwise. */
  readonly booleanOp?: 'and' | 'or';
  readonly expressions: readonly Expression[];
}

export type Expression =
  | { readonly type: 'rule'; readonly rule: Rule }
  | AttributeExpression
  | DateExpression
  | ResourceExpression
  | OperationExpression;

export interface AttributeExpression {
  readonly type: 'attribute';
  readonly id?: string;
  readonly attribute: string;
  readonly operation: 'lt' | 'gt' | 'lte' | 'gte' | 'eq' | 'ne' | 'defined' | 'not_defined';
  readonly value?: string;
  readonly valueType?: 'string' | 'integer' | 'number' | 'version';
  readonly valueSource?: 'literal' | 'param' | 'meta';
}

export interface DateExpression {
  readonly type: 'date';
  readonly id?: string;
  readonly operation: 'gt' | 'lt' | 'in_range' | 'date_spec';
  /** ISO 8601. */
  readonly start?: string;
  readonly end?: string;
  /** Amounts by unit as written: `hours`, `months`, … */
  readonly duration?: Readonly<Record<string, string>>;
  /** Ranges by unit as written: `hours: '9-16'`, `weekdays: '1-5'`, … */
  readonly dateSpec?: Readonly<Record<string, string>>;
}

/** Applies to resources of an agent; only in the defaults of resources and operations. */
export interface ResourceExpression {
  readonly type: 'resource';
  readonly id?: string;
  readonly class?: string;
  readonly provider?: string;
  readonly agentType?: string;
}

/** Applies to operations of a name, and of an interval if one is given; only in the defaults of operations. */
export interface OperationExpression {
  readonly type: 'operation';
  readonly id?: string;
  readonly name: string;
  readonly interval?: string;
}

/** What an instance is, or is wanted to be. */
export type Role = 'Stopped' | 'Started' | 'Promoted' | 'Unpromoted';
