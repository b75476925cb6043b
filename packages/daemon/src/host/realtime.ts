/**
 * Keeps the daemon's thread running on time on a busy machine: real-time scheduling for this thread alone. It needs the
 * system's permission (LimitRTPRIO or root) and the optional package koffi, which calls C. A cluster works without it; it
 * then takes longer to tell a busy peer from a dead one, since every node announces its own stalls.
 *
 * Children do not inherit the real-time class (SCHED_RESET_ON_FORK), so agents run as they would anywhere, and threads
 * that were started before stay ordinary ones.
 *
 * A real-time thread must not wait for ordinary ones. V8 lets helper threads collect garbage and compile, and waits for
 * them; where every core is busy they get their turn when everyone else has had theirs. With 64 busy loops on two cores
 * this thread stood still for 0.7 to 2 s again and again, and healthy nodes were expelled. So `systoled` starts Node with
 * `--single-threaded`: the same load then made no pause at all. (Set while running, the flags crash V8.)
 *
 * Memory is kept from swapping by the unit file (MemorySwapMax=0). Rejected: mlockall. V8 unmaps and protects pages that
 * it takes to be its own business, the kernel refuses that for locked ones, and Node 24 dies of it ("Check failed: 0 ==
 * ret" in FreePages, seen at exit, with MCL_ONFAULT too).
 */
import os from 'node:os';

/** From <linux/sched.h>. */
const roundRobin = 2;
const resetOnFork = 0x40000000;
/** The lowest real-time priority: above all ordinary work, below the kernel's own threads. */
const priority = 1;
/** Where real time is not to be had. */
const niceness = -20;

/** Asks for real time for the calling thread. Never fails; says in words for the log what was reached. */
export async function becomeRealtime(): Promise<string> {
  let problem = 'the system refuses SCHED_RR (LimitRTPRIO)';
  try {
    const { default: koffi } = await import('koffi');
    const setScheduler = koffi.load('libc.so.6').func('int sched_setscheduler(int, int, void *)');
    const result: unknown = setScheduler(0, roundRobin | resetOnFork, new Int32Array([priority]));
    if (result === 0) return `real-time, priority ${priority}`;
  } catch (error) {
    problem = `koffi cannot be used: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
  try {
    os.setPriority(niceness);
    return `ordinary with niceness ${niceness}: ${problem}`;
  } catch {
    return `ordinary: ${problem}, and it refuses niceness ${niceness}`;
  }
}
