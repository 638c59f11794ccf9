#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs kwsd's Debian packages on this machine, uses what they bring, and purges them again.
#   packaging/check-installed.sh kwsd_*.deb kwsd-models_*.deb
# The account kwsd stays, as Debian's policy wants it.
set -euo pipefail

config=/etc/kwsd/kwsd.conf
model=/usr/share/kwsd/models/commands.safetensors
run=(env DEBIAN_FRONTEND=noninteractive)
[ "$(id -u)" -eq 0 ] || run=(sudo "${run[@]}")

fail() {
	printf 'check-installed: %s\n' "$*" >&2
	exit 1
}

# Everything of ours outside of homes and what others may write to.
list_ours() {
	find /etc /usr /var /lib/systemd /run \( -path /usr/local -o -path /var/tmp \) -prune -o \
		\( -name 'kwsd*' -o -name 'kws' -o -name 'kws[.-]*' -o -name kwsctl\* \) -print \
		2>/dev/null | sort
}

package_is_known() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qvx not-installed
}

purge() {
	"${run[@]}" apt-get purge -y -qq kwsd kwsd-models >/dev/null
}

check_files() {
	local name
	for name in kwsd kwsctl kws kws-scan kws-classify kws-tune kws-info; do
		[ -s "/usr/share/man/man1/$name.1.gz" ] || fail "no manual page of $name"
	done
	# shellcheck disable=SC2016 # dpkg-query expands the field
	dpkg-query -W -f '${Conffiles}' kwsd | grep -q "^ $config " || fail "$config is no conffile"
	id -nG kwsd | grep -qw audio || fail "the account kwsd is not in the group audio"
}

check_units() {
	systemctl --root=/ is-enabled --quiet kwsd.service || fail "kwsd.service is not enabled"
	! systemctl --root=/ --global is-enabled --quiet kwsd-user.service ||
		fail "kwsd-user.service is enabled for every user"
	systemd-analyze verify --system --man=no --recursive-errors=no kwsd.service
	XDG_RUNTIME_DIR=$folder systemd-analyze verify --user --man=no --recursive-errors=no \
		kwsd-user.service
	if [ -d /run/systemd/system ]; then
		systemctl is-active --quiet kwsd.service || fail "kwsd.service is not active"
	fi
}

check_offline() {
	kwsd --config "$config" --check-config
	kws info "$model" >"$folder/info"
	grep -q yes "$folder/info" || fail "kws info does not know the word yes"
	espeak-ng -w "$folder/yes.wav" yes
	kws classify --model "$model" "$folder/yes.wav" | tee "$folder/said"
	grep -q ': yes ' "$folder/said" || fail "kws classify took a spoken yes for something else"
}

# The installed daemon under its own account with the installed configuration; silence instead of the
# microphone, which not every machine has.
check_daemon() {
	local pid status=0
	"${run[@]}" install -d -o kwsd -g kwsd -m 0750 "$folder/run"
	"${run[@]}" setpriv --reuid kwsd --regid kwsd --init-groups --no-new-privs \
		env RUNTIME_DIRECTORY="$folder/run" \
		kwsd --config "$config" --set audio.source=null 2>"$folder/log" &
	pid=$!
	for _ in $(seq 100); do
		[ ! -S "$folder/run/control" ] || break
		sleep 0.1
	done
	"${run[@]}" kwsctl --endpoint "ipc://$folder/run/control" status >"$folder/status" ||
		status=$?
	"${run[@]}" kill "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 0 ] || fail "the daemon did not answer or end: $(cat "$folder/log")"
	grep -Eq 'model +commands$' "$folder/status" || fail "the daemon runs another model"
}

[ $# -gt 0 ] || fail "name the packages"
for name in kwsd kwsd-models; do
	! package_is_known "$name" || fail "$name is installed here already; purge it first"
done
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'purge || true; rm -rf "$folder"' EXIT
list_ours >"$folder/before"

mapfile -t packages < <(readlink -f "$@") # apt takes what has no slash for a name
"${run[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
check_files
check_units
check_offline
check_daemon

"${run[@]}" mkdir -p /etc/kwsd/keys /var/lib/kwsd/clips # as an administrator and the service do
"${run[@]}" kwsctl keygen /etc/kwsd/keys/server >/dev/null
purge
trap 'rm -rf "$folder"' EXIT
list_ours >"$folder/after"
diff "$folder/before" "$folder/after" || fail "the purge left these, or took them"
echo "installed, used and purged: $*"
