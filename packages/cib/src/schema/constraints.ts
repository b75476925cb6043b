/** Schemas of constraints. */
import { Type } from 'typebox';
import { comments, role, ruleReference } from './attributes.ts';
import { flag, list, name, object, optional, score, word, words } from './values.ts';

const orderKind = words('Mandatory', 'Optional', 'Serialize');
const action = words('start', 'stop', 'promote', 'demote');

const resourceSets = name(
  'resourceSets',
  list(
    object({
      id: optional(word),
      idRef: optional(word),
      members: list(word),
      sequential: optional(flag),
      requireAll: optional(flag),
      ordering: optional(word),
      action: optional(action),
      role: optional(role),
      score: optional(score),
      kind: optional(orderKind),
    }),
  ),
);

const common = { id: word, comments, lifetime: optional(list(ruleReference)), sets: optional(resourceSets) };

const location = object({
  kind: Type.Literal('location'),
  ...common,
  resource: optional(word),
  pattern: optional(word),
  node: optional(word),
  score: optional(score),
  rules: list(ruleReference),
  role: optional(role),
  discovery: optional(words('always', 'never', 'exclusive')),
});

const colocation = object({
  kind: Type.Literal('colocation'),
  ...common,
  score: optional(score),
  dependent: optional(word),
  dependentRole: optional(role),
  dependentInstance: optional(word),
  primary: optional(word),
  primaryRole: optional(role),
  primaryInstance: optional(word),
  nodeAttribute: optional(word),
  influence: optional(flag),
});

const order = object({
  kind: Type.Literal('order'),
  ...common,
  orderKind: optional(orderKind),
  score: optional(score),
  first: optional(word),
  firstAction: optional(action),
  firstInstance: optional(word),
  then: optional(word),
  thenAction: optional(action),
  thenInstance: optional(word),
  symmetrical: optional(flag),
  requireAll: optional(flag),
});

const ticket = object({
  kind: Type.Literal('ticket'),
  ...common,
  ticket: word,
  lossPolicy: optional(words('stop', 'demote', 'fence', 'freeze')),
  resource: optional(word),
  role: optional(role),
});

export const constraint = Type.Union([location, colocation, order, ticket]);
