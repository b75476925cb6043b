# What systole's own agents share: exit codes, reasons, the actions that are the same for all of them.
#
# Sourced, not run. POSIX sh, and no process is started here: an agent's start is part of every failover's outage.
# An agent defines agent_start, agent_stop, agent_monitor, agent_validate and agent_metadata, then calls: run "$@"

OCF_SUCCESS=0
OCF_ERR_GENERIC=1
OCF_ERR_ARGS=2
OCF_ERR_UNIMPLEMENTED=3
OCF_ERR_PERM=4
OCF_ERR_INSTALLED=5
OCF_ERR_CONFIGURED=6
OCF_NOT_RUNNING=7
OCF_RUNNING_PROMOTED=8
OCF_FAILED_PROMOTED=9
OCF_DEGRADED=190

# Where agents keep state that must not outlive a boot.
state_dir=${HA_RSCTMP:-/run/resource-agents}
instance=${OCF_RESOURCE_INSTANCE:-default}

# Says why, for the operator; the last reason counts.
reason() {
	echo "${OCF_EXIT_REASON_PREFIX:-ocf-exit-reason:}$*" >&2
}

log() {
	echo "$*" >&2
}

# A monitor that only finds out whether the resource runs here; everything else may expect it to.
is_probe() {
	[ "${OCF_RESKEY_CRM_meta_interval:-0}" = 0 ]
}

is_true() {
	case $1 in
	1 | true | yes | on | True | TRUE | Yes | YES) return 0 ;;
	*) return 1 ;;
	esac
}

is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	*) return 0 ;;
	esac
}

need_state_dir() {
	[ -d "$state_dir" ] || mkdir -p "$state_dir"
}

# Milliseconds as sleep takes them.
seconds() {
	printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}

usage() {
	echo "usage: $0 start|stop|restart|status|monitor|validate-all|meta-data${1:+|$1}" >&2
}

# run ACTION [MORE ACTIONS THAT THE AGENT HAS]: a function agent_ACTION (with _ for -) for each of them.
run() {
	case $1 in
	meta-data)
		agent_metadata
		exit $OCF_SUCCESS
		;;
	start | stop | monitor) agent_"$1" ;;
	status) agent_monitor ;;
	validate-all) agent_validate ;;
	restart) agent_stop && agent_start ;;
	*)
		for more in $2; do
			[ "$1" = "$more" ] || continue
			agent_"$(echo "$more" | tr - _)"
			exit $?
		done
		usage "$(echo "$2" | tr ' ' '|')"
		exit $OCF_ERR_UNIMPLEMENTED
		;;
	esac
	exit $?
}
