/** Schema of the configuration. */
import { Type } from 'typebox';
import { attributeSets, comments } from './attributes.ts';
import { constraint } from './constraints.ts';
import { resource } from './resources.ts';
import { flag, list, object, optional, score, text, word, words } from './values.ts';

const node = object({
  id: word,
  name: word,
  type: optional(words('member', 'remote', 'ping')),
  description: optional(text),
  score: optional(score),
  comments,
  attributes: attributeSets,
  utilization: attributeSets,
});

const tag = object({ id: word, description: optional(text), comments, members: list(word) });

const fencingLevel = object({
  id: word,
  index: Type.Integer({ minimum: 1, maximum: 9 }),
  devices: list(word),
  target: Type.Union([
    object({ type: Type.Literal('node'), name: word }),
    object({ type: Type.Literal('pattern'), pattern: word }),
    object({ type: Type.Literal('attribute'), name: word, value: text }),
  ]),
  comments,
});

const permission = object({
  id: optional(word),
  kind: words('read', 'write', 'deny'),
  description: optional(text),
  xpath: optional(text),
  reference: optional(word),
  objectType: optional(word),
  attribute: optional(word),
});

const subject = object({ id: word, name: optional(word), roles: list(word), comments });

const acls = object({
  roles: list(object({ id: word, description: optional(text), comments, permissions: list(permission) })),
  targets: list(subject),
  groups: list(subject),
});

const alert = object({
  id: word,
  description: optional(text),
  path: text,
  comments,
  select: optional(
    object({
      nodes: flag,
      fencing: flag,
      resources: flag,
      attributes: optional(list(object({ id: optional(word), name: word }))),
    }),
  ),
  meta: attributeSets,
  parameters: attributeSets,
  recipients: list(
    object({ id: word, value: text, description: optional(text), meta: attributeSets, parameters: attributeSets }),
  ),
});

export const configuration = object({
  options: attributeSets,
  resourceDefaults: attributeSets,
  operationDefaults: attributeSets,
  nodes: list(node),
  resources: list(resource),
  constraints: list(constraint),
  tags: list(tag),
  fencingLevels: list(fencingLevel),
  acls,
  alerts: list(alert),
  comments,
});
