/**
 * Who is at the other end of the Unix socket: the kernel's word (SO_PEERCRED), turned into names by the system's own
 * `id`, which knows every source of users that the machine has. Why so: `docs/decisions/0006-who-is-asking.md`.
 */
import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Caller } from '../http/door.ts';

/** From <asm-generic/socket.h>: `struct ucred` has the pid, the uid and the gid, four bytes each. */
const solSocket = 1;
const soPeerCred = 17;
const ucredBytes = 12;

/** Users and groups change seldom; somebody who was put into a group waits no longer than this for it to count. */
const namesKeptMs = 30_000;
const idTimeoutMs = 5000;

/** The cluster's own user, as Pacemaker calls it. */
const clusterUser = 'hacluster';

type ReadUid = (socket: Socket) => number | undefined;

const run = promisify(execFile);

/** Reads the peer's user id from a connected socket; undefined in place of it where koffi is not installed. */
async function peerReader(): Promise<ReadUid | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const getOption = koffi.load('libc.so.6').func('int getsockopt(int, int, int, void *, void *)');
    return (socket) => {
      const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
      if (fd === undefined || fd < 0) return undefined;
      const credentials = new Int32Array(ucredBytes / 4);
      const length = new Int32Array([ucredBytes]);
      const result: unknown = getOption(fd, solSocket, soPeerCred, credentials, length);
      return result === 0 && length[0] === ucredBytes && credentials[1] !== undefined
        ? credentials[1] >>> 0
        : undefined;
    };
  } catch {
    return undefined;
  }
}

export interface IdentityOptions {
  /** Only root and the daemon's own user can open the socket. */
  readonly isPrivate: boolean;
  readonly ownUid: number;
  /** Absent: the kernel is asked. */
  readonly readUid?: ReadUid | undefined;
  readonly namesOf?: (uid: number) => Promise<Names>;
  readonly now: () => number;
}

interface Names {
  readonly user: string;
  readonly groups: readonly string[];
}

export class Identity {
  readonly #options: IdentityOptions;
  readonly #readUid: ReadUid | undefined;
  readonly #uids = new WeakMap<Socket, number>();
  readonly #names = new Map<number, { readonly names: Promise<Names>; readonly until: number }>();

  private constructor(options: IdentityOptions, readUid: ReadUid | undefined) {
    this.#options = options;
    this.#readUid = readUid;
  }

  static async create(options: IdentityOptions): Promise<Identity> {
    return new Identity(options, 'readUid' in options ? options.readUid : await peerReader());
  }

  /** False: callers cannot be told apart, so permissions cannot be enforced for a socket that several may open. */
  get isSure(): boolean {
    return this.#readUid !== undefined || this.#options.isPrivate;
  }

  /** `claimed` is what the caller says of himself; it counts only from those who may do everything anyway. */
  async callerOf(socket: Socket | undefined, claimed: string): Promise<Caller> {
    const uid = socket && this.#uidOf(socket);
    if (uid === undefined) {
      if (this.#options.isPrivate) return { user: claimed, groups: [], isPrivileged: true };
      const problem =
        'who asks cannot be told, so permissions cannot be granted: the daemon needs the package koffi, or no api.group';
      return { user: `${claimed}?`, groups: [], isPrivileged: false, problem };
    }
    if (uid === 0 || uid === this.#options.ownUid) return { user: claimed, groups: [], isPrivileged: true };
    const { user, groups } = await this.#namesOf(uid);
    return { user, groups, isPrivileged: user === clusterUser };
  }

  #uidOf(socket: Socket): number | undefined {
    const known = this.#uids.get(socket);
    if (known !== undefined) return known;
    const uid = this.#readUid?.(socket);
    if (uid !== undefined) this.#uids.set(socket, uid);
    return uid;
  }

  #namesOf(uid: number): Promise<Names> {
    const now = this.#options.now();
    const known = this.#names.get(uid);
    if (known !== undefined && known.until > now) return known.names;
    const names = (this.#options.namesOf ?? askSystem)(uid);
    this.#names.set(uid, { names, until: now + namesKeptMs });
    return names;
  }
}

/** A user without a name has none of any group either, and so no rights. */
async function askSystem(uid: number): Promise<Names> {
  try {
    const ask = async (...flags: readonly string[]): Promise<string> =>
      (await run('id', [...flags, `+${uid}`], { timeout: idTimeoutMs })).stdout;
    const [user, groups] = await Promise.all([ask('-un'), ask('-Gnz')]);
    return { user: user.trim(), groups: groups.split('\0').filter((name) => name !== '') };
  } catch {
    return { user: `#${uid}`, groups: [] };
  }
}
