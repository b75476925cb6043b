/** Schema of the whole CIB, status included. */
import { Type } from 'typebox';
import { attributeSets } from './attributes.ts';
import { configuration } from './configuration.ts';
import { count, flag, list, object, optional, text, texts, word } from './values.ts';

const operationRecord = object({
  id: word,
  key: optional(word),
  operation: word,
  intervalMs: count,
  callId: Type.Integer(),
  exitCode: Type.Integer(),
  status: Type.Integer(),
  exitReason: optional(text),
  transitionKey: optional(text),
  transitionMagic: optional(text),
  onNode: optional(word),
  lastChange: optional(count),
  lastRun: optional(count),
  execMs: optional(count),
  queueMs: optional(count),
  featureSet: optional(text),
  digest: optional(text),
  restartDigest: optional(text),
  forceRestart: optional(text),
  secureDigest: optional(text),
  secureParameters: optional(text),
  migrateSource: optional(word),
  migrateTarget: optional(word),
  reportedBy: optional(text),
  other: optional(texts),
});

const history = object({
  id: word,
  agent: object({ class: optional(text), provider: optional(text), type: optional(text) }),
  container: optional(word),
  shutdownLock: optional(text),
  operations: list(operationRecord),
});

const nodeState = object({
  id: word,
  name: optional(word),
  inCluster: optional(text),
  controller: optional(text),
  join: optional(text),
  expected: optional(text),
  isRemote: optional(flag),
  wasFenced: optional(text),
  inMaintenance: optional(text),
  other: optional(texts),
  transientAttributes: attributeSets,
  transientUtilization: optional(attributeSets),
  history: list(history),
});

const ticketState = object({
  id: word,
  isGranted: optional(flag),
  isStandby: optional(flag),
  lastGranted: optional(text),
  other: optional(texts),
});

const header = object({
  validateWith: optional(text),
  featureSet: optional(text),
  hasQuorum: optional(flag),
  dcId: optional(text),
  executionDate: optional(count),
  lastWritten: optional(text),
  updateOrigin: optional(text),
  updateUser: optional(text),
  updateClient: optional(text),
  other: optional(texts),
});

const versionNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const cib = object({
  version: object({ adminEpoch: versionNumber, epoch: versionNumber, updates: versionNumber }),
  header,
  configuration,
  status: object({ nodes: list(nodeState), tickets: list(ticketState) }),
});
