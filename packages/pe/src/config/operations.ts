/** Operations as configured for a primitive: references and templates resolved, interval in milliseconds. */
import type { Operation } from '@systole/cib';

export interface OperationConfig {
  readonly id?: string;
  readonly name: string;
  /** 0: not recurring. */
  readonly intervalMs: number;
  readonly isEnabled: boolean;
  /** As written, with its attribute sets; `operationMeta()` evaluates them. */
  readonly source: Operation;
}
