/**
 * Keeps the daemon's thread running on time on a busy or swapping machine: real-time scheduling for this thread alone,
 * and its memory locked as it is touched. Both need the system's permission (LimitRTPRIO, LimitMEMLOCK or root) and the
 * optional package koffi, which calls C. A cluster works without them; it then takes longer to tell a busy peer from a
 * dead one, since every node announces its own stalls.
 *
 * Children do not inherit the real-time class (SCHED_RESET_ON_FORK), so agents run as they would anywhere. The thread of
 * the policy engine is started before, or asks for nothing, and stays an ordinary one.
 */
import os from 'node:os';

/** From <linux/sched.h>. */
const roundRobin = 2;
const resetOnFork = 0x40000000;
/** The lowest real-time priority: above all ordinary work, below the kernel's own threads. */
const priority = 1;
/** From <sys/mman.h>: present and future pages, each when it is first touched. Without "on fault" V8 would lock gigabytes. */
const lockOnFault = 1 | 2 | 4;
/** Where real time is not to be had. */
const niceness = -20;

export interface Realtime {
  /** What was reached, in words for the log. */
  readonly scheduling: string;
  readonly memory: string;
}

type CallC = (name: string, argumentsInC: string, ...values: readonly unknown[]) => number;

/** Asks for both; never fails, says what it got. Affects the calling thread (scheduling) and the process (memory). */
export async function becomeRealtime(): Promise<Realtime> {
  const call = await loadC();
  if (typeof call === 'string') return { scheduling: nicer(call), memory: `not locked: ${call}` };
  const parameter = new Int32Array([priority]);
  const isScheduled = call('sched_setscheduler', 'int, int, void *', 0, roundRobin | resetOnFork, parameter) === 0;
  const isLocked = call('mlockall', 'int', lockOnFault) === 0;
  return {
    scheduling: isScheduled ? `real-time, priority ${priority}` : nicer('the system refuses SCHED_RR (LimitRTPRIO)'),
    memory: isLocked ? 'locked as it is touched' : 'not locked: the system refuses mlockall (LimitMEMLOCK)',
  };
}

async function loadC(): Promise<CallC | string> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    return (name, argumentsInC, ...values) => {
      const result: unknown = libc.func(`int ${name}(${argumentsInC})`)(...values);
      return Number(result);
    };
  } catch (error) {
    return `koffi cannot be loaded: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
}

function nicer(why: string): string {
  try {
    os.setPriority(niceness);
    return `ordinary with niceness ${niceness}: ${why}`;
  } catch {
    return `ordinary: ${why}, and the system refuses niceness ${niceness}`;
  }
}
