#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs end-to-end tests with kwsd under valgrind: each daemon that they start fails, with the report
# in its log, on an invalid access, a value that was not written or a leak.
#   tests/valgrind.sh [BUILD]        BUILD: a build folder, built if it is not given
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

[ $# -gt 0 ] || ./dev build
build=$(readlink -f "${1:-build}")

folder=$(mktemp -d /tmp/kws-valgrind-XXXXXX)
trap 'rm -rf "$folder"' EXIT

# Runs tests/e2e/test_$1.py with the other arguments given to valgrind.
check() {
	local subject=$1
	shift
	cat >"$folder/kwsd" <<END
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=full \
	--show-leak-kinds=definite,indirect,possible \
	--errors-for-leak-kinds=definite,indirect,possible \
	--log-file="$folder/$subject.%p" $* -- "$build/daemon/kwsd" "\$@"
END
	chmod +x "$folder/kwsd"
	local status=0
	KWS_TEST_VALGRIND=1 KWS_TEST_KWSD=$folder/kwsd KWS_TEST_KWSCTL=$build/cli/kwsctl \
		KWS_TEST_KWS=$build/cli/kws \
		"tests/e2e/test_$subject.py" || status=$?
	# Not every test looks at the exit status of every daemon.
	cat "$folder/$subject".*
	if [ "$status" -ne 0 ] || [ -n "$(cat "$folder/$subject".*)" ]; then
		echo "valgrind: test_$subject.py failed" >&2
		exit 1
	fi
}

check control
check reload
check scan
# alsa-lib, PortAudio and PulseAudio's client compute with parts of structures that a plugin did not
# fill in, and hand us a frame count made of them: here memcheck looks at accesses and leaks only.
check pulse --undef-value-errors=no
echo "valgrind: no error, no leak"
