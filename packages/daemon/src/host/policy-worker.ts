/** The policy engine's thread: questions in, answers out. */
import { schedule } from '@systole/pe';
import { parentPort } from 'node:worker_threads';
import { type PolicyAnswer, type Question, warming } from './policy-protocol.ts';

/** Not longer, so that a real question need not wait. */
const warmingMs = 150;
const warmingRounds = 20;

const port = parentPort;
if (port === null) throw new Error('the policy engine runs as a worker of the daemon');

port.on('message', ({ scheduleId, cib, at }: Question) => {
  if (scheduleId === warming) warm(cib, at);
  port.postMessage({ scheduleId, outcome: outcomeOf(cib, at) } satisfies PolicyAnswer);
});

/** Again and again: what runs often is compiled, and that is what the first real question should find. */
function warm(cib: Question['cib'], at: Question['at']): void {
  const begin = performance.now();
  for (let round = 0; round < warmingRounds && performance.now() - begin < warmingMs; round++) outcomeOf(cib, at);
}

function outcomeOf(cib: Question['cib'], at: Question['at']): PolicyAnswer['outcome'] {
  try {
    const { transition, recheck } = schedule(cib, { now: at });
    const settings = recheck === undefined ? transition.settings : { ...transition.settings, recheckBy: recheck.at };
    return { type: 'transition', transition: { ...transition, settings } };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
