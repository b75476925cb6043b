/** The whole: configuration and status of a cluster, with its version. Plain JSON; the same bytes on every member. */
import type { CibVersion } from '../version.ts';
import type { Configuration } from './configuration.ts';
import type { Status } from './status.ts';

export interface Cib {
  readonly version: CibVersion;
  readonly header: CibHeader;
  readonly configuration: Configuration;
  readonly status: Status;
}

/** Facts about the document itself. Those of Pacemaker's files are kept so that an import can be exported again. */
export interface CibHeader {
  /** `pacemaker-3.9`, …; what the document was written for. Ours say `pacemaker-3.9` on export. */
  readonly validateWith?: string;
  readonly featureSet?: string;
  readonly hasQuorum?: boolean;
  /** The id of the DC when it was written. */
  readonly dcId?: string;
  /** When the policy engine is to pretend it is, in seconds since 1970; stored inputs only. */
  readonly executionDate?: number;
  readonly lastWritten?: string;
  readonly updateOrigin?: string;
  readonly updateUser?: string;
  readonly updateClient?: string;
  /** `no-quorum-panic`, … and whatever else the root element says, by its XML name. */
  readonly other?: Readonly<Record<string, string>>;
}
