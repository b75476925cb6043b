/** The policy engine's thread: questions in, answers out. */
import { schedule } from '@systole/pe';
import { parentPort } from 'node:worker_threads';
import type { PolicyAnswer, Question } from './policy.ts';

const port = parentPort;
if (port === null) throw new Error('the policy engine runs as a worker of the daemon');

port.on('message', ({ scheduleId, cib, at }: Question) => {
  port.postMessage({ scheduleId, outcome: outcomeOf(cib, at) } satisfies PolicyAnswer);
});

function outcomeOf(cib: Question['cib'], at: Question['at']): PolicyAnswer['outcome'] {
  try {
    const { transition, recheck } = schedule(cib, { now: at });
    const settings = recheck === undefined ? transition.settings : { ...transition.settings, recheckBy: recheck.at };
    return { type: 'transition', transition: { ...transition, settings } };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
