/**
 * What a decision was made from: kept by the node that led, as a file of that, or as a CIB in Pacemaker's XML. All that
 * the policy engine needs to decide again.
 */
import type { StoredInput } from '@systole/api';
import { type Cib, importCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { type Decision, schedule, timeFor, transitionDigest } from '@systole/pe';

export interface DecidedFrom {
  readonly cib: Cib;
  /** What the policy engine took, or is to take, for the present; milliseconds since 1970. */
  readonly at: number;
  /** Secrets may have been taken out. */
  readonly mayBeMasked: boolean;
  /** Absent where it is a CIB that nobody is known to have decided from. */
  readonly origin?: Omit<StoredInput, 'cib'>;
}

export const isStoredInput = (text: string): boolean => /^\s*\{[^{]{0,4096}"systole-input\//.test(text);

/** @throws SystoleError `invalid` if it is no such thing, or of a release that writes another format. */
export async function readStoredInput(value: unknown, name: string): Promise<DecidedFrom> {
  const { cib, ...origin } = (value ?? {}) as Partial<StoredInput>;
  if (origin.format !== 'systole-input/1' || typeof origin.at !== 'number' || typeof origin.transition !== 'string')
    throw new SystoleError('invalid', `${name} is not the input of a decision in a format that this release knows`);
  const { at } = origin;
  return {
    cib: await checkedCib(cib, name),
    at,
    mayBeMasked: origin.isMasked === true,
    origin: origin as Omit<StoredInput, 'cib'>,
  };
}

/** A file's content: ours, a CIB as JSON, or Pacemaker's XML. `clock` counts where a CIB does not say when it was. */
export async function readDecidedFrom(
  text: string,
  name: string,
  clock: number,
  remark: (text: string) => void = () => {},
): Promise<DecidedFrom> {
  if (text.trimStart().startsWith('{')) {
    const value = parsed(text, name);
    return isStoredInput(text) ? await readStoredInput(value, name) : ofCib(await checkedCib(value, name), clock);
  }
  const imported = importCib(text);
  if (!imported.ok) {
    const { line, message } = imported.error;
    throw new SystoleError('invalid', `${name}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
  for (const { kind, line, element, message } of imported.value.notes)
    if (kind === 'ignored') remark(`${name}:${line}: ${element}: ${message}`);
  return ofCib(imported.value.cib, clock);
}

const ofCib = (cib: Cib, clock: number): DecidedFrom => ({
  cib,
  at: timeFor(cib, undefined, clock),
  mayBeMasked: true,
});

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SystoleError('invalid', `${name}: ${(error as Error).message}`, { cause: error });
  }
}

async function checkedCib(value: unknown, name: string): Promise<Cib> {
  // Loading the schemas takes longer than most decisions.
  const { checkCib } = await import('@systole/cib/schema');
  const checked = checkCib(value);
  if (checked.ok) return checked.value;
  const problems = checked.error.map(({ path, message }) => `${name}: ${path}: ${message}`);
  throw new SystoleError('invalid', problems.join('\n'));
}

export interface DecidedAgain {
  readonly decision: Decision;
  /** What was decided then was the same; undefined where that is not known. */
  readonly isSame?: boolean;
}

/** @throws SystoleError `failed` if the policy engine fails on what it has failed on before. */
export function decideAgain({ cib, at, mayBeMasked, origin }: DecidedFrom): DecidedAgain {
  let decision: Decision;
  try {
    decision = schedule(cib, { now: at, mayBeMasked });
  } catch (error) {
    if (origin?.failure === undefined) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new SystoleError('failed', `the policy engine fails here as it did then: ${message}`, { cause: error });
  }
  if (origin === undefined || mayBeMasked) return { decision };
  return { decision, isSame: transitionDigest(decision.transition) === origin.decision };
}
