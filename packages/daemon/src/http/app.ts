/**
 * The daemon's interface over HTTP. It decides nothing: it checks what comes in, asks the node, and says what came of it.
 * Whatever concerns the CIB goes through the caller's door (`door.ts`), which knows what he may.
 */
import type { IncomingMessage } from 'node:http';
import {
  type AttributesRequest,
  type ChangeRequest,
  checkRequest,
  type CleanUpRequest,
  type ConfirmRequest,
  type DeviceRequest,
  type ErrorBody,
  type FenceRequest,
  type NetworkRequest,
  type ReplaceRequest,
  type RequestKind,
  type RotateKeyRequest,
  routes,
  statusOfCode,
  type UndoRequest,
} from '@systole/api';
import { applyChange, type Change, type Cib, diff } from '@systole/cib';
import { checkCib, checkConfiguration } from '@systole/cib/schema';
import type { Answer } from '@systole/crm';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import { type NodeRequest, readQuestion } from '../node/index.ts';
import type { Backend } from './backend.ts';
import { Door } from './door.ts';
import { unpack } from './gathered.ts';
import { readCall, runAgentCommand, writeSaid } from '../agent-commands/run.ts';

/** The largest request: a configuration of several thousand resources is a few megabytes. */
const bodyBytesMax = 32 * 1024 * 1024;
const waitMaxMs = 24 * 3_600_000;
const deviceTimeoutMs = 60_000;

type Environment = {
  /** As the server hands it over; nothing where there is no socket. */
  Bindings: { readonly incoming?: IncomingMessage };
  Variables: { readonly door: Door };
};

export type App = Hono<Environment>;
type AppContext = Context<Environment>;

export function createApp(backend: Backend): App {
  const app: App = new Hono<Environment>();
  const { node } = backend;

  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (context) =>
        refuse(context, { ok: false, code: 'invalid', message: `a request has at most ${bodyBytesMax} bytes` }),
    }),
  );
  app.onError((error, context) => refuse(context, { ok: false, code: 'failed', message: error.message }));
  app.notFound((context) =>
    refuse(context, { ok: false, code: 'notFound', message: `there is no ${context.req.path}` }),
  );

  app.use(async (context, next) => {
    const claimed = (context.req.header('x-systole-user') ?? 'unknown').slice(0, 64);
    context.set(
      'door',
      new Door(
        backend,
        await backend.identify((context.env as Partial<Environment['Bindings']> | undefined)?.incoming, claimed),
      ),
    );
    await next();
  });
  /** For those who may read everything: what is told there is of all parts at once. */
  const readers =
    (what: string, answer: (context: AppContext) => Response | Promise<Response>) =>
    (context: AppContext): Response | Promise<Response> => {
      const refused = context.var.door.refusalToReadAll(what);
      return refused === undefined ? answer(context) : refuse(context, refused);
    };

  app.get(routes.status, (context) => context.json(context.var.door.status()));
  app.get(routes.cib, (context) => context.json({ cib: context.var.door.cib() }));
  app.get(
    routes.configurations,
    readers('read the history of changes', (context) =>
      context.json({
        configurations: node.controller.replica.state.records.map(({ inverse: _inverse, ...row }) => row),
      }),
    ),
  );
  app.get(routes.configurationAt, (context) => {
    const earlier = node.controller.replica.configurationAt(Number(context.req.query('epoch') ?? -1));
    return earlier.ok
      ? context.json({ configuration: context.var.door.earlier(earlier.value) })
      : refuse(context, { ok: false, code: 'notFound', message: earlier.error });
  });
  app.get(routes.messaging, (context) => context.json(messaging(backend)));
  app.post(routes.recordMessaging, async (context) => {
    const { door } = context.var;
    const refused = door.refusal({ type: 'all', right: 'read', what: 'record what messaging does' });
    return refused === undefined ? context.json({ path: await backend.recordMessaging() }) : refuse(context, refused);
  });
  app.get(routes.quorum, (context) => {
    const { quorum, memory } = node.messagingStatus(backend.now());
    return context.json({ ...quorum, memory, names: names(backend) });
  });
  app.get(routes.network, (context) => context.json(node.network));
  app.post(routes.network, (context) =>
    withBody<NetworkRequest>(context, 'network', ({ change }) =>
      context.var.door.request({ type: 'changeNetwork', change }),
    ),
  );
  app.get(routes.keys, (context) => context.json(node.keyStatus));
  app.post(routes.rotateKey, (context) =>
    withBody<RotateKeyRequest>(context, 'rotateKey', ({ without = [] }) =>
      context.var.door.request({ type: 'rotateKey', without }),
    ),
  );
  app.get(
    routes.transitions,
    readers('read transitions', (context) => context.json({ transitions: node.controller.transitions.records })),
  );
  app.get(
    routes.fencingHistory,
    readers('read the history of fencing', (context) => context.json({ history: node.fencingHistory })),
  );
  app.get(routes.gather, async (context) => {
    const { what, transition, since } = context.req.query();
    const question = readQuestion({ what, transition, since: Number(since ?? 0) || 0 });
    if (question === undefined) {
      const message = 'what is events, files, inputs, or input with the id of a transition';
      return refuse(context, { ok: false, code: 'invalid', message });
    }
    return await answerWith(context, context.var.door.request({ type: 'gather', question }).then(unpack));
  });
  app.get(routes.metrics, async (context) => context.text(await backend.metrics()));

  app.post(routes.change, (context) =>
    withBody<ChangeRequest>(context, 'change', async ({ change, ifEpoch, command }) => {
      // Checked here, so that the cluster is never asked to agree on nonsense; decided again where it is delivered.
      const problem = checkChange(context.var.door, node.cib, change);
      if (problem !== undefined) return problem;
      return context.var.door.request({
        type: 'change',
        change,
        user: user(context),
        ...optional({ ifEpoch, command }),
      });
    }),
  );
  app.post(routes.replace, (context) =>
    withBody<ReplaceRequest>(context, 'replace', async ({ configuration, ifEpoch, command }) => {
      const checked = checkConfiguration(configuration);
      if (!checked.ok) return invalid(checked.error);
      const change = diff(node.cib, { ...node.cib, configuration: checked.value });
      return context.var.door.request({
        type: 'change',
        change,
        user: user(context),
        ...optional({ ifEpoch, command }),
      });
    }),
  );
  app.post(routes.undo, (context) =>
    withBody<UndoRequest>(context, 'undo', async ({ epoch }) => {
      const change = node.controller.replica.changeBackTo(epoch);
      if (!change.ok) return { ok: false, code: 'notFound', message: change.error };
      return context.var.door.request({
        type: 'change',
        change: change.value,
        user: user(context),
        command: `undo to ${epoch}`,
      });
    }),
  );
  app.post(routes.attributes, (context) =>
    withBody<AttributesRequest>(context, 'attributes', (request) =>
      context.var.door.request({ type: 'setAttributes', ...request }),
    ),
  );
  app.post(routes.cleanUp, (context) =>
    withBody<CleanUpRequest>(context, 'cleanUp', ({ isWhole = false, ...selection }) =>
      context.var.door.request({ type: 'cleanUp', isWhole, ...selection }),
    ),
  );
  app.post(routes.fence, (context) =>
    withBody<FenceRequest>(context, 'fence', ({ target, action = 'reboot' }) =>
      context.var.door.request({ type: 'fence', target, action, user: user(context) }),
    ),
  );
  app.post(routes.confirmDown, (context) =>
    withBody<ConfirmRequest>(context, 'confirm', ({ target }) =>
      context.var.door.request({ type: 'confirmDown', target, user: user(context) }),
    ),
  );
  app.post(routes.device, (context) =>
    withBody<DeviceRequest>(context, 'device', ({ timeoutMs = deviceTimeoutMs, ...request }) =>
      context.var.door.request({ type: 'askDevice', timeoutMs, ...request }),
    ),
  );
  app.get(routes.devices, (context) =>
    answerWith(context, context.var.door.request({ type: 'findDevices', target: context.req.query('target') ?? '' })),
  );
  app.post(`${routes.fencingHistory}/clean`, (context) => {
    const target = context.req.query('target');
    return answerWith(context, context.var.door.request({ type: 'cleanFencingHistory', ...optional({ target }) }));
  });
  app.post(routes.agentCommand, async (context) => {
    const call = readCall(new Uint8Array(await context.req.arrayBuffer()));
    if (!call.ok) return refuse(context, { ok: false, code: 'invalid', message: call.error });
    const said = await runAgentCommand(call.value, {
      self: node.self,
      cib: context.var.door.cib(),
      isQuorate: node.controller.state.quorum === 'held',
      isCurrent: /^(?:dc\.|following)/.test(node.controller.state.state),
      status: () => context.var.door.status(),
      request: (request) => context.var.door.request(request),
    });
    return context.text(writeSaid(said));
  });
  app.post(routes.quorumProceed, (context) => answerWith(context, context.var.door.request({ type: 'quorumProceed' })));
  app.post(routes.quorumForce, (context) => answerWith(context, context.var.door.request({ type: 'quorumForce' })));
  app.post(routes.shutDown, (context) => {
    const { door } = context.var;
    const what = `stop the daemon of ${node.self}`;
    const refused = door.refusal({ type: 'all', right: 'write', what });
    if (refused !== undefined) return refuse(context, refused);
    backend.record('info', 'access.used', `${door.caller.user}: ${what}`, { user: door.caller.user });
    backend.shutDown();
    return context.json({});
  });

  app.get(routes.wait, async (context) => {
    const timeout = Math.min(waitMaxMs, Math.max(0, Number(context.req.query('timeout') ?? 30_000) || 0));
    return context.json({ isIdle: await untilIdle(backend, timeout, context.req.raw.signal) });
  });
  app.get(
    routes.events,
    readers('read events', (context) =>
      context.json({ events: backend.events.from(Number(context.req.query('since') ?? 0) || 0) }),
    ),
  );
  app.get(
    routes.eventStream,
    readers('read events', (context) =>
      streamSSE(context, async (stream) => {
        const gone = Promise.withResolvers<void>();
        const stop = backend.events.listen((row) => {
          void stream.writeSSE({ event: row.event, id: String(row.number), data: JSON.stringify(row) });
        });
        stream.onAbort(() => gone.resolve());
        await gone.promise;
        stop();
      }),
    ),
  );
  return app;
}

/** Why a change cannot be made now. */
function checkChange(door: Door, cib: Cib, change: Change): Answer | undefined {
  const applied = applyChange(cib, change);
  if (!applied.ok) return door.conflict(change);
  const refused = door.refusal({ type: 'change', after: applied.value });
  if (refused !== undefined) return refused;
  const checked = checkCib(applied.value);
  return checked.ok ? undefined : invalid(checked.error);
}

/** Waits for the answer to be true of the node that was asked; every turn is a chance. */
async function untilIdle({ node, afterTurn }: Backend, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  if (node.controller.state.isSettled) return true;
  const done = Promise.withResolvers<boolean>();
  const stop = afterTurn(() => {
    if (node.controller.state.isSettled) done.resolve(true);
  });
  const timer = setTimeout(() => done.resolve(false), timeoutMs);
  signal.addEventListener('abort', () => done.resolve(false));
  try {
    return await done.promise;
  } finally {
    stop();
    clearTimeout(timer);
  }
}

const names = ({ node, now }: Backend): Readonly<Record<string, string>> => {
  const { view, node: self, peers } = node.messagingStatus(now());
  const ids = [self, ...peers.map((peer) => peer.node), ...view.members.map((member) => member.node)];
  return Object.fromEntries(ids.map((id) => [String(id), node.nodeName(id) ?? `#${id}`]));
};

const messaging = (backend: Backend): Readonly<Record<string, unknown>> => ({
  ...backend.node.messagingStatus(backend.now()),
  names: names(backend),
});

async function withBody<T>(
  context: AppContext,
  kind: RequestKind,
  act: (request: T) => Promise<Answer>,
): Promise<Response> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch (error) {
    return refuse(context, {
      ok: false,
      code: 'invalid',
      message: `the request is no JSON: ${(error as Error).message}`,
    });
  }
  const checked = checkRequest<T>(kind, body);
  if (!checked.ok) return refuse(context, { ok: false, code: 'invalid', message: checked.error });
  return answerWith(context, act(checked.value));
}

async function answerWith(context: AppContext, answered: Promise<Answer>): Promise<Response> {
  const answer = await answered;
  return answer.ok ? context.json(answer.value as object) : refuse(context, answer);
}

function refuse(context: AppContext, { code, message, details }: Extract<Answer, { ok: false }>): Response {
  const body: ErrorBody = { error: { code, message, ...(details === undefined ? {} : { details }) } };
  return context.json(body, statusOfCode[code]);
}

const invalid = (problems: readonly { readonly path: string; readonly message: string }[]): Answer => ({
  ok: false,
  code: 'invalid',
  message: problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
  details: { problems },
});

/** Who says so, for the histories. */
const user = (context: AppContext): string => context.var.door.caller.user;

/** Without the fields that are undefined. */
const optional = <T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };

export type { NodeRequest };
