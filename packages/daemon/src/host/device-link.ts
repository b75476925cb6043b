/** What gives a vote beside the nodes, as messaging's thread sees it: an arbiter, a shared disk, an object behind HTTP. */
import type { ClusterKey, EngineInput, EngineStatus } from '@systole/messaging';
import type { WitnessView } from '@systole/quorum';

export interface DeviceLink {
  /** To be told whenever the engine's view, its activity or its base may have changed. */
  look(status: EngineStatus): void;
  /** The cluster's keys are others now. */
  useKeys(keys: readonly ClusterKey[]): void;
  close(): void;
}

export interface DeviceLinkEvents {
  readonly give: (input: EngineInput) => void;
  /** An arbiter answers under another key than the one that the cluster seals with; or none does any more. */
  readonly behind: (areBehind: boolean) => void;
  /** What the device says has changed. */
  readonly told: (vote: 'grant' | 'deny' | 'wait', reason: string) => void;
}

/** The view as a witness is told of it. */
export const witnessView = ({ view, active, memory }: EngineStatus): WitnessView => ({
  type: 'view',
  view: view.tag,
  members: view.members.map(({ node }) => node),
  active,
  base: memory.base,
});

/** Tells two situations apart that a device must hear of. */
export const situationKey = ({ view, active, memory }: EngineStatus): string =>
  `${view.tag.number}/${view.tag.hash}/${active}/${memory.base.generation}.${memory.base.revision}/${memory.lineage}`;
