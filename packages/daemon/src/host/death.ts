/** This machine goes down now, without flushing or stopping anything: its peers count on its silence. */
import { writeFileSync } from 'node:fs';

export type Death = 'reset' | 'off' | 'crashdump';

/** What the kernel is told. Root is always heard here, whatever `kernel.sysrq` says. */
export const sysrqTrigger = '/proc/sysrq-trigger';
const letters: Readonly<Record<Death, string>> = { reset: 'b', off: 'o', crashdump: 'c' };

/** @returns why it did not work, if it comes back at all; switching off takes a moment. */
export function die(how: Death, trigger = sysrqTrigger): string | undefined {
  try {
    writeFileSync(trigger, letters[how]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
