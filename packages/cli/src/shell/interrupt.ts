/**
 * Ctrl-C while a command waits: the waiting ends, what the command must put right is put right, and in the interactive
 * shell the prompt comes back. Without anybody who listens, Ctrl-C ends the program as ever.
 */
import process from 'node:process';
import { SystoleError } from '@systole/kernel';

const listeners = new Set<() => void>();

/** Tells all who wait. @returns whether somebody does. */
export function interrupt(): boolean {
  const { size } = listeners;
  for (const listener of listeners) listener();
  return size > 0;
}

/** @returns how to stop listening. */
export function onInterrupt(listener: () => void): () => void {
  if (listeners.size === 0) process.on('SIGINT', interrupt);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) process.off('SIGINT', interrupt);
  };
}

/** Fulfilled with what `waiting` brings, or rejected when somebody interrupts. */
export async function interruptible<Value>(waiting: Promise<Value>, message: string): Promise<Value> {
  const interrupted = Promise.withResolvers<never>();
  const stop = onInterrupt(() => interrupted.reject(new SystoleError('timedOut', message)));
  // Whoever was not waited for to the end may fail later, and nobody minds.
  waiting.catch(() => undefined);
  try {
    return await Promise.race([waiting, interrupted.promise]);
  } finally {
    stop();
  }
}
