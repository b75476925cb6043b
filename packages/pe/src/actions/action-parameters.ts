/** The parameters of an action: the operation's own, then the resource's, evaluated for the node. */
import { findOperation } from '../config/operations.ts';
import { hasSameParametersEverywhere, operationParameters, parametersOn } from '../config/parameters.ts';
import type { Draft } from '../graph/draft.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { hostNameFor } from './history.ts';

type Parameters = Readonly<Record<string, string>>;

const nothing: Parameters = {};

export function actionParameters(plan: Plan): (draft: Draft) => Parameters {
  const known = new Map<Subject, Parameters>();
  return (draft) => {
    const { subject, node } = draft;
    if (subject === undefined || (node === undefined && !isPrimitive(subject))) return nothing;
    const own = node === undefined ? undefined : ownParameters(plan, draft, subject, node);
    if (own !== undefined || !hasSameParametersEverywhere(subject.of)) return collect(plan, subject, node, own);
    let found = known.get(subject);
    if (found === undefined) {
      found = collect(plan, subject, node, undefined);
      known.set(subject, found);
    }
    return found;
  };
}

/** Parameters that are configured for this operation alone. */
function ownParameters(
  plan: Plan,
  draft: Draft,
  subject: Subject,
  node: Node,
): ReadonlyMap<string, string> | undefined {
  if (!isPrimitive(subject)) return undefined;
  const config = findOperation(primitive(subject).operations, draft.madeAs, draft.intervalMs);
  if (config === undefined || config.source.parameters.length === 0) return undefined;
  return operationParameters(plan.situation, config.source.parameters, node);
}

function collect(
  plan: Plan,
  subject: Subject,
  node: Node | undefined,
  own: ReadonlyMap<string, string> | undefined,
): Parameters {
  const parameters = new Map<string, string>();
  const add = (name: string, value: string): void => {
    if (!/^\d/.test(name) && !parameters.has(name)) parameters.set(name, value); // a digit cannot begin the name of a variable
  };
  for (const [name, value] of own ?? []) add(name, value);
  const host = hostNameFor(plan, subject);
  if (host !== undefined) add('addr', host);
  for (const [name, value] of parametersOn(plan.situation, subject.of, node)) add(name, value);
  const address = subject.of.meta.get('external-ip');
  if (address !== undefined && isPrimitive(subject)) add('pcmk_external_ip', address);
  return Object.fromEntries(parameters);
}
