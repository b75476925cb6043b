# What the helper programs share: they ask the daemon, which answers for all of them (packages/daemon/src/agent-commands).
#
# Sourced, not run: `. "${0%/*}/ask-daemon.sh"; ask_daemon "$@"`. Nothing is decided here, so that a helper costs a
# shell and one connection, about 5 ms. The question is an HTTP request whose body is a row of netstrings (LENGTH:BYTES,):
# the program's name, the resource on whose behalf it was called, its arguments.

LC_ALL=C
export LC_ALL

netstrings() {
	body=
	for text; do
		body=$body${#text}:$text,
	done
}

ask_daemon() {
	socket=${SYSTOLE_SOCKET:-/run/systole/systole.sock}
	netstrings "${0##*/}" "$OCF_RESOURCE_INSTANCE" "$@"
	cr=$(printf '\r')
	# The last line says how it went; without it the daemon was lost on the way.
	code=
	in_body=
	while IFS= read -r line; do
		if [ -z "$in_body" ]; then
			[ "$line" != "$cr" ] || in_body=yes
			continue
		fi
		case $line in
		'o '*) printf '%s\n' "${line#o }" ;;
		'e '*) printf '%s\n' "${line#e }" >&2 ;;
		'x '*) code=${line#x } ;;
		esac
	done <<-END
		$(printf 'POST /v1/agent-command HTTP/1.0\r\nHost: local\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s' ${#body} "$body" | "${0%/*}/socket-ask" "$socket" 2>/dev/null)
	END
	if [ -z "$code" ]; then
		echo "${0##*/}: no answer from the cluster's daemon at $socket" >&2
		exit 102
	fi
	exit "$code"
}
