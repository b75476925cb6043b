/** A CIB to Pacemaker's XML: what `importCib` reads comes out again with the same meaning. */
import type { Cib } from '../model/cib.ts';
import type { Configuration } from '../model/configuration.ts';
import { writeConfiguration } from './write-configuration.ts';
import { writeStatus } from './write-status.ts';
import { type Output, writeXml } from './writer.ts';

/** The newest schema of Pacemaker 2.1 and 3.0 that has everything we write. */
const SCHEMA = 'pacemaker-3.9';
const FEATURE_SET = '3.19.0';

/** The whole document. Attributes of the header that are not known are written as Pacemaker's tools require them. */
export const exportCib = (cib: Cib): string => writeXml(treeOf(cib));

/** The document as a tree: what permissions point into. */
export function treeOf(cib: Cib): Output {
  const { version, header } = cib;
  return {
    name: 'cib',
    attributes: {
      crm_feature_set: header.featureSet ?? FEATURE_SET,
      'validate-with': schemaOf(header.validateWith),
      admin_epoch: String(version.adminEpoch),
      epoch: String(version.epoch),
      num_updates: String(version.updates),
      'have-quorum': header.hasQuorum === undefined ? undefined : header.hasQuorum ? '1' : '0',
      'dc-uuid': header.dcId,
      'execution-date': header.executionDate === undefined ? undefined : String(header.executionDate),
      'cib-last-written': header.lastWritten,
      'update-origin': header.updateOrigin,
      'update-client': header.updateClient,
      'update-user': header.updateUser,
      ...header.other,
    },
    children: [writeConfiguration(cib.configuration), writeStatus(cib.status)],
  };
}

/** Only the `<configuration>`. */
export const exportConfiguration = (configuration: Configuration): string =>
  writeXml(writeConfiguration(configuration));

/** Imported documents keep their schema, unless it is older than what upgrades make of them. */
const schemaOf = (schema: string | undefined): string =>
  schema !== undefined && /^pacemaker-3\.(?:9|10)$/.test(schema) ? schema : SCHEMA;
