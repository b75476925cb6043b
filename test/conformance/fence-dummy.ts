/** The test agent of the fencing cases, as their README describes it, as a function: nothing runs. */
import { type Agent, type AgentRun, description } from '../../packages/stonith/test/virtual-fencers.ts';

const actions: Readonly<Record<string, readonly string[]>> = {
  fence_dummy: ['on on_target=1', 'off', 'reboot', 'status', 'monitor', 'list', 'metadata', 'validate-all'],
  fence_dummy_auto_unfence: ['on automatic=1', 'off', 'reboot', 'status', 'monitor', 'list', 'metadata'],
  fence_dummy_no_reboot: ['on on_target=1', 'off', 'status', 'monitor', 'list', 'metadata'],
  fence_dummy_no_on: ['off', 'reboot', 'status', 'monitor', 'list', 'metadata'],
};

export const dummyAgents: Readonly<Record<string, Agent>> = Object.fromEntries(
  Object.keys(actions).map((name) => [name, dummy]),
);

/** A run takes half a second, as a Python agent does. */
const baseMs = 400;

function dummy({ agent, action, input }: Parameters<Agent>[0]): AgentRun {
  const seconds = (name: string): number => Number(input[name] ?? '0') * 1000;
  const delayMs = baseMs + seconds('delay');
  const verdict = (mode: string | undefined): number => (mode === 'fail' ? 1 : 0);
  switch (action) {
    case 'metadata':
      return {
        ms: 100,
        code: 0,
        stdout: description(agent, actions[agent] ?? [], ['plug', 'port']),
        stderr: 'a word\n',
      };
    case 'list': {
      const hosts = input['mock_dynamic_hosts'];
      return hosts === undefined ? { ms: delayMs, code: 1 } : { ms: delayMs, code: 0, stdout: `${hosts}\n` };
    }
    case 'monitor':
      return { ms: delayMs + seconds('monitor_delay'), code: verdict(input['monitor_mode'] ?? 'pass') };
    case 'off':
      return { ms: delayMs + seconds('off_delay'), code: verdict(input['mode']) };
    default:
      return { ms: delayMs, code: verdict(input['mode']) };
  }
}
