/**
 * What this machine tells of itself when a member asks (`node/gathering.ts`): its events, files for a report, inputs of the
 * policy engine. Packed, and cut to what a message between nodes may carry.
 */
import { execFile } from 'node:child_process';
import { hostname, release } from 'node:os';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { GatheredPart } from '@systole/api';
import { type Instant } from '@systole/kernel';
import { type ClusterNode, partCharactersMax, type Question } from '../node/index.ts';
import type { EventLog } from './event-log.ts';
import { listInputs, readInputText } from './policy-inputs.ts';

const compress = promisify(zstdCompress);
const runFile = promisify(execFile);

/** More lines than anybody reads; packed they are some hundred kilobytes. */
export const eventsToldMax = 20_000;
/** Lines of the system's log. */
const logLines = 20_000;
/** A program that says nothing by then is left out: the asker waits. */
const programTimeoutMs = 4000;
const programOutputBytes = 16 * 1024 * 1024;

/** Inputs told of; each is a line of a table. */
const inputsToldMax = 20_000;

type Collected = Omit<GatheredPart, 'node'>;

interface CollectorParts {
  readonly node: ClusterNode;
  readonly events: EventLog;
  readonly now: () => Instant;
  readonly metrics: () => Promise<string>;
  /** Where inputs of the policy engine are kept. */
  readonly inputs: string;
}

/** Base64 of packed JSON. */
export async function collect(question: Question, parts: CollectorParts): Promise<string> {
  switch (question.what) {
    case 'events':
      return await packNewest(await parts.events.since(question.since, eventsToldMax), (events) => ({ events }));
    case 'inputs': {
      const rows = (await listInputs(parts.inputs)).filter(({ at }) => at >= question.since);
      return await packNewest(rows.slice(-inputsToldMax), (inputs) => ({ inputs }));
    }
    case 'input':
      return await packInput(parts.inputs, question.transition);
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

/** All that fit; the newest are worth most. */
async function packNewest<Row>(all: readonly Row[], collected: (rows: readonly Row[]) => Collected): Promise<string> {
  for (let rows = all; ; rows = rows.slice(Math.ceil(rows.length / 2))) {
    const body = await pack(collected(rows));
    if (body.length <= partCharactersMax || rows.length === 0) return body;
  }
}

/** Says why it cannot be told, if it is here. */
async function packInput(folder: string, transition: string): Promise<string> {
  try {
    const text = await readInputText(folder, transition);
    if (text === undefined) return await pack({});
    const body = await packText(`{"input":${text}}`);
    if (body.length <= partCharactersMax) return body;
    const problem = `the input of ${transition} is too large to be sent to another node; it is in ${folder}`;
    return await pack({ problem });
  } catch (error) {
    return await pack({ problem: (error as Error).message });
  }
}

const pack = (collected: Collected): Promise<string> => packText(JSON.stringify(collected));

const packText = async (text: string): Promise<string> => (await compress(Buffer.from(text))).toString('base64');

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
