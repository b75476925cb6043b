/**
 * Variants of the shipped code that are broken in one place, each of which the laws must catch within so many seeds.
 * `find` stands exactly once in its file; where it does not any more, the list has to follow the code. `seeds` is a bound
 * well above what it took when it was last measured (`took`).
 */
export interface Variant {
  readonly name: string;
  /** Below `packages`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly seeds: number;
  readonly took: number;
}

export const variants: readonly Variant[] = [
  {
    name: 'fencing that failed counts as done',
    file: 'crm/src/controller.ts',
    find: "if (outcome === 'ok') {",
    replace: "if (outcome !== 'x') {",
    seeds: 300,
    took: 3,
  },
  {
    name: 'a node that is lost needs no fencing',
    file: 'crm/src/status/node-state.ts',
    find: "down('member', () => true)(state)",
    replace: "down('down', () => false)(state)",
    seeds: 300,
    took: 1,
  },
  {
    name: 'a change of the configuration is safe as soon as it is agreed',
    file: 'crm/src/outbox.ts',
    find: "message.type === 'change' ? 'durable' : 'agreed'",
    replace: "message.type === 'change' ? 'agreed' : 'agreed'",
    seeds: 300,
    took: 2,
  },
  {
    name: 'a durable message does not wait for the disks',
    file: 'messaging/src/order.ts',
    find: "return sequence <= this.stable && (entry.service === 'safe' || sequence <= this.durable);",
    replace: 'return sequence <= this.stable;',
    seeds: 300,
    took: 6,
  },
  {
    name: 'a start needs no quorum',
    file: 'crm/src/own-quorum.ts',
    find: "if (this.#state === 'held') return this.isHeldNow;",
    replace: "if (this.#state !== 'unknown') return true;",
    seeds: 300,
    took: 133,
  },
  {
    name: 'the lease is ignored',
    file: 'messaging/src/standing.ts',
    find: 'if (!this.#core.policy.enough(nodes, this.memory, this.#deviceGranted, decision)) {',
    replace: 'if (nodes.length === 0) {',
    seeds: 600,
    took: 54,
  },
  {
    // Not: that confirmations of the view before count on. Each member of the new view confirmed before it installed it, so
    // before it can have promised to another: the lease ends in time all the same.
    name: 'a confirmation holds ten times as long as the lease',
    file: 'messaging/src/standing.ts',
    find: 'if (this.#core.now - at > this.#core.timing.leaseMs) continue;\n      nodes.push(node);\n      if (at !== forever) this.#leaseEnds = Math.min(this.#leaseEnds, at + this.#core.timing.leaseMs + 1);',
    replace:
      'if (this.#core.now - at > 10 * this.#core.timing.leaseMs) continue;\n      nodes.push(node);\n      if (at !== forever) this.#leaseEnds = Math.min(this.#leaseEnds, at + 10 * this.#core.timing.leaseMs + 1);',
    seeds: 600,
    took: 134,
  },
  {
    name: "frames of another view's order are taken",
    file: 'messaging/src/routing.ts',
    find: '!sameTag(frame.view, membership.view.tag) ||',
    replace: '',
    seeds: 300,
    took: 111,
  },
  {
    // Not: that an earlier life of a member counts as the present one. Its departure takes it out of the cluster before.
    name: 'a join does not replace what was known of the node',
    file: 'crm/src/status/node-state.ts',
    find: '    transientAttributes: attributeSet(id, new Map(Object.entries(attributes))),\n    history,\n',
    replace:
      '    transientAttributes: attributeSet(id, new Map(Object.entries(attributes))),\n    history: [...history, ...(nodeState(cib, name)?.history ?? [])].filter((each, at, all) => all.findLast(({ id }) => id === each.id) === each || at < 0),\n',
    seeds: 300,
    took: 2,
  },
  {
    name: 'the watchdog is always fed',
    file: 'daemon/src/node/standing.ts',
    find: 'return this.#isQuorate || (!isLost && this.#hasHeldLately);',
    replace: 'return true;',
    seeds: 600,
    took: 223,
  },
  {
    name: "a watchdog's silence proves at once that it has fired",
    file: 'stonith/src/operation.ts',
    find: "this.#timer('watchdog', this.#around().watchdogMs);",
    replace: "this.#timer('watchdog', 1);",
    seeds: 600,
    took: 5,
  },
  {
    name: "the arbiter's vote outlasts its lease",
    file: 'messaging/src/standing.ts',
    find: 'this.#deviceUntil = sameTag(view, this.#deviceView) ? Math.max(this.#deviceUntil, until) : until;',
    replace:
      'this.#deviceUntil = 20_000 + (sameTag(view, this.#deviceView) ? Math.max(this.#deviceUntil - 20_000, until) : until);',
    seeds: 1000,
    took: 134,
  },
  {
    name: 'what a node leaves running in maintenance is forgotten',
    file: 'crm/src/status/node-state.ts',
    find: "down('down', mayRun)",
    replace: "down('down', () => false)",
    seeds: 1000,
    took: 15,
  },
  {
    name: 'a failure told before the join is undone by it',
    file: 'crm/src/controller.ts',
    find: 'if (join !== undefined) this.#outbox.post(join, this.#effects, true);',
    replace: 'if (join !== undefined) this.#outbox.post(join, this.#effects);',
    seeds: 1500,
    took: 205,
  },
  {
    name: 'no-quorum-policy=fence only stops',
    file: 'crm/src/controller.ts',
    find: "if (state === 'lost' && before !== 'lost' && !this.#leaving.isUnderWay) this.#resetIfPolicySaysSo();",
    replace: '',
    seeds: 300,
    took: 37,
  },
  {
    name: 'a view does not wait for the arbiter',
    file: 'messaging/src/standing.ts',
    find: 'export const deviceWaitMs = 2000;',
    replace: 'export const deviceWaitMs = 0;',
    seeds: 1000,
    took: 170,
  },
  {
    name: 'a result is entered for the node that hears of it',
    file: 'crm/src/controller.ts',
    find: 'const applied = applyMessage(before, from, message);',
    replace: "const applied = applyMessage(before, message.type === 'result' ? this.#options.self : from, message);",
    seeds: 30,
    took: 1,
  },
];
