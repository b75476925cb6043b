/** What the routes need of the daemon: one narrow seam, so that they are tested without sockets or a cluster. */
import type { EventRow } from '@systole/api';
import type { Answer } from '@systole/crm';
import type { ClusterNode, NodeRequest } from '../node/index.ts';
import type { Instant } from '@systole/kernel';

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
  readonly metrics: () => Promise<string>;
}
