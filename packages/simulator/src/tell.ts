/** What of a run's events belongs into its transcript, and in which words. */
import type { WorldEvent } from './events.ts';
import type { TrueWorld } from './laws/law.ts';
import { describeFault } from './plan.ts';
import type { Transcript } from './transcript.ts';

export function tell(event: WorldEvent, world: TrueWorld & { readonly now: number }, transcript: Transcript): void {
  const line = words(event, world);
  if (line !== undefined) transcript.add(world.now, 'machine' in event ? world.nameOf(event.machine) : '', line);
}

function words(event: WorldEvent, world: TrueWorld): string | undefined {
  switch (event.type) {
    case 'service':
      return `  ${event.instance}: ${event.before} → ${event.after} (${event.why})`;
    case 'lifeBegan':
      return `daemon starts (life ${event.life})`;
    case 'lifeEnded':
      return `daemon gone: ${event.why}`;
    case 'power':
      return `power ${event.isOn ? 'on' : 'off'}: ${event.why}${event.fencedBy === undefined ? '' : ` by ${world.nameOf(event.fencedBy)}`}`;
    case 'fault':
      return `FAULT ${describeFault(event.fault)}`;
    case 'quiet':
      return 'QUIET: all faults stop';
    case 'threw':
      return `THREW ${event.error instanceof Error ? event.error.message : String(event.error)}`;
    case 'acknowledged':
      return event.marker === undefined ? 'change acknowledged' : `change ${event.marker} acknowledged`;
    case 'operation':
      return event.operation === 'monitor' ? undefined : `  agent ${event.operation} of ${event.instance} begins`;
    case 'cib':
      return undefined;
    case 'seen':
      return seenWords(event.seen, world);
  }
}

function seenWords(seen: Extract<WorldEvent, { type: 'seen' }>['seen'], world: TrueWorld): string | undefined {
  const { effect } = seen;
  switch (effect.type) {
    case 'view': {
      const { tag, members } = effect.view;
      const departed = effect.departed.map(({ node, cause }) => ` −${node} ${cause}`).join('');
      return `view ${tag.number}: ${members.length} of ${world.settings.nodes} members${departed}`;
    }
    case 'viewActive':
      return `view ${effect.view.number} active`;
    case 'quorum':
      return `quorum ${effect.state.state}: ${effect.state.reason}`;
    case 'report':
      if (seen.part === 'crm' && seen.effect.type === 'report' && seen.effect.level === 'debug') return undefined;
      if (seen.part === 'messaging' && seen.effect.type === 'report')
        return `${seen.effect.event} ${JSON.stringify(seen.effect.fields)}`;
      return seen.part === 'crm' && seen.effect.type === 'report'
        ? `${seen.effect.event}: ${seen.effect.text}`
        : undefined;
    case 'fenceEnded':
      return `fencing ${effect.target}: ${effect.outcome} (${effect.reason})`;
    default:
      return undefined;
  }
}
