/** The agents that the executor's cases need, written into a folder of the test's own. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentPlaces } from '@systole/ra';
import { ownPlaces } from '../support/executor.ts';

const lsbDummy = (state: string): string => `#!/bin/sh
f=${state}/lsb-dummy
case $1 in
start) : >$f ;;
stop) rm -f $f ;;
status) [ -e $f ] || exit 3 ;;
*) exit 3 ;;
esac
`;

/** Stands for systemd: units take a moment. */
const systemctl = (state: string): string => `#!/bin/sh
verb=$1; shift
while [ "$1" != -- ] && [ -n "$1" ]; do shift; done
unit=$2
f=${state}/unit-$unit
case $verb:$unit in
daemon-reload:*) exit 0 ;;
*:this_is_fake*)
	[ $verb = show ] && printf 'LoadState=not-found\\nActiveState=inactive\\nDescription=\\n' && exit 0
	exit 5 ;;
show:*)
	state=inactive; [ -e $f ] && state=active
	printf 'LoadState=loaded\\nActiveState=%s\\nDescription=a test\\n' $state ;;
start:*) sleep 0.2; : >$f ;;
stop:*) sleep 0.2; rm -f $f ;;
esac
exit 0
`;

/** An OCF agent that follows the contract: `slow` makes every action take so many seconds and fail if it meets another. */
const compliant = (state: string, slow: number): string => `#!/bin/sh
f=${state}/compliant-$OCF_RESOURCE_INSTANCE
if [ ${slow} -gt 0 ] && [ "$1" != meta-data ]; then
	mkdir $f.busy || exit 1
	sleep ${slow}
	rmdir $f.busy
fi
case $1 in
start) : >$f ;;
stop) rm -f $f ;;
monitor) [ -e $f ] || exit 7 ;;
meta-data) echo '<resource-agent name="c"><parameters/><actions/></resource-agent>' ;;
*) exit 3 ;;
esac
exit 0
`;

function program(path: string, text: string, mode = 0o755): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** Folders with agents below `work`, and the system's own OCF agents beside them. */
export function testAgents(work: string): AgentPlaces {
  const state = join(work, 'state');
  const [lsb, helpers, ocf] = [join(work, 'init.d'), join(work, 'bin'), join(work, 'resource.d')];
  for (const folder of [state, lsb, helpers, join(ocf, 'trial')]) mkdirSync(folder, { recursive: true });
  program(join(lsb, 'LSBDummy'), lsbDummy(state));
  program(join(lsb, 'compliant'), lsbDummy(state).replace('lsb-dummy', 'lsb-compliant'));
  program(join(helpers, 'systemctl'), systemctl(state));
  program(join(ocf, 'trial', 'compliant'), compliant(state, 0));
  program(join(ocf, 'trial', 'slow'), compliant(state, 2));
  const own = ownPlaces();
  return { ...own, lsb: [lsb], helpers, ocf: [ocf, ...own.ocf] };
}

/** An agent of one case's own; its type. */
export function caseAgent(places: AgentPlaces, type: string, script: string, mode: number): string {
  program(join(places.ocf[0] ?? '', 'trial', type), script, mode);
  return type;
}
