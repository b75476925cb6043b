# What systole's own fence agents share: reading options as fence agents do, and answering.
#
# Sourced, not run. Options come as name=value lines on standard input, or for people as --name=value and the usual
# letters. An agent defines fence_metadata and fence_do ACTION (0 done; for status 0 on, 2 off), then calls: run "$@"

option_action=reboot
option_plug=

set_option() {
	case $1 in
	action | option) option_action=$2 ;;
	plug | port) option_plug=$2 ;;
	nodename) option_nodename=$2 ;;
	*[!a-zA-Z0-9_]* | '') ;;
	*) eval "option_$1=\$2" ;;
	esac
}

read_options() {
	if [ $# -eq 0 ]; then
		while IFS= read -r line || [ -n "$line" ]; do
			case $line in
			'#'* | '') ;;
			*=*) set_option "${line%%=*}" "${line#*=}" ;;
			esac
		done
		return
	fi
	while [ $# -gt 0 ]; do
		case $1 in
		-o | --action) set_option action "$2" && shift ;;
		-n | --plug) set_option plug "$2" && shift ;;
		--*=*)
			name=${1#--}
			set_option "${name%%=*}" "${name#*=}"
			;;
		*) echo "ignoring unknown option $1" >&2 ;;
		esac
		shift
	done
}

# A node's name as it may stand in a question or a file name.
is_plain_name() {
	case $1 in
	'' | *[!a-zA-Z0-9_.-]* | .*) return 1 ;;
	*) return 0 ;;
	esac
}

run() {
	read_options "$@"
	[ -n "$option_plug" ] || option_plug=$option_nodename
	case $(echo "$option_action" | tr 'A-Z' 'a-z') in
	metadata | meta-data) fence_metadata && exit 0 ;;
	on | off | reboot | status)
		if ! is_plain_name "$option_plug"; then
			echo "which host? \"$option_plug\" is no plug" >&2
			exit 1
		fi
		fence_do "$option_action"
		;;
	monitor | list | validate-all) fence_do "$option_action" ;;
	*)
		echo "cannot do \"$option_action\"" >&2
		exit 1
		;;
	esac
	exit $?
}
