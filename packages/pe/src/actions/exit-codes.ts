/** The exit codes of OCF agents that the policy engine expects, besides 0. */

export const NOT_RUNNING = 7;
export const RUNNING_PROMOTED = 8;
