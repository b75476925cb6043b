/** Writes constraints. */
import type { Constraint, ResourceSet } from '../model/constraints.ts';
import { idOf, optionalBoolean, optionalScore, withComments, writeRule } from './write-attributes.ts';
import type { Output } from './writer.ts';

export function writeConstraint(constraint: Constraint): Output {
  const sets = (constraint.sets ?? []).map((set, index) => writeResourceSet(set, idOf(constraint.id, String(index))));
  const rules =
    constraint.kind === 'location'
      ? constraint.rules.map((rule, index) =>
          writeRule(rule, index === 0 ? idOf(constraint.id, 'rule') : idOf(constraint.id, 'rule', String(index))),
        )
      : [];
  const lifetime =
    constraint.lifetime === undefined
      ? []
      : [
          {
            name: 'lifetime',
            attributes: {},
            children: constraint.lifetime.map((rule, index) =>
              writeRule(rule, idOf(constraint.id, 'lifetime', String(index))),
            ),
          },
        ];
  return {
    ...element(constraint),
    ...withComments(constraint.comments),
    children: [...sets, ...rules, ...lifetime],
  };
}

function element(constraint: Constraint): Pick<Output, 'name' | 'attributes'> {
  switch (constraint.kind) {
    case 'location':
      return {
        name: 'rsc_location',
        attributes: {
          id: constraint.id,
          rsc: constraint.resource,
          'rsc-pattern': constraint.pattern,
          role: constraint.role,
          score: optionalScore(constraint.score),
          node: constraint.node,
          'resource-discovery': constraint.discovery,
        },
      };
    case 'colocation':
      return {
        name: 'rsc_colocation',
        attributes: {
          id: constraint.id,
          score: optionalScore(constraint.score),
          rsc: constraint.dependent,
          'rsc-role': constraint.dependentRole,
          'rsc-instance': constraint.dependentInstance,
          'with-rsc': constraint.primary,
          'with-rsc-role': constraint.primaryRole,
          'with-rsc-instance': constraint.primaryInstance,
          'node-attribute': constraint.nodeAttribute,
          influence: optionalBoolean(constraint.influence),
        },
      };
    case 'order':
      return {
        name: 'rsc_order',
        attributes: {
          id: constraint.id,
          kind: constraint.orderKind,
          score: optionalScore(constraint.score),
          first: constraint.first,
          'first-action': constraint.firstAction,
          'first-instance': constraint.firstInstance,
          then: constraint.then,
          'then-action': constraint.thenAction,
          'then-instance': constraint.thenInstance,
          symmetrical: optionalBoolean(constraint.symmetrical),
          'require-all': optionalBoolean(constraint.requireAll),
        },
      };
    case 'ticket':
      return {
        name: 'rsc_ticket',
        attributes: {
          id: constraint.id,
          ticket: constraint.ticket,
          'loss-policy': constraint.lossPolicy,
          rsc: constraint.resource,
          'rsc-role': constraint.role,
        },
      };
  }
}

function writeResourceSet(set: ResourceSet, fallbackId: string): Output {
  return {
    name: 'resource_set',
    attributes: {
      id: set.idRef === undefined ? (set.id ?? fallbackId) : set.id,
      'id-ref': set.idRef,
      sequential: optionalBoolean(set.sequential),
      'require-all': optionalBoolean(set.requireAll),
      ordering: set.ordering,
      action: set.action,
      role: set.role,
      score: optionalScore(set.score),
      kind: set.kind,
    },
    children: set.members.map((id) => ({ name: 'resource_ref', attributes: { id } })),
  };
}
