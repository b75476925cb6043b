/**
 * `systoled --config FILE`: one node of a cluster, in the foreground.
 *
 * Reads the file, the key and what survived of a former life, opens the sockets, and runs until the node has left: on
 * SIGTERM or SIGINT in order, its resources first; a second signal leaves at once. Exit codes: 0 left in order, 1 could
 * not start or left with resources running, 2 wrong use, 70 a rule that must hold did not, 75 start again.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Random, SystoleError } from '@systole/kernel';
import { emptyCib } from '@systole/cib';
import { cryptoSeal, protocolRange } from '@systole/messaging';
import { type AgentPlaces, standardPlaces } from '@systole/ra';
import { type DaemonConfiguration, readConfiguration, searchFolders } from './configuration.ts';
import { serve } from './host/api-server.ts';
import { DiskArea } from './host/disk-area.ts';
import { systemClock } from './host/clock.ts';
import { Daemon } from './host/daemon.ts';
import { collect } from './host/collector.ts';
import { inputFolder } from './host/policy-inputs.ts';
import { Memory } from './host/memory.ts';
import { RecordStore } from './host/files.ts';
import { FormerLife } from './host/former-life.ts';
import { Identity } from './host/identity.ts';
import { readKeyRing, writeKeyRing } from './host/key.ts';
import { launchByFork } from './host/launch.ts';
import { nativeLaunch } from './host/launch-native.ts';
import { preparedLinks } from './host/links.ts';
import { createLogger, type Logger } from './host/log.ts';
import { RemoteMessaging } from './host/messaging-remote.ts';
import { resetSelf, SelfFencing } from './host/self-fencing.ts';
import { readRecording } from './host/recordings.ts';
import { NetworkFile } from './host/network-file.ts';
import { notifySupervisor } from './host/supervisor.ts';
import { createApp } from './http/app.ts';
import { createMetrics } from './http/metrics.ts';
import {
  allNames,
  type CibRecord,
  createNode,
  messagingSetup,
  type NodeConfiguration,
  NodeIds,
  replay,
  restored,
} from './node/index.ts';
import { deviceLink, quorumSettings } from './quorum-settings.ts';

/** Cryptographically strong: session ids of the seal are drawn from it. */
const strongRandom: Random = {
  integer: (below) => Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * below),
  bytes: (length) => randomBytes(length),
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      check: { type: 'boolean' },
      'make-witness': { type: 'boolean' },
      replay: { type: 'string' },
      force: { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.version === true) {
    process.stdout.write(`systoled ${packageVersion()}\n`);
    return 0;
  }
  if (values.replay !== undefined) return replayRecording(values.replay);
  if (values.help === true || values.config === undefined) {
    process.stderr.write(
      'usage: systoled --config FILE [--check | --make-witness [--force]]\n       systoled --replay RECORDING\n',
    );
    return values.help === true ? 0 : 2;
  }
  const configuration = load(values.config);
  if (values.check === true) return 0;
  if (values['make-witness'] === true) return makeWitness(configuration, values.force === true);
  return run(configuration, values.config);
}

/** @throws SystoleError naming every problem. */
function load(path: string): DaemonConfiguration {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SystoleError('notFound', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const read = readConfiguration(content, path);
  if (!read.ok) throw new SystoleError('invalid', read.error.join('\n'));
  const ids = NodeIds.of(read.value.nodes);
  if (!ids.ok) throw new SystoleError('invalid', `${path}: ${ids.error}`);
  return read.value;
}

async function run(configuration: DaemonConfiguration, path: string): Promise<number> {
  const { node: self, cluster } = configuration;
  // Threads read the cache that the launcher has opened for this one: a start costs half as much.
  const cache = module.getCompileCacheDir();
  if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cache;
  const log = createLogger(configuration.logLevel, self, cluster);
  const { keys, rotation } = await readKeyRing(configuration.key);
  const store = await RecordStore.open(configuration.state);
  const formerLife = new FormerLife(configuration.run);
  const { resources, survivors, problems } = formerLife.read();
  for (const problem of problems) log.warn({ event: 'record.damaged' }, problem);
  const hasBooted = hasRebooted(configuration.run);
  const memory = await Memory.open({ state: configuration.state, node: self, hasBooted, log });
  // What messaging and the disks say before the daemon is there waits for it.
  const later: { daemon?: Daemon } = {};
  const selfFencing = await SelfFencing.prepare({
    node: self,
    ...(configuration.watchdog === undefined ? {} : { watchdog: configuration.watchdog }),
    ...(configuration.watchdogS === undefined ? {} : { watchdogS: configuration.watchdogS }),
    ...(configuration.disks === undefined ? {} : { disks: configuration.disks }),
    hasBooted,
    store,
    log,
    leave: (reason) => later.daemon?.give({ type: 'shutDown', reason }),
    fail: (reason) => later.daemon?.fail(reason),
  });
  // Only now: a node that is kept from starting has not run since its boot.
  rememberBoot(configuration.run);
  const cib = await loadCib(store, log);
  const { sockets, links } = preparedLinks(configuration);
  const places = agentPlaces(configuration);
  const nodeConfiguration: NodeConfiguration = {
    self,
    nodes: configuration.nodes,
    messaging: {
      clusterName: cluster,
      keys,
      links,
      linkMode: configuration.linkMode,
      timing: configuration.timing,
      messageBytesMax: configuration.messageBytesMax,
      protocol: protocolRange,
    },
    ...(rotation === undefined ? {} : { rotation }),
    quorum: quorumSettings(configuration),
    places,
  };
  const setup = messagingSetup(nodeConfiguration, allNames(nodeConfiguration, restored(cib)?.state.cib ?? emptyCib));
  if (!setup.ok) throw new SystoleError('invalid', setup.error);
  // Nothing is sent or received before `begin`.
  const messaging = await RemoteMessaging.start(
    setup.value,
    sockets,
    { folder: configuration.state, isRealtime: configuration.isRealtime },
    {
      effects: (effects) => later.daemon?.give({ type: 'messaging', effects }),
      problem: (text) => log.error({ event: 'messaging.problem' }, text),
      device: (vote, reason) => log[vote === 'grant' ? 'info' : 'warn']({ event: 'quorum.device', vote }, reason),
      arbiters: (areBehind) => later.daemon?.give({ type: 'arbiters', areBehind }),
      died: (error) => {
        log.fatal({ event: 'messaging.died', err: error }, "messaging's thread has died; this node stops");
        later.daemon?.fail(String(error));
      },
    },
    deviceLink(configuration, setup.value),
  );
  const node = createNode({
    configuration: nodeConfiguration,
    ports: {
      random: strongRandom,
      seal: cryptoSeal,
      wallClock: systemClock.wall,
      firstExisting: (paths) => paths.find((path) => existsSync(path)),
      messaging,
    },
    saved: {
      ...(cib === undefined ? {} : { cib }),
      resources,
      survivors,
      hasRebooted: hasBooted,
    },
    now: systemClock.now(),
  });
  const native = await nativeLaunch();
  if (native.problem !== undefined) {
    log.info({ event: 'daemon.launching' }, `agents are started by copies of the daemon: ${native.problem}`);
  }
  const daemon = new Daemon({
    node,
    clock: systemClock,
    log,
    events: memory.events,
    collect: (question) =>
      collect(question, {
        node,
        events: memory.events,
        inputs: inputFolder(configuration.state),
        now: systemClock.now,
        metrics: () => metricsOf(daemon, messaging)(),
      }),
    store,
    messaging,
    formerLife,
    saveKeys: (ring) => writeKeyRing(configuration.key, ring),
    networkFile: new NetworkFile(path, (links) => messaging.useLinks(links)),
    readSecrets,
    resetSelf: (reason) => resetSelf(reason, log),
    helpers: places.helpers,
    policy: {
      node: self,
      release: packageVersion(),
      folder: inputFolder(configuration.state),
      bounds: configuration.policyInputs,
    },
    launch: native.launch ?? launchByFork,
  });
  later.daemon = daemon;
  return serveAndRun(configuration, { daemon, messaging, selfFencing, memory, log });
}

async function serveAndRun(
  configuration: DaemonConfiguration,
  {
    daemon,
    messaging,
    selfFencing,
    memory,
    log,
  }: {
    readonly daemon: Daemon;
    readonly messaging: RemoteMessaging;
    readonly selfFencing: SelfFencing;
    readonly memory: Memory;
    readonly log: Logger;
  },
): Promise<number> {
  const { node: self, cluster } = configuration;
  const { node } = daemon;
  const { socketGroup } = configuration;
  const identity = await Identity.create({
    isPrivate: socketGroup === undefined,
    ownUid: process.getuid?.() ?? 0,
    now: () => systemClock.now(),
  });
  if (!identity.isSure) {
    const text =
      'koffi is not installed: members of api.group cannot be told apart, and with enable-acl=true have no rights';
    log.warn({ event: 'access.blind' }, text);
  }
  const app = createApp({
    cluster,
    node,
    now: () => daemon.now(),
    wall: () => daemon.wall(),
    request: (request) => daemon.request(request),
    events: daemon.events,
    afterTurn: (listener) => daemon.afterTurn(listener),
    shutDown: () => daemon.give({ type: 'shutDown', reason: 'asked through the interface' }),
    identify: (incoming, claimed) => identity.callerOf(incoming?.socket, claimed),
    record: (level, event, text, fields) => {
      log[level]({ subsystem: 'access', event, ...fields }, text);
      daemon.events.add({ at: daemon.wall(), level, subsystem: 'access', event, text, fields });
    },
    ...(configuration.watchdog === undefined && configuration.disks === undefined
      ? {}
      : { selfFencing: () => selfFencing.report() }),
    recordMessaging: () => messaging.record(),
    metrics: metricsOf(daemon, messaging),
  });
  const server = await serve(app, {
    path: configuration.socket,
    ...(socketGroup === undefined ? {} : { group: socketGroup }),
  });
  log.info({ event: 'daemon.scheduling' }, `messaging's thread: ${messaging.scheduling}`);

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => daemon.give({ type: 'shutDown', reason: signal }));
  }
  // Before anything can run here: a watchdog that cannot be armed keeps the node from starting.
  await selfFencing.begin(node, () => messaging.isQuorumHeldNow());
  const done = daemon.run();
  log.info({ event: 'daemon.ready', pid: process.pid }, `${self} of cluster ${cluster} is up`);
  void notify(log, 'READY=1', `STATUS=node ${self} of cluster ${cluster}`);
  const { exitCode, reason } = await done;
  log[exitCode === 0 ? 'info' : 'error']({ event: 'daemon.stopped', exitCode }, reason);
  if (exitCode !== 0) process.stderr.write(`systoled: ${reason}\n`);
  void notify(log, 'STOPPING=1');
  await selfFencing.end(exitCode === 0);
  server.close();
  await daemon.close();
  await memory.close();
  return exitCode;
}

const metricsOf = (daemon: Daemon, messaging: RemoteMessaging): (() => Promise<string>) =>
  createMetrics({
    node: daemon.node,
    now: () => daemon.now(),
    counters: () => ({ ...daemon.counters, ...messaging.counters }),
  });

async function loadCib(store: RecordStore, log: Logger): Promise<CibRecord | undefined> {
  const loaded = await store.load('cib');
  if (loaded.type === 'present') return JSON.parse(loaded.content) as CibRecord;
  if (loaded.type === 'damaged') {
    log.error({ event: 'record.damaged' }, `${loaded.message}; this node starts without a CIB and takes its peers'`);
  }
  return undefined;
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** True if the machine has booted since this daemon last ran here: then nothing that it started can be running. */
function hasRebooted(run: string): boolean {
  const path = join(run, 'boot-id');
  return !existsSync(path) || readFileSync(path, 'utf8').trim() !== bootId();
}

function rememberBoot(run: string): void {
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'boot-id'), bootId());
}

function agentPlaces({ agents, socket }: DaemonConfiguration): AgentPlaces {
  const packages = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  const standard = standardPlaces({ ra: join(packages, 'ra'), stonith: join(packages, 'stonith') });
  const { lsb, ocf, fence } = searchFolders(agents);
  return {
    ...standard,
    lsb: [...lsb, ...standard.lsb],
    ocf: [...ocf, ...standard.ocf],
    fence: [...fence, ...standard.fence],
    socket,
    node: process.execPath,
    agentState: agentStateFolder(),
  };
}

/** Where agents keep what must not outlive a boot. They expect it to be there before any of them runs. */
function agentStateFolder(): string {
  const folder = process.env['HA_RSCTMP'] ?? '/run/resource-agents';
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    process.stderr.write(`systoled: ${(error as Error).message}; agents that keep state there will fail\n`);
  }
  return folder;
}

/** `--replay`: what messaging did, once more. Status 1 if it did something else this time. */
function replayRecording(path: string): number {
  let lines: readonly string[];
  try {
    lines = readRecording(path);
  } catch (error) {
    throw new SystoleError('notFound', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const { isRun, steps, differsAt } = replay(lines, cryptoSeal.clusterTag, (text) => process.stdout.write(`${text}\n`));
  if (!isRun) return 0;
  process.stdout.write(
    differsAt === undefined
      ? `run again: ${steps} steps, all as they were\n`
      : `run again: step ${differsAt} of ${steps} was another one; is this the version that recorded it?\n`,
  );
  return differsAt === undefined ? 0 : 1;
}

/** `--make-witness`: the area on the shared disk, with a slot for each node of the file. */
function makeWitness({ cluster, nodes, quorum }: DaemonConfiguration, isForced: boolean): number {
  const path = quorum.device?.disk;
  if (path === undefined) throw new SystoleError('invalid', 'the file names no disk (quorum.device.disk)');
  const ids = NodeIds.of(nodes);
  if (!ids.ok) throw new SystoleError('invalid', ids.error);
  let area: DiskArea | undefined;
  try {
    area = DiskArea.open(path);
    const header = area.make({ cluster, nodes: ids.value.names.map((name) => ids.value.id(name) ?? 0) }, isForced);
    process.stdout.write(`${path} is the witness of ${cluster}, with slots for ${header.nodes.length} nodes\n`);
    return 0;
  } catch (error) {
    throw new SystoleError('failed', `${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    area?.close();
  }
}

const secretsFolder = '/var/lib/pacemaker/lrm/secrets';

/** Secrets of a resource: a file for each parameter, as Pacemaker keeps them. */
function readSecrets(
  resource: string,
  names: readonly string[],
): ReturnType<ConstructorParameters<typeof Daemon>[0]['readSecrets']> {
  try {
    const values = names.map(
      (name) => [name, readFileSync(join(secretsFolder, resource, name), 'utf8').replace(/\n$/, '')] as const,
    );
    return { type: 'read', values: Object.fromEntries(values) };
  } catch (error) {
    return { type: 'failed', message: (error as Error).message };
  }
}

async function notify(log: Logger, ...words: readonly string[]): Promise<void> {
  const { problem } = await notifySupervisor(...words);
  if (problem !== undefined) log.warn({ event: 'supervisor.failed' }, problem);
}

function packageVersion(): string {
  const path = fileURLToPath(new URL('../package.json', import.meta.url));
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isExpected =
    error instanceof SystoleError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  const text = isExpected ? (error as Error).message : ((error as Error).stack ?? String(error));
  process.stderr.write(`systoled: ${text}\n`);
  process.exitCode = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS') ? 2 : 1;
}
// Whatever else keeps the event loop alive has no more business here.
process.exit();
