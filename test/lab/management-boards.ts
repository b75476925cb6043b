/**
 * A management board for each machine of a laboratory: openipmi's simulator speaks real IPMI over the network, and what it
 * is told to do to its machine's power, the laboratory's power switch does. So unmodified fence agents can be used.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Machine } from './namespaces.ts';
import type { Lab } from './cluster.ts';

export const boardUser = 'fence';
export const boardPassword = 'secret';

/** Called by the simulator: `chassis get power`, `chassis set power 0`, `chassis set reset 1`. */
const chassis = (socket: string, node: string): string => `#!/bin/sh
ask() { printf '%s\\n' "$1 ${node}" | nc -U -w 20 ${socket}; }
operation=$1
shift
case $operation in
get)
    for name; do
        case $name in
        power) case $(ask status) in *on*) echo power:1 ;; *) echo power:0 ;; esac ;;
        boot) echo boot:default ;;
        esac
    done
    ;;
set)
    while [ $# -gt 1 ]; do
        case "$1 $2" in
        'power 0') ask off ;;
        'power 1') ask on ;;
        'reset 1') ask reboot ;;
        esac
        shift 2
    done >/dev/null
    ;;
esac
exit 0
`;

const lan = (address: string, index: number, program: string): string => `name "board${index}"
set_working_mc 0x20
  startlan 1
    addr ${address} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa12345678900000${index}
  endlan
  chassis_control "${program}"
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "${boardUser}" "${boardPassword}" admin 10 none md2 md5 straight
`;

const emulation = [
  'mc_setbmc 0x20',
  'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr',
  'sel_enable 0x20 1000 0x0a',
  'mc_enable 0x20',
  '',
].join('\n');

/** The boards live in a machine of their own: they have power when their machines have none. */
export class ManagementBoards {
  readonly machine = new Machine('boards');
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** 10.77.0.201, 10.77.0.202, … in the order of the nodes. */
  address(node: string): string {
    return `10.77.0.${200 + Number(this.#lab.address(node).split('.')[3])}`;
  }

  async open(): Promise<void> {
    const nodes = [...this.#lab.machines.keys()];
    await this.machine.boot();
    await this.#lab.network.connect(this.machine, ...nodes.map((node) => `${this.address(node)}/24`));
    for (const [index, node] of nodes.entries()) {
      const folder = join(this.#lab.folder, `board-${node}`);
      await mkdir(folder, { recursive: true });
      const program = join(folder, 'chassis');
      await writeFile(program, chassis(this.#lab.power.socketPath, node));
      await chmod(program, 0o755);
      await writeFile(join(folder, 'lan.conf'), lan(this.address(node), index + 1, program));
      await writeFile(join(folder, 'board.emu'), emulation);
      this.machine.start(
        ['ipmi_sim', '-c', join(folder, 'lan.conf'), '-f', join(folder, 'board.emu'), '-s', folder, '-n'],
        () => undefined,
      );
    }
  }

  async close(): Promise<void> {
    await this.machine.powerOff();
  }
}
