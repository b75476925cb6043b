/**
 * What one caller may ask of this node. With `enable-acl=true` everything that he sees and wants goes through the
 * permissions of the configuration (`@systole/cib`, acl); without it, who may open the socket may do everything. Root
 * and the cluster's own user are never bound. Deeds and refusals are told with the name of who asked.
 */
import type { StatusReport } from '@systole/api';
import {
  applyChange,
  type Change,
  type Cib,
  isAclEnabled,
  judge,
  readableCib,
  refusalText,
  type Wish,
} from '@systole/cib';
import type { Answer } from '@systole/crm';
import type { NodeRequest, Question } from '../node/index.ts';
import type { Backend } from './backend.ts';
import { statusReport } from './status.ts';

/** Who asks, as the kernel says (`docs/decisions/0006-who-is-asking.md`). */
export interface Caller {
  readonly user: string;
  readonly groups: readonly string[];
  /** Root, the daemon's own user, the cluster's user: no permission binds them. */
  readonly isPrivileged: boolean;
  /** Why nobody can say who it is; he then has no rights while permissions are enforced. */
  readonly problem?: string;
}

export class Door {
  readonly caller: Caller;
  readonly #backend: Backend;

  constructor(backend: Backend, caller: Caller) {
    this.#backend = backend;
    this.caller = caller;
  }

  /** Permissions count for this caller. */
  get isBound(): boolean {
    return !this.caller.isPrivileged && isAclEnabled(this.#backend.node.cib.configuration);
  }

  /** The CIB as he may see it. */
  cib(): Cib {
    const { cib } = this.#backend.node;
    return this.isBound ? readableCib(cib, this.caller) : cib;
  }

  /** An earlier configuration, by the permissions of today. */
  earlier(configuration: Cib['configuration']): Cib['configuration'] {
    const { cib } = this.#backend.node;
    if (!this.isBound) return configuration;
    return readableCib({ ...cib, configuration }, this.caller, cib.configuration.acls).configuration;
  }

  /** The refusal, unless he may. */
  refusal(wish: Wish): Extract<Answer, { ok: false }> | undefined {
    if (!this.isBound) return undefined;
    const refused = judge(this.#backend.node.cib, this.caller, wish);
    if (refused === undefined) return undefined;
    const { problem, user } = this.caller;
    const message = problem === undefined ? refusalText(this.caller, refused) : problem;
    this.#backend.record('warn', 'access.refused', message, { user });
    return { ok: false, code: 'permission', message, details: { user, ...refused } };
  }

  /** For what tells of all parts at once: events, transitions, the history of changes. */
  refusalToReadAll(what: string): Extract<Answer, { ok: false }> | undefined {
    return this.refusal({ type: 'all', right: 'read', what });
  }

  /** The status, with the nodes and resources that he may read. */
  status(): StatusReport {
    const report = statusReport(this.#backend);
    if (!this.isBound || judge(this.#backend.node.cib, this.caller, readAll) === undefined) return report;
    const { configuration, status } = this.cib();
    const known = new Set(idsIn(configuration.resources));
    const nodes = new Set([
      ...configuration.nodes.map(({ name }) => name),
      ...status.nodes.flatMap(({ name }) => (name === undefined ? [] : [name])),
    ]);
    const isKnown = (id: string): boolean => known.has(id.replace(/:\d+$/, ''));
    return {
      ...report,
      nodes: report.nodes.filter(({ name }) => nodes.has(name)),
      resources: report.resources.filter(({ id }) => isKnown(id)),
      failures: report.failures.filter(({ resource }) => isKnown(resource)),
      fencing: report.fencing.filter(({ target }) => nodes.has(target)),
      messages: [
        { level: 'warning', text: `${this.caller.user} is shown only what the roles allow; there may be more` },
      ],
    };
  }

  /** Why a change does not fit the CIB. Who is bound by permissions learns where, but not what is there. */
  conflict(change: Change): Extract<Answer, { ok: false }> | undefined {
    const applied = applyChange(this.#backend.node.cib, change);
    if (applied.ok) return undefined;
    const path = applied.error[0]?.path ?? '?';
    if (this.isBound && applyChange(this.cib(), change).ok) {
      const message = `${this.caller.user} may not change ${path}, of which the roles do not show all`;
      this.#backend.record('warn', 'access.refused', message, { user: this.caller.user });
      return { ok: false, code: 'permission', message };
    }
    const message = `the configuration has changed since: ${path} is not what the change expects`;
    return { ok: false, code: 'conflict', message, ...(this.isBound ? {} : { details: { conflicts: applied.error } }) };
  }

  async request(request: NodeRequest): Promise<Answer> {
    const misfit = this.isBound && request.type === 'change' ? this.conflict(request.change) : undefined;
    if (misfit !== undefined) return misfit;
    const wish = this.#wishOf(request);
    const refused = wish && this.refusal(wish);
    if (refused !== undefined) return refused;
    if (noted.has(request.type)) {
      const { user } = this.caller;
      this.#backend.record('info', 'access.used', `${user}: ${wordsOf(request)}`, { user });
    }
    const answer = await this.#backend.request(request);
    if (answer.ok || answer.code !== 'conflict' || !this.isBound) return answer;
    return { ok: false, code: answer.code, message: answer.message };
  }

  /** Undefined if a change does not fit the CIB: then the node says so. */
  #wishOf(request: NodeRequest): Wish | undefined {
    switch (request.type) {
      case 'change': {
        const applied = applyChange(this.#backend.node.cib, request.change);
        return applied.ok ? { type: 'change', after: applied.value } : undefined;
      }
      case 'setAttributes':
        return { type: 'attributes', node: request.node, names: Object.keys(request.values) };
      case 'cleanUp': {
        const { resource, node } = request;
        return {
          type: 'cleanUp',
          ...(resource === undefined ? {} : { resource }),
          ...(node === undefined ? {} : { node }),
        };
      }
      case 'findDevices':
      case 'gather':
        return { type: 'all', right: 'read', what: wordsOf(request) };
      default:
        return { type: 'all', right: 'write', what: wordsOf(request) };
    }
  }
}

const readAll: Wish = { type: 'all', right: 'read', what: 'read all' };

/** Deeds that leave no user in the history of changes nor in that of fencing. */
const noted: ReadonlySet<NodeRequest['type']> = new Set([
  'cleanUp',
  'confirmDown',
  'cleanFencingHistory',
  'quorumProceed',
  'quorumForce',
  'rotateKey',
  'changeNetwork',
  'fence',
]);

const gatheredInWords: Readonly<Record<Question['what'], string>> = {
  events: 'read the events of all nodes',
  files: 'read the files of all nodes',
  inputs: 'read which inputs of decisions all nodes keep',
  input: 'read what a transition was decided from',
};

function wordsOf(request: NodeRequest): string {
  switch (request.type) {
    case 'change':
      return 'change the configuration';
    case 'setAttributes':
      return `set attributes of ${request.node}`;
    case 'cleanUp':
      return `clean up ${request.resource ?? 'all resources'}${request.node === undefined ? '' : ` on ${request.node}`}`;
    case 'fence':
      return `fence ${request.target} (${request.action})`;
    case 'confirmDown':
      return `declare that ${request.target} is down`;
    case 'askDevice':
      return `ask the fence device ${request.device}`;
    case 'findDevices':
      return `look for devices that fence ${request.target}`;
    case 'gather':
      return gatheredInWords[request.question.what];
    case 'cleanFencingHistory':
      return 'clean the history of fencing';
    case 'quorumProceed':
      return 'end the wait for absent nodes';
    case 'quorumForce':
      return 'let this partition act without the absent nodes';
    case 'changeNetwork':
      return 'change the links of the cluster';
    case 'rotateKey':
      return `change the cluster key${request.without.length === 0 ? '' : ` without ${request.without.join(', ')}`}`;
  }
}

const idsIn = (resources: Cib['configuration']['resources']): readonly string[] =>
  resources.flatMap((resource): readonly string[] => {
    switch (resource.kind) {
      case 'group':
        return [resource.id, ...idsIn(resource.members)];
      case 'clone':
        return [resource.id, ...idsIn([resource.member])];
      case 'bundle':
        return [resource.id, ...idsIn(resource.primitive === undefined ? [] : [resource.primitive])];
      default:
        return [resource.id];
    }
  });
