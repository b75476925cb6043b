/**
 * What a node is told when it is fenced or unfenced: digests of the devices that unfence, so that later it can be seen
 * whether their parameters have changed and the node must be unfenced anew.
 */
import type { Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';
import { compareUnfencing, currentDigests } from '../status/digests.ts';
import { isPrimitive, primitive, type Subject } from './subject.ts';

export interface DeviceDigests {
  /** `ID:AGENT:DIGEST,` for each device. */
  readonly all: string;
  /** The same without secret parameters. */
  readonly secure: string;
  /** Some device is not as it was when the node was unfenced. */
  readonly hasChanged: boolean;
}

export function deviceDigests(situation: Situation, roots: readonly Subject[], node: Node): DeviceDigests {
  let all = '';
  let secure = '';
  let hasChanged = false;
  for (const subject of unfencingDevices(roots)) {
    const device = primitive(subject);
    const agent = device.agent.type;
    const now = currentDigests(situation, device, node, 'stonith-on', 0, undefined);
    all += `${device.id}:${agent}:${now.all},`;
    secure += `${device.id}:${agent}:${now.secure},`;
    const comparison = compareUnfencing(situation, device, agent, node);
    hasChanged ||= comparison === 'reload' || comparison === 'restart';
  }
  return { all, secure, hasChanged };
}

/** The last configured first, as nodes have always been told. */
function unfencingDevices(subjects: readonly Subject[]): readonly Subject[] {
  const found: Subject[] = [];
  const add = (subject: Subject): void => {
    for (const child of subject.children) add(child);
    if (subject.children.length > 0 || !isPrimitive(subject) || !primitive(subject).isFenceDevice) return;
    if (subject.of.needsUnfencing || subject.of.meta.get('provides')?.toLowerCase() === 'unfencing')
      found.push(subject);
  };
  for (const subject of subjects) add(subject);
  return found.toReversed();
}
