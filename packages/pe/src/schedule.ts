/**
 * The policy engine's pipeline, in order. Each stage is a function of what the stages before it returned; none changes
 * what it was given, and nothing but `cib` and `now` comes from outside.
 *
 *   readSituation(cib, now)              status/, expand/, config/, options.ts   what is there, and in which state
 *   readConstraints(situation)           constraints/    locations, colocations, orders, tickets, sets, tags resolved
 *   assign(situation, constraints)       assign/         scores; which instance goes to which node, in which role
 *   planActions(situation, constraints, assignment)
 *                                        actions/        what must be done: start, stop, probe, monitor, fence, …
 *   orderActions(…)                      graph/          what must wait for what; optional and unrunnable actions
 *   buildTransition(…)                   graph/          the graph that is carried out
 *   summarize, explain                   summary/, explain.ts   the same in words
 *
 * Who holds what: a stage that needs to remember something about a node or an instance keeps an array indexed by
 * `node.index` or `instance.index`, or a Map keyed by the object, and returns it. The Situation stays as it was read,
 * so that "before" and "after" can be compared and a decision can be explained from its inputs.
 */
export {};
