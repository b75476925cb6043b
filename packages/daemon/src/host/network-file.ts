/** Carries out what the cluster has agreed to change about the network: in the node's file, and in messaging's sockets. */
import type { DaemonConfiguration } from '../configuration.ts';
import type { FileChange, FileStep, NodeInput } from '../node/index.ts';
import { isHere } from './link-keeper.ts';
import { preparedLinks } from './links.ts';
import { NodeFile } from './node-file.ts';
import type { LinkSockets } from './udp.ts';

type Outcome = Omit<Extract<NodeInput, { type: 'fileChanged' }>, 'type' | 'id' | 'step'>;

export class NetworkFile {
  readonly #file: NodeFile;
  readonly #useLinks: (links: readonly LinkSockets[]) => Promise<void>;

  /** `useLinks` opens and closes sockets; fulfilled when that was tried. */
  constructor(path: string, useLinks: (links: readonly LinkSockets[]) => Promise<void>) {
    this.#file = new NodeFile(path);
    this.#useLinks = useLinks;
  }

  async change(step: FileStep, change: FileChange): Promise<Outcome> {
    try {
      if (step === 'check') return await this.#check(change);
      const result = step === 'undo' ? await this.#file.undo() : await this.#file.apply(change);
      return result.ok ? await this.#use(result.value) : { problem: result.error };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }

  async #check(change: FileChange): Promise<Outcome> {
    const result = await this.#file.check(change);
    if (!result.ok) return { problem: result.error };
    const missing = preparedLinks(result.value).sockets.find(
      (sockets) => change.type === 'setLink' && sockets.link === change.link && !isHere(sockets),
    );
    return missing === undefined ? {} : { problem: `${missing.address} is no address of this machine` };
  }

  async #use(configuration: DaemonConfiguration): Promise<Outcome> {
    const { sockets, links } = preparedLinks(configuration);
    await this.#useLinks(sockets);
    return { messaging: { links, linkMode: configuration.linkMode, timing: configuration.timing } };
  }
}
