/**
 * Deliberately broken variants of the engine, each of which a law or a directed scenario must catch. `find` stands
 * exactly once in its file; where it does not any more, the list has to follow the code.
 */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Random seeds up to so many, or the test file and a part of the name of the test that must fail. */
  readonly killedBy: { readonly seeds: number } | { readonly test: string; readonly name: string };
}

export const mutants: readonly Mutant[] = [
  {
    name: 'the cut is the least of what members have',
    file: 'attempt.ts',
    find: 'let cut = holders.reduce((most, { received }) => Math.max(most, received), 0);',
    replace:
      'let cut = holders.reduce((least, { received }) => Math.min(least, received), Infinity); if (cut >= 0) return cut;',
    killedBy: { seeds: 40 },
  },
  {
    name: 'a view is activated when two have installed it',
    file: 'attempt.ts',
    find: "if (this.#done.size === this.members.length) this.phase = 'done';",
    replace: "if (this.#done.size >= Math.min(2, this.members.length)) this.phase = 'done';",
    killedBy: { seeds: 40 },
  },
  {
    name: 'each member judges for itself who left in order',
    file: 'departures.ts',
    find: "cause: this.#isAgreed(node, incarnation, left) ? 'left' : this.#observed(node, incarnation),",
    replace: 'cause: this.#cause(node, incarnation),',
    killedBy: { test: 'views', name: 'a member that does not hear the leaver' },
  },
  {
    name: 'leaving is remembered by node, not by its life',
    file: 'evaluation.ts',
    find: 'return this.#at.leaving.get(peer.node) === peer.incarnation;',
    replace: 'return this.#at.leaving.has(peer.node);',
    killedBy: { test: 'pitfalls', name: 'P2:' },
  },
  {
    name: 'a safe message does not wait for all members',
    file: 'order.ts',
    find: "if (entry.service === 'agreed' || !entry.last) return true;",
    replace: "if (entry.service !== 'durable' || !entry.last) return true;",
    killedBy: { seeds: 40 },
  },
  {
    name: 'a durable message does not wait for the disks',
    file: 'order.ts',
    find: "return sequence <= this.stable && (entry.service === 'safe' || sequence <= this.durable);",
    replace: 'return sequence <= this.stable;',
    killedBy: { seeds: 40 },
  },
  {
    name: 'a frozen node learns marks from heartbeats',
    file: 'order.ts',
    find: 'if (this.frozen || !this.active || this.isSequencer) return;\n    if (highest',
    replace: 'if (!this.active || this.isSequencer) return;\n    if (highest',
    killedBy: { test: 'pitfalls', name: 'P5:' },
  },
  {
    name: 'a node goes on in its view after it promised to another',
    file: 'promising.ts',
    find: 'this.#present.order.frozen = true;\n    this.#standing.freeze();',
    replace: 'this.#standing.freeze();',
    killedBy: { seeds: 40 },
  },
  {
    name: 'an equal number of another initiator is promised to',
    file: 'objections.ts',
    find: 'if (tag.number <= promisedNumber ||',
    replace: 'if (tag.number < promisedNumber ||',
    killedBy: { test: 'pitfalls', name: 'P3:' },
  },
  {
    name: 'a lost activation is not made up for when the view ends',
    file: 'present-view.ts',
    find: 'if (!this.active && cut > 0) this.#activateLate();',
    replace: '',
    killedBy: { test: 'pitfalls', name: 'P6:' },
  },
  {
    name: 'a lost activation is not learned from heartbeats',
    file: 'membership.ts',
    find: 'if (frame.active && !this.active) this.activate();',
    replace: '',
    killedBy: { test: 'pitfalls', name: 'P4:' },
  },
  {
    name: "a node's own pause is held against the others",
    file: 'engine.ts',
    find: 'if (peer.lastHeard !== never) peer.lastHeard = Math.min(now, peer.lastHeard + gap);',
    replace: '',
    killedBy: { test: 'detection', name: 'without any mail' },
  },
  {
    name: 'announced stalls are ignored',
    file: 'peers.ts',
    find: 'if (stall > 0) limit = Math.max(limit, 2 * stall + 2 * heartbeatMs);',
    replace: '',
    killedBy: { test: 'detection', name: 'of half a second' },
  },
  {
    name: 'silence that all confirm is waited on like a path fault',
    file: 'evaluation.ts',
    find: 'return heardLately ? timing.partialMs : 0;',
    replace: 'return timing.partialMs;',
    killedBy: { test: 'detection', name: 'of one of' },
  },
  {
    name: 'nodes lost together are put out one by one',
    file: 'evaluation.ts',
    find: 'if (wavering) hold = Math.max(',
    replace: 'if (wavering && hold < 0) hold = Math.max(',
    killedBy: { test: 'pitfalls', name: 'P14:' },
  },
  {
    name: 'members are taken from views whose others stay behind',
    file: 'target.ts',
    find: 'if (bereft === 0) continue;',
    replace: 'if (bereft === 0 || bereft !== 0) continue;',
    killedBy: { test: 'pitfalls', name: 'P8:' },
  },
  {
    name: 'the lease is ignored',
    file: 'standing.ts',
    find: 'if (!this.#core.policy.enough(nodes, this.memory, this.#deviceGranted, decision)) {',
    replace: 'if (nodes.length === 0) {',
    killedBy: { seeds: 40 },
  },
  {
    name: 'a view counts itself alone at once',
    file: 'standing.ts',
    find: 'Math.ceil(1.01 * leaseMs) + 50',
    replace: '0 * leaseMs',
    killedBy: { seeds: 40 },
  },
  {
    name: 'messages without a place are forgotten when the view ends',
    file: 'origin.ts',
    find: 'for (const { handle } of this.#queue.slice(this.#head)) if (handle !== undefined) this.#reject(handle);',
    replace: '',
    killedBy: { seeds: 40 },
  },
  {
    name: "frames of another view's order are taken",
    file: 'routing.ts',
    find: '!sameTag(frame.view, membership.view.tag) ||',
    replace: '',
    killedBy: { seeds: 40 },
  },
  {
    name: 'submissions are ordered as they come',
    file: 'sequencer.ts',
    find: 'intake.early.set(entry.local, entry);',
    replace: 'intake.early.set(intake.next, entry); if (entry.local < intake.next) continue;',
    killedBy: { seeds: 40 },
  },
  {
    name: 'the disk is not waited for before durability is acknowledged',
    file: 'order.ts',
    find: 'return Math.min(this.acknowledged, first === undefined ? this.log.received : first - 1);',
    replace: 'return first === -1 ? 0 : this.acknowledged;',
    killedBy: { seeds: 40 },
  },
  {
    name: 'a change of the base is acknowledged before it is saved',
    file: 'order.ts',
    find: 'return first === undefined ? this.log.received : Math.min(this.log.received, first - 1);',
    replace: 'return first === -1 ? 0 : this.log.received;',
    killedBy: { test: 'standing', name: 'before it is saved' },
  },
  {
    name: 'a counter may come twice',
    file: 'replay-window.ts',
    find: 'if (counter < 1) return false;',
    replace: 'if (counter > 0) return true;',
    killedBy: { test: 'door', name: 'each kind' },
  },
  {
    name: 'a session needs no proof',
    file: 'door.ts',
    find: 'proven: peer.proven,',
    replace: 'proven: (peer.proven = true),',
    killedBy: { test: 'door', name: 'played to a restarted one' },
  },
  {
    name: 'an earlier life is let in',
    file: 'door.ts',
    find: 'if (prefix.incarnation < peer.incarnation) {',
    replace: 'if (prefix.incarnation < 0) {',
    killedBy: { test: 'door', name: 'a datagram of an earlier incarnation' },
  },
  {
    name: "the coordinator's own messages come first",
    file: 'sequencer.ts',
    find: 'const rank = this.#turn % this.#intakes.length;',
    replace:
      'const rank = this.#intakes.findIndex(({ queue, head }) => head < queue.length) < 0 ? 0 : this.#intakes.findIndex(({ queue, head }) => head < queue.length);',
    killedBy: { test: 'order', name: 'share the window' },
  },
];
