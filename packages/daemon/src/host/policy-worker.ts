/** The policy engine's thread: questions in, answers out; and it keeps the inputs of what is carried out. */
import type { StoredInput } from '@systole/api';
import type { KeepInput } from '@systole/crm';
import { schedule, type Transition, transitionDigest } from '@systole/pe';
import { parentPort, workerData } from 'node:worker_threads';
import { InputStore } from './policy-inputs.ts';
import { type PolicyInput, type PolicyOutput, type PolicySetup, type Question, warming } from './policy-protocol.ts';

/** Not longer, so that a real question need not wait. */
const warmingMs = 150;
const warmingRounds = 20;

const port = parentPort;
if (port === null) throw new Error('the policy engine runs as a worker of the daemon');
const { node, release, folder, bounds } = workerData as PolicySetup;
const store = new InputStore(folder, bounds);

/** The last question that somebody waited for, and what was decided, or what the engine failed with. */
let last: { readonly question: Question; readonly decided: Transition | string } | undefined;

const say = (output: PolicyOutput): void => port.postMessage(output);

port.on('message', (input: PolicyInput) => {
  if (input.type === 'keepInput') {
    void keep(input);
    return;
  }
  const { scheduleId, cib, at } = input;
  if (scheduleId === warming) warm(cib, at);
  say({ type: 'answer', scheduleId, outcome: outcomeOf(input) });
});

/** Again and again: what runs often is compiled, and that is what the first real question should find. */
function warm(cib: Question['cib'], at: Question['at']): void {
  const begin = performance.now();
  const question: Question = { type: 'ask', scheduleId: warming, cib, at };
  for (let round = 0; round < warmingRounds && performance.now() - begin < warmingMs; round++) outcomeOf(question);
}

function outcomeOf(question: Question): Extract<PolicyOutput, { type: 'answer' }>['outcome'] {
  try {
    const { transition, recheck } = schedule(question.cib, { now: question.at });
    if (question.scheduleId !== warming) last = { question, decided: transition };
    const settings = recheck === undefined ? transition.settings : { ...transition.settings, recheckBy: recheck.at };
    return { type: 'transition', transition: { ...transition, settings } };
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (question.scheduleId !== warming) last = { question, decided: message };
    return { type: 'failed', message };
  }
}

async function keep({ scheduleId, transitionId, number, cause }: KeepInput): Promise<void> {
  try {
    if (last?.question.scheduleId !== scheduleId) throw new Error('the policy engine has been started again since');
    const { question, decided } = last;
    last = undefined; // asked once; a large CIB need not stay in memory
    const input: StoredInput = {
      format: 'systole-input/1',
      transition: transitionId,
      number,
      node,
      at: question.at,
      cause,
      release,
      ...(typeof decided === 'string' ? { failure: decided } : { decision: transitionDigest(decided) }),
      cib: question.cib,
    };
    await store.keep(input);
  } catch (error) {
    say({ type: 'notKept', transitionId, problem: error instanceof Error ? error.message : String(error) });
  }
}
