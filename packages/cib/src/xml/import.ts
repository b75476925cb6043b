/**
 * Pacemaker's XML to a CIB.
 *
 * Documents of all schemas from 1.0 on are read; what newer schemas say differently is rewritten (`upgrade.ts`) and
 * told in the notes. What nothing in systole reads is told as well, with its line, and left out.
 */
import { fail, ok, type Result } from '@systole/kernel';
import { emptyCib } from '../empty.ts';
import type { Cib, CibHeader } from '../model/cib.ts';
import type { CibVersion } from '../version.ts';
import { readConfiguration } from './read-configuration.ts';
import { readStatus } from './read-status.ts';
import { maybe, type Note, otherAttributes, Reading, Unreadable } from './reading.ts';
import { type Element, parseTree, type XmlProblem } from './tree.ts';
import { upgrade } from './upgrade.ts';

/** Why a document cannot be imported; `line` and `column` count from 1. */
export type ImportProblem = XmlProblem;

export interface Imported {
  readonly cib: Cib;
  readonly notes: readonly Note[];
}

/** Reads a whole `<cib>`, or a `<configuration>` alone. Never throws for bad input. */
export function importCib(text: string): Result<Imported, ImportProblem> {
  const tree = parseTree(text);
  if (!tree.ok) return tree;
  const reading = new Reading();
  try {
    upgrade(reading, tree.value);
    return ok({ cib: readCib(reading, tree.value), notes: reading.notes });
  } catch (error) {
    if (error instanceof Unreadable) return fail({ message: error.message, line: error.line });
    throw error;
  }
}

function readCib(reading: Reading, root: Element): Cib {
  if (root.name === 'configuration') {
    return { ...emptyCib, configuration: readConfiguration(reading, root) };
  }
  if (root.name !== 'cib') throw new Unreadable(`expected <cib> or <configuration>, found <${root.name}>`, root.line);
  let { configuration, status } = emptyCib;
  for (const section of root.children) {
    if (section.name === 'configuration') configuration = readConfiguration(reading, section);
    else if (section.name === 'status') status = readStatus(reading, section);
    else reading.unknownChild(root, section);
  }
  return { version: readVersion(reading, root), header: readHeader(reading, root), configuration, status };
}

const readVersion = (reading: Reading, root: Element): CibVersion => ({
  adminEpoch: reading.integer(root, 'admin_epoch') ?? 0,
  epoch: reading.integer(root, 'epoch') ?? 0,
  updates: reading.integer(root, 'num_updates') ?? 0,
});

const headerNames = new Set([
  'admin_epoch',
  'epoch',
  'num_updates',
  'validate-with',
  'crm_feature_set',
  'have-quorum',
  'dc-uuid',
  'execution-date',
  'cib-last-written',
  'update-origin',
  'update-user',
  'update-client',
]);

function readHeader(reading: Reading, root: Element): CibHeader {
  const given = root.attributes;
  return {
    ...maybe('validateWith', given['validate-with']),
    ...maybe('featureSet', given['crm_feature_set']),
    ...maybe('hasQuorum', reading.boolean(root, 'have-quorum')),
    ...maybe('dcId', given['dc-uuid']),
    ...maybe('executionDate', reading.integer(root, 'execution-date')),
    ...maybe('lastWritten', given['cib-last-written']),
    ...maybe('updateOrigin', given['update-origin']),
    ...maybe('updateUser', given['update-user']),
    ...maybe('updateClient', given['update-client']),
    ...otherAttributes(root, headerNames),
  };
}
