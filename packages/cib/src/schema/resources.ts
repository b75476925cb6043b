/** Schemas of resources. */
import { Type } from 'typebox';
import { attributeSets, comments, role } from './attributes.ts';
import { flag, list, name, object, optional, text, texts, word } from './values.ts';

export const agentName = object({ class: word, provider: optional(word), type: word });

const operation = object({
  id: optional(word),
  idRef: optional(word),
  name: word,
  interval: optional(text),
  timeout: optional(text),
  startDelay: optional(text),
  intervalOrigin: optional(text),
  onFail: optional(word),
  enabled: optional(flag),
  recordPending: optional(flag),
  role: optional(role),
  requires: optional(word),
  description: optional(text),
  parameters: attributeSets,
  meta: attributeSets,
});

const operations = name('operations', object({ id: optional(word), idRef: optional(word), list: list(operation) }));

const common = { id: word, description: optional(text), comments, meta: attributeSets, parameters: attributeSets };

const primitive = name(
  'primitive',
  object({
    kind: Type.Literal('primitive'),
    ...common,
    agent: optional(agentName),
    template: optional(word),
    operations,
    utilization: attributeSets,
  }),
);

const template = object({
  kind: Type.Literal('template'),
  ...common,
  agent: agentName,
  operations,
  utilization: attributeSets,
});

const group = name('group', object({ kind: Type.Literal('group'), ...common, members: list(primitive) }));

const clone = object({
  kind: Type.Literal('clone'),
  ...common,
  member: Type.Union([primitive, group]),
  isLegacyMaster: optional(flag),
});

const bundle = object({
  kind: Type.Literal('bundle'),
  ...common,
  containerType: word,
  container: texts,
  network: optional(texts),
  ports: list(texts),
  storage: list(texts),
  primitive: optional(primitive),
});

export const resource = Type.Union([primitive, template, group, clone, bundle]);
