/** What the parts of the node have to be told of quorum, made from the node's file. */
import { type DeviceSettings, quorumOptions, type TieBreaker } from '@systole/quorum';
import { type DaemonConfiguration, durationMs } from './configuration.ts';
import { addressOf } from './host/links.ts';
import type { DeviceLinkOptions } from './host/open-device.ts';
import { type MessagingSetup, type NodeConfiguration, NodeIds } from './node/index.ts';

export function quorumSettings({ quorum }: DaemonConfiguration): NodeConfiguration['quorum'] {
  const { votes, expected_votes, two_node, wait_for_all, last_man_standing, allow_downscale } = quorum;
  const windowMs = durationMs(quorum.last_man_standing_window);
  const tie = quorum.auto_tie_breaker;
  const tieBreaker = Array.isArray(tie) ? NodeIds.of(tie) : undefined;
  const autoTieBreaker =
    tieBreaker?.ok === true ? (tie as readonly string[]).map((name) => tieBreaker.value.id(name) ?? 0) : tie;
  return {
    ...(votes === undefined ? {} : { votes }),
    ...(expected_votes === undefined ? {} : { expectedVotes: expected_votes }),
    ...(two_node === undefined ? {} : { twoNode: two_node }),
    ...(wait_for_all === undefined ? {} : { waitForAll: wait_for_all }),
    ...(autoTieBreaker === undefined
      ? {}
      : { autoTieBreaker: autoTieBreaker as 'lowest' | 'highest' | false | readonly number[] }),
    ...(last_man_standing === undefined ? {} : { lastManStanding: last_man_standing }),
    ...(windowMs === undefined ? {} : { lastManStandingWindowMs: windowMs }),
    ...(allow_downscale === undefined ? {} : { allowDownscale: allow_downscale }),
    ...(quorum.device === undefined ? {} : { device: deviceSettings(quorum.device) }),
  };
}

type WrittenDevice = NonNullable<DaemonConfiguration['quorum']['device']>;

function deviceSettings(written: WrittenDevice): DeviceSettings {
  const { algorithm, votes, tie_breaker } = written;
  const list = Array.isArray(tie_breaker) ? NodeIds.of(tie_breaker) : undefined;
  const tieBreaker = list?.ok === true ? list.value.names.map((name) => list.value.id(name) ?? 0) : tie_breaker;
  return {
    kind: written.disk !== undefined ? 'disk' : written.http !== undefined ? 'http' : 'arbiter',
    algorithm: algorithm === 'last_man_standing' ? 'lastManStanding' : 'ffsplit',
    ...(votes === undefined ? {} : { votes }),
    ...(tieBreaker === undefined ? {} : { tieBreaker: tieBreaker as TieBreaker }),
  };
}

const arbiterPort = 5416;

/** How messaging's thread reaches the quorum device, where the node's file names one. */
export function deviceLink(configuration: DaemonConfiguration, setup: MessagingSetup): DeviceLinkOptions | undefined {
  const { device: written } = configuration.quorum;
  const checked = quorumOptions(setup.quorum);
  if (written === undefined || !checked.ok || checked.value.options.device === undefined) return undefined;
  const common = {
    cluster: configuration.cluster,
    self: setup.configuration.self,
    device: checked.value.options.device,
  };
  const { disk, http, http_token: tokenFile, arbiter = [], heuristics = [] } = written;
  if (disk !== undefined) return { kind: 'disk', ...common, path: disk };
  if (http !== undefined)
    return { kind: 'http', ...common, url: http, ...(tokenFile === undefined ? {} : { tokenFile }) };
  return {
    kind: 'arbiter',
    ...common,
    keys: setup.configuration.keys,
    arbiters: arbiter.map((text) => addressOf(text, arbiterPort)),
    heuristics,
  };
}
