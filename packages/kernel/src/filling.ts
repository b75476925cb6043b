/** How full one bounded queue is. A node that says so of all of them can be watched, by its simulator and its operator. */
export interface Filling {
  /** What waits, where: `crm outbox`. */
  readonly queue: string;
  readonly count: number;
  readonly max: number;
}
