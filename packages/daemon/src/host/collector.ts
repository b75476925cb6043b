/**
 * What this machine tells of itself when a member asks (`node/gathering.ts`): its events, files for a report. Packed, and cut to what a message between nodes may carry.
 */
import { execFile } from 'node:child_process';
import { hostname, release } from 'node:os';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { EventRow } from '@systole/api';
import { type Instant } from '@systole/kernel';
import { type ClusterNode, partCharactersMax, type Question } from '../node/index.ts';
import type { EventLog } from './event-log.ts';

const compress = promisify(zstdCompress);
const runFile = promisify(execFile);

/** More lines than anybody reads; packed they are some hundred kilobytes. */
export const eventsToldMax = 20_000;
/** Lines of the system's log. */
const logLines = 20_000;
/** A program that says nothing by then is left out: the asker waits. */
const programTimeoutMs = 4000;
const programOutputBytes = 16 * 1024 * 1024;

interface Collected {
  readonly events?: readonly EventRow[];
  /** Text by file name. */
  readonly files?: Readonly<Record<string, string>>;
}

interface CollectorParts {
  readonly node: ClusterNode;
  readonly events: EventLog;
  readonly now: () => Instant;
  readonly metrics: () => Promise<string>;
}

/** Base64 of packed JSON, or empty where even half and half again does not fit. */
export async function collect({ what, since }: Question, parts: CollectorParts): Promise<string> {
  switch (what) {
    case 'events': {
      let events = await parts.events.since(since, eventsToldMax);
      for (;;) {
        const body = await pack({ events });
        if (body.length <= partCharactersMax || events.length === 0) return body;
        events = events.slice(Math.ceil(events.length / 2)); // the newest are worth most
      }
    }
    case 'files': {
      let files = await report(parts);
      for (;;) {
        const body = await pack({ files });
        if (body.length <= partCharactersMax) return body;
        files = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.slice(-text.length / 2)]));
      }
    }
  }
}

const pack = async (collected: Collected): Promise<string> =>
  (await compress(Buffer.from(JSON.stringify(collected)))).toString('base64');

async function report({ node, events, now, metrics }: CollectorParts): Promise<Readonly<Record<string, string>>> {
  const [rows, figures, log, addresses, routes, uptime] = await Promise.all([
    events.since(0, eventsToldMax),
    metrics(),
    output('journalctl', '-u', 'systoled', '-o', 'cat', '-n', String(logLines)),
    output('ip', 'address'),
    output('ip', 'route'),
    output('uptime'),
  ]);
  const facts = [
    `host ${hostname()}`,
    `kernel ${release()}`,
    `node ${process.version}`,
    `time ${new Date().toISOString()}`,
  ];
  return {
    'events.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    'transitions.json': JSON.stringify(node.controller.transitions.records, null, 1),
    'fencing.json': JSON.stringify(node.fencingHistory, null, 1),
    'messaging.json': JSON.stringify(node.messagingStatus(now()), null, 1),
    'controller.json': JSON.stringify({ ...node.controller.state }, null, 1),
    'metrics.txt': figures,
    'system.txt': [...facts, addresses, routes, uptime].join('\n'),
    'log.jsonl': log,
  };
}

async function output(program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await runFile(program, args, { timeout: programTimeoutMs, maxBuffer: programOutputBytes });
    return stdout;
  } catch (error) {
    return `${program}: ${(error as Error).message}`;
  }
}
