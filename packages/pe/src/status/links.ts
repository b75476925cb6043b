/** Ties remote and guest nodes to their connections, and resources to what they run inside. */
import { type DraftInstance, type DraftPrimitive, findNode, type Reader } from '../expand/draft.ts';
import { assumedUnclean } from './nodes.ts';

/** `container`, set by an operator or implied for a guest's connection: what the resource runs inside. */
export function linkLauncher(reader: Reader, instance: DraftInstance): void {
  if (instance.kind !== 'primitive') {
    for (const child of instance.children) linkLauncher(reader, child);
    return;
  }
  const name = instance.meta.get('container');
  if (name === undefined || name === instance.id) return;
  const launcher = reader.instanceById.get(name);
  if (launcher?.kind === 'primitive') {
    instance.launcher = launcher;
    launcher.launched.push(instance);
  } else {
    reader.messages.push({
      level: 'error',
      text: `${instance.id}: there is no resource "${name}" to be its container`,
    });
  }
}

/** After `linkLauncher`: a connection with a launcher makes its node a guest, else the node is a remote node. */
export function linkConnection(reader: Reader, instance: DraftInstance): void {
  if (instance.kind !== 'primitive' || !instance.isConnection) return;
  const node = findNode(reader, instance.id);
  if (node === undefined) return;
  node.connection = instance;
  if (instance.launcher === undefined) {
    node.isUnclean = assumedUnclean(reader);
  } else {
    node.kind = 'guest';
    node.attributes.set('#kind', 'container');
  }
}

/** Connections of guests that are no longer configured find their container by the history. */
export function linkRemovedLaunched(reader: Reader, instance: DraftPrimitive, containerId: string): void {
  const launcher = reader.instanceById.get(containerId);
  if (launcher?.kind !== 'primitive' || instance.launcher !== undefined || !instance.isRemovedLaunched) return;
  instance.launcher = launcher;
  launcher.launched.push(instance);
  const node = findNode(reader, instance.id);
  if (node?.connection === instance) node.kind = 'guest';
}
