/**
 * The node's own file: what this machine alone can know. Everything about resources is in the CIB.
 *
 * YAML, so JSON too. The schema below is the authority; `docs/configuration.md` says the same in prose. Durations are in
 * milliseconds where a number is written and may carry a unit (`10s`) where text is.
 */
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { hostname } from 'node:os';
import { fail, ok, parseDuration, type Result } from '@systole/kernel';
import { type Timing, timingProfiles } from '@systole/messaging';
import { disksMax } from '@systole/stonith';
import { Ajv, type ErrorObject } from 'ajv';
import { type Static, Type } from 'typebox';
import { LineCounter, parseDocument } from 'yaml';
import { type InputBounds, inputBounds } from './host/policy-inputs.ts';

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1, maxLength: 4096 });
const nodeName = Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$', maxLength: 64 });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });
const duration = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]+ *(ms|s|sec|m|min|h)?$' })]);

const link = Type.Object(
  {
    /** Its number, the same on all nodes; its place in the list unless given. */
    id: Type.Optional(Type.Integer({ minimum: 0, maximum: 7 })),
    /** This node's address on the link, or the interface whose first address it is. Exactly one of the two. */
    address: Type.Optional(text),
    interface: Type.Optional(text),
    /** The group that all nodes of the link join. */
    multicast: Type.Optional(text),
    /** Addresses of the other nodes, `host` or `host:port`, where multicast is not to be had. */
    peers: Type.Optional(Type.Array(text, { maxItems: 32 })),
    port: Type.Optional(port),
    /** How many routers a datagram may pass. */
    ttl: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    /** Higher is used first. */
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    mtu: Type.Optional(Type.Integer({ minimum: 576, maximum: 65_535 })),
    mode: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('multicast'), Type.Literal('unicast')])),
    /** Several nodes run on this host, as in development. */
    loopback: Type.Optional(Type.Boolean()),
  },
  strict,
);

const tieBreaker = Type.Union([Type.Literal('lowest'), Type.Literal('highest'), Type.Array(nodeName, { minItems: 1 })]);

const schema = Type.Object(
  {
    cluster: Type.String({ minLength: 1, maxLength: 64 }),
    node: Type.Optional(nodeName),
    nodes: Type.Optional(Type.Array(nodeName, { maxItems: 32 })),
    state: Type.Optional(text),
    run: Type.Optional(text),
    key: Type.Optional(text),
    links: Type.Array(link, { minItems: 1, maxItems: 8 }),
    link_mode: Type.Optional(Type.Union([Type.Literal('passive'), Type.Literal('active'), Type.Literal('rotate')])),
    timing: Type.Optional(
      Type.Object(
        {
          profile: Type.Optional(Type.Union([Type.Literal('lan'), Type.Literal('wan'), Type.Literal('custom')])),
          heartbeat: Type.Optional(duration),
          suspect: Type.Optional(duration),
          suspect_max: Type.Optional(duration),
        },
        strict,
      ),
    ),
    quorum: Type.Optional(
      Type.Object(
        {
          votes: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 255 }))),
          expected_votes: Type.Optional(Type.Integer({ minimum: 1 })),
          two_node: Type.Optional(Type.Boolean()),
          wait_for_all: Type.Optional(Type.Boolean()),
          auto_tie_breaker: Type.Optional(Type.Union([Type.Literal(false), tieBreaker])),
          last_man_standing: Type.Optional(Type.Boolean()),
          last_man_standing_window: Type.Optional(duration),
          allow_downscale: Type.Optional(Type.Boolean()),
          /** A vote outside the nodes: one of `arbiter`, `disk` and `http`. */
          device: Type.Optional(
            Type.Object(
              {
                /** Arbiters on third sites, of which a majority must agree: `host` or `host:port`, the port 5416 unless given. */
                arbiter: Type.Optional(Type.Array(text, { minItems: 1, maxItems: 5 })),
                /** A disk that all nodes share: a block device. */
                disk: Type.Optional(text),
                /** An object on a server that compares and swaps by ETag. */
                http: Type.Optional(Type.String({ pattern: '^https?://', maxLength: 4096 })),
                /** File with the token that the server wants. */
                http_token: Type.Optional(text),
                algorithm: Type.Optional(Type.Union([Type.Literal('ffsplit'), Type.Literal('last_man_standing')])),
                votes: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
                tie_breaker: Type.Optional(tieBreaker),
                /** Programs with their arguments: a part whose programs all succeed is preferred. */
                heuristics: Type.Optional(Type.Array(Type.Array(text, { minItems: 1 }), { maxItems: 16 })),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
    ),
    agents: Type.Optional(Type.Array(text, { maxItems: 64 })),
    api: Type.Optional(
      Type.Object(
        {
          socket: Type.Optional(text),
          /** Members of this group may use the socket beside root. */
          group: Type.Optional(text),
        },
        strict,
      ),
    ),
    /** Real-time scheduling of messaging's thread. */
    realtime: Type.Optional(Type.Boolean()),
    watchdog: Type.Optional(text),
    /** The countdown to set, where the disks do not say. */
    watchdog_timeout: Type.Optional(duration),
    /** Shared disks through which this node can be told to die, as with sbd. */
    disks: Type.Optional(
      Type.Object(
        {
          devices: Type.Array(text, { minItems: 1, maxItems: disksMax }),
          /** `clean`: a node that was told to die does not start until its message is cleared. */
          start: Type.Optional(Type.Union([Type.Literal('always'), Type.Literal('clean')])),
          /** Without a watchdog: what the node does to itself when it cannot read its disks. */
          timeout_action: Type.Optional(
            Type.Union([Type.Literal('reboot'), Type.Literal('off'), Type.Literal('crashdump')]),
          ),
        },
        strict,
      ),
    ),
    /** What the policy engine decided from, kept on the node that led: so many, and so many bytes together. */
    policy_inputs: Type.Optional(
      Type.Object(
        {
          count: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
          bytes: Type.Optional(Type.Integer({ minimum: 65_536, maximum: 17_179_869_184 })),
        },
        strict,
      ),
    ),
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Optional(
            Type.Union(['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => Type.Literal(level))),
          ),
        },
        strict,
      ),
    ),
    message_max: Type.Optional(Type.Integer({ minimum: 65_536, maximum: 16_777_216 })),
  },
  strict,
);

/** What is accepted, for the documentation's test. */
export const configurationSchema: object = schema;

type Written = Static<typeof schema>;

/** A link with its defaults filled in. */
export interface LinkSettings {
  readonly id: number;
  readonly address?: string;
  readonly interface?: string;
  readonly multicast?: string;
  readonly peers: readonly string[];
  readonly port: number;
  readonly ttl: number;
  readonly priority: number;
  readonly mtu: number;
  readonly mode: 'auto' | 'multicast' | 'unicast';
  readonly isLoopback: boolean;
}

/** Disks with their defaults filled in. */
export interface DiskSettings {
  readonly devices: readonly string[];
  readonly start: 'always' | 'clean';
  readonly timeoutAction: 'reset' | 'off' | 'crashdump';
}

export interface DaemonConfiguration {
  readonly cluster: string;
  readonly node: string;
  readonly nodes: readonly string[];
  readonly state: string;
  readonly run: string;
  readonly key: string;
  readonly links: readonly LinkSettings[];
  readonly linkMode: 'passive' | 'active' | 'rotate';
  readonly timing: Timing;
  readonly quorum: NonNullable<Written['quorum']>;
  readonly agents: readonly string[];
  readonly socket: string;
  readonly socketGroup?: string;
  readonly isRealtime: boolean;
  readonly watchdog?: string;
  readonly watchdogS?: number;
  readonly disks?: DiskSettings;
  readonly policyInputs: InputBounds;
  readonly logLevel: string;
  readonly messageBytesMax: number;
}

const ajv = new Ajv({ allErrors: true });
const validate = ajv.compile(schema);

/** Reads a file's content; `path` is for messages and for relative paths in it. Fails with every problem at once. */
export function readConfiguration(content: string, path: string): Result<DaemonConfiguration, readonly string[]> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) return fail([`${path}:${lines.linePos(broken.pos[0]).line}: ${broken.message}`]);
  const written: unknown = document.toJS();
  if (!validate(written)) {
    const at = (error: ErrorObject): string => {
      const keys = error.instancePath
        .split('/')
        .slice(1)
        .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
      const range = (document.getIn(keys, true) as { range?: readonly number[] } | undefined)?.range;
      return range?.[0] === undefined ? path : `${path}:${lines.linePos(range[0]).line}`;
    };
    return fail((validate.errors ?? []).map((error) => `${at(error)}: ${describe(error)}`));
  }
  return complete(written, path);
}

function describe({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath === '' ? 'the file' : instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties') {
    return `${where} has no setting ${JSON.stringify((params as { additionalProperty: string }).additionalProperty)}`;
  }
  return `${where} ${message ?? 'is not valid'}`;
}

function complete(written: Written, path: string): Result<DaemonConfiguration, readonly string[]> {
  const problems: string[] = [];
  const here = dirname(resolve(path));
  const absolute = (given: string): string => (isAbsolute(given) ? given : join(here, given));
  const node = written.node ?? hostname().replace(/\..*/, '');
  const nodes = [...new Set([...(written.nodes ?? []), node])];
  const run = absolute(written.run ?? '/run/systole');
  const links = written.links.map((one, index) => {
    if ((one.address === undefined) === (one.interface === undefined)) {
      problems.push(`${path}: links.${index} needs an address or an interface, and not both`);
    }
    if (one.multicast === undefined && one.peers === undefined) {
      problems.push(`${path}: links.${index} needs a multicast group or peers`);
    }
    return linkSettings(one, index);
  });
  if (new Set(links.map(({ id }) => id)).size !== links.length) problems.push(`${path}: two links have the same id`);
  const device = written.quorum?.device;
  const kinds = device && [device.arbiter, device.disk, device.http].filter((kind) => kind !== undefined);
  if (kinds !== undefined && kinds.length !== 1)
    problems.push(`${path}: quorum.device is one of arbiter, disk and http, and not several`);
  const timing = timingOf(written.timing ?? {}, path, problems);
  if (problems.length > 0) return fail(problems);
  const { group } = written.api ?? {};
  return ok({
    cluster: written.cluster,
    node,
    nodes,
    state: absolute(written.state ?? '/var/lib/systole'),
    run,
    key: absolute(written.key ?? '/etc/systole/key'),
    links,
    linkMode: written.link_mode ?? 'passive',
    timing,
    quorum: withAbsolutePaths(written.quorum ?? {}, absolute),
    agents: (written.agents ?? []).map(absolute),
    socket: written.api?.socket === undefined ? join(run, 'systole.sock') : absolute(written.api.socket),
    ...(group === undefined ? {} : { socketGroup: group }),
    isRealtime: written.realtime ?? true,
    ...(written.watchdog === undefined ? {} : { watchdog: written.watchdog }),
    ...(written.watchdog_timeout === undefined ? {} : { watchdogS: seconds(written.watchdog_timeout) }),
    ...(written.disks === undefined ? {} : { disks: diskSettings(written.disks) }),
    policyInputs: {
      countMax: written.policy_inputs?.count ?? inputBounds.countMax,
      bytesMax: written.policy_inputs?.bytes ?? inputBounds.bytesMax,
    },
    logLevel: (written.log?.level as string | undefined) ?? 'info',
    messageBytesMax: written.message_max ?? 16_777_216,
  });
}

/** Watchdogs count whole seconds, one at least. */
const seconds = (written: string | number): number => Math.max(1, Math.ceil((durationMs(written) ?? 0) / 1000));

function diskSettings({ devices, start, timeout_action }: NonNullable<Written['disks']>): DiskSettings {
  const action = timeout_action ?? 'reboot';
  return { devices, start: start ?? 'always', timeoutAction: action === 'reboot' ? 'reset' : action };
}

/** Paths of the device go from the file's folder, as all others. */
function withAbsolutePaths(
  quorum: DaemonConfiguration['quorum'],
  absolute: (path: string) => string,
): DaemonConfiguration['quorum'] {
  const { device } = quorum;
  if (device === undefined) return quorum;
  const { disk, http_token: token } = device;
  return {
    ...quorum,
    device: {
      ...device,
      ...(disk === undefined ? {} : { disk: absolute(disk) }),
      ...(token === undefined ? {} : { http_token: absolute(token) }),
    },
  };
}

function linkSettings(one: Static<typeof link>, index: number): LinkSettings {
  const { address, interface: device, multicast } = one;
  return {
    id: one.id ?? index,
    ...(address === undefined ? {} : { address }),
    ...(device === undefined ? {} : { interface: device }),
    ...(multicast === undefined ? {} : { multicast }),
    peers: one.peers ?? [],
    port: one.port ?? 5405,
    ttl: one.ttl ?? 1,
    priority: one.priority ?? 0,
    mtu: one.mtu ?? 1500,
    mode: one.mode ?? (multicast === undefined ? 'unicast' : 'auto'),
    isLoopback: one.loopback ?? (address !== undefined && (address.startsWith('127.') || address === '::1')),
  };
}

function timingOf(written: NonNullable<Written['timing']>, path: string, problems: string[]): Timing {
  const profile = timingProfiles[written.profile === 'wan' ? 'wan' : 'lan'];
  const ms = (value: string | number | undefined, fallback: number): number => {
    if (value === undefined) return fallback;
    if (typeof value === 'number') return value;
    const parsed = parseDuration(value);
    return parsed.ok ? parsed.value : fallback;
  };
  const timing = {
    heartbeatMs: ms(written.heartbeat, profile.heartbeatMs),
    suspectMs: ms(written.suspect, profile.suspectMs),
    suspectMaxMs: ms(written.suspect_max, profile.suspectMaxMs),
  };
  const isSound =
    timing.heartbeatMs >= 10 && timing.suspectMs >= 3 * timing.heartbeatMs && timing.suspectMaxMs >= timing.suspectMs;
  if (!isSound) problems.push(`${path}: timing: heartbeat ≥ 10 ms, suspect ≥ 3 heartbeats, suspect_max ≥ suspect`);
  return timing;
}

/** Milliseconds of a duration of the file: bare numbers are milliseconds there. */
export function durationMs(value: string | number | undefined): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  const parsed = parseDuration(value);
  return parsed.ok ? parsed.value : undefined;
}

/** Where agents are looked for: the folders of the file first, then the system's. */
export function searchFolders(agents: readonly string[]): {
  readonly lsb: readonly string[];
  readonly ocf: readonly string[];
  readonly fence: readonly string[];
} {
  const lsb = agents.filter((folder) => basename(folder) === 'init.d');
  const others = agents.filter((folder) => basename(folder) !== 'init.d');
  const ocf = others.map((folder) => (basename(folder) === 'resource.d' ? folder : join(folder, 'resource.d')));
  return { lsb, ocf, fence: others };
}
