/**
 * Where agents are found. Which files exist only the host knows: this package names the candidates in order, and the
 * host says which is the first that exists.
 */
import type { AgentName } from './agent-name.ts';
import { ourProvider } from './agent-name.ts';

export interface AgentPlaces {
  /** `OCF_ROOT`: where agents find their shared functions. */
  readonly ocfRoot: string;
  /** Folders with a folder for each provider; the first hit wins. */
  readonly ocf: readonly string[];
  /** Our own agents, provider `systole`: a folder for each, with a program of the same name. */
  readonly own: string;
  /** Folders of init scripts; the first hit wins. */
  readonly lsb: readonly string[];
  /** Folders of systemd units, to tell a `service` that is a unit from one that is an init script. */
  readonly systemdUnits: readonly string[];
  /** The program that runs one action on a unit. */
  readonly systemdDriver: string;
  /** Folders of fence agents; the first hit wins. */
  readonly fence: readonly string[];
  /** Folder of cluster-glue's `external/` plugins. */
  readonly external: string;
  /** Our stand-ins for the programs that agents call; first in their PATH. */
  readonly helpers: string;
  /** The daemon's local socket, which those programs ask. */
  readonly socket?: string;
  /** `HA_RSCTMP`: where agents keep state that must not outlive a boot; /run/resource-agents if not given. */
  readonly agentState?: string;
  /** A program that runs JavaScript, for the helper programs where nothing quicker can talk to the socket. */
  readonly node?: string;
}

/** The places of a Debian or Red Hat system. `ours` are the folders of this package and of `stonith`, as installed. */
export function standardPlaces(ours: { readonly ra: string; readonly stonith: string }): AgentPlaces {
  return {
    ocfRoot: '/usr/lib/ocf',
    ocf: ['/usr/lib/ocf/resource.d'],
    own: `${ours.ra}/agents`,
    lsb: ['/etc/init.d'],
    systemdUnits: [
      '/etc/systemd/system',
      '/run/systemd/system',
      '/usr/local/lib/systemd/system',
      '/lib/systemd/system',
      '/usr/lib/systemd/system',
    ],
    systemdDriver: `${ours.ra}/drivers/systemd-unit`,
    fence: [`${ours.stonith}/agents`, '/usr/sbin', '/sbin', '/usr/bin'],
    external: '/usr/lib/stonith/plugins',
    helpers: `${ours.ra}/helpers`,
  };
}

/** Answers with the first of the paths that is there, whatever it is. The host's word; nothing is opened. */
export type FirstExisting = (paths: readonly string[]) => string | undefined;

/** How an agent is run: its class after `service` has been resolved, and its program. */
export interface LocatedAgent {
  readonly kind: 'ocf' | 'lsb' | 'systemd' | 'fence' | 'external';
  readonly path: string;
}

const unitSuffix = /\.(?:service|socket|target|mount|automount|timer|path|slice|scope|swap|device)$/;

/** A unit's full name: `.service` unless it has a suffix of systemd's. */
export const unitName = (type: string): string => (unitSuffix.test(type) ? type : `${type}.service`);

/** A template's file for an instance: `dummy@3.service` is made from `dummy@.service`. */
const unitFiles = (type: string): readonly string[] => {
  const unit = unitName(type);
  const template = unit.replace(/@[^.]*\./, '@.');
  return template === unit ? [unit] : [unit, template];
};

/** `undefined`: not installed. A `service` is the init script of that name if there is one, else the unit. */
export function locateAgent(
  agent: AgentName,
  places: AgentPlaces,
  firstExisting: FirstExisting,
): LocatedAgent | undefined {
  const found = (kind: LocatedAgent['kind'], paths: readonly string[]): LocatedAgent | undefined => {
    const path = firstExisting(paths);
    return path === undefined ? undefined : { kind, path };
  };
  const initScripts = agent.type.startsWith('/') ? [agent.type] : places.lsb.map((folder) => `${folder}/${agent.type}`);
  switch (agent.class) {
    case 'ocf': {
      const provider = agent.provider ?? '';
      const own = provider === ourProvider ? [`${places.own}/${agent.type}/${agent.type}`] : [];
      return found('ocf', [...own, ...places.ocf.map((folder) => `${folder}/${provider}/${agent.type}`)]);
    }
    case 'lsb':
      return found('lsb', initScripts);
    case 'systemd':
      return { kind: 'systemd', path: places.systemdDriver };
    case 'service': {
      const isUnit = firstExisting(
        places.systemdUnits.flatMap((folder) => unitFiles(agent.type).map((unit) => `${folder}/${unit}`)),
      );
      return (
        found('lsb', initScripts) ??
        (isUnit === undefined ? undefined : { kind: 'systemd', path: places.systemdDriver })
      );
    }
    case 'stonith':
      return agent.type.includes('/')
        ? found('external', [`${places.external}/${agent.type}`])
        : found(
            'fence',
            places.fence.map((folder) => `${folder}/${agent.type}`),
          );
    default:
      return undefined;
  }
}
