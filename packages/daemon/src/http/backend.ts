/** What the routes need of the daemon: one narrow seam, so that they are tested without sockets or a cluster. */
import type { IncomingMessage } from 'node:http';
import type { EventRow, SelfFencingReport } from '@systole/api';
import type { Answer } from '@systole/crm';
import type { ClusterNode, NodeRequest } from '../node/index.ts';
import type { Instant } from '@systole/kernel';
import type { Caller } from './door.ts';

export interface Backend {
  readonly cluster: string;
  readonly node: ClusterNode;
  readonly now: () => Instant;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly request: (request: NodeRequest) => Promise<Answer>;
  readonly events: {
    readonly from: (since: number) => readonly EventRow[];
    readonly listen: (listener: (row: EventRow) => void) => () => void;
  };
  /** Called after every turn of the daemon. Returns how to stop that. */
  readonly afterTurn: (listener: () => void) => () => void;
  readonly shutDown: () => void;
  /** Who sends a request; `claimed` is the name that he gives himself. */
  readonly identify: (incoming: IncomingMessage | undefined, claimed: string) => Promise<Caller>;
  /** Tells the log and the events. */
  readonly record: (
    level: 'warn' | 'info',
    event: string,
    text: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
  /** Absent where the node has neither watchdog nor disks. */
  readonly selfFencing?: () => SelfFencingReport;
  readonly metrics: () => Promise<string>;
  /** Writes down what messaging did lately; answers with the file. */
  readonly recordMessaging: () => Promise<string>;
}
