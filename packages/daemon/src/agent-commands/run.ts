/**
 * The programs of Pacemaker that unmodified agents call, answered by the daemon. Each is a few lines of shell in
 * `packages/ra/helpers` that hand their command line over; what it means is decided here, where the CIB is.
 */
import type { Result } from '@systole/kernel';
import { readNetstrings } from './arguments.ts';
import { attrdUpdater, crmAttribute, crmFailcount, crmMaster, crmStandby } from './attributes.ts';
import { cibadmin, crmError, crmMon, crmNode, crmTicket, stonithAdmin } from './cluster.ts';
import { type AgentCall, complain, type Desk, exits, type Said } from './desk.ts';
import { crmResource } from './resources.ts';

export type { AgentCall, Desk, Said } from './desk.ts';

const programs: Readonly<Record<string, (call: AgentCall, desk: Desk) => Said | Promise<Said>>> = {
  attrd_updater: attrdUpdater,
  cibadmin,
  crm_attribute: crmAttribute,
  crm_error: crmError,
  crm_failcount: crmFailcount,
  crm_master: crmMaster,
  crm_mon: crmMon,
  crm_node: crmNode,
  crm_resource: crmResource,
  crm_standby: crmStandby,
  crm_ticket: crmTicket,
  stonith_admin: stonithAdmin,
};

/** Reads a question as a helper program sends it: the program, the calling resource, the arguments. */
export function readCall(body: Uint8Array): Result<AgentCall, string> {
  const texts = readNetstrings(body);
  if (!texts.ok) return texts;
  const [program, instance = '', ...argv] = texts.value;
  if (program === undefined) return { ok: false, error: 'which program?' };
  return { ok: true, value: { program, instance, argv } };
}

export async function runAgentCommand(call: AgentCall, desk: Desk): Promise<Said> {
  const program = Object.hasOwn(programs, call.program) ? programs[call.program] : undefined;
  if (program === undefined) return complain(exits.unsupported, `there is no ${call.program} here`);
  return program(call, desk);
}

/** The answer in the form that helper programs read: `o ` and `e ` lines, then `x CODE`. */
export function writeSaid({ code, out, errors }: Said): string {
  const lines = (mark: string, texts: readonly string[]): readonly string[] =>
    texts.flatMap((text) => text.split('\n')).map((line) => `${mark} ${line}`);
  return `${[...lines('e', errors), ...lines('o', out), `x ${code}`].join('\n')}\n`;
}
