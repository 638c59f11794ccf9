#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's armhf builds of the named packages, and what they depend on, in FOLDER, for
# cross/armhf-linux.ini. Changes nothing else and needs no root: installed beside this machine's
# packages they would have to be of the very same versions, which a mirror does not always have.
#   cross/armhf-root.sh FOLDER PACKAGE...
set -euo pipefail

root=$1
shift
packages="$*"

if [ -f "$root/packages" ] && [ "$(cat "$root/packages")" = "$packages" ]; then
	exit 0
fi
rm -rf "$root"
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status" # nothing is installed there

armhf_apt_get() {
	apt-get -qq -o APT::Architecture=armhf -o APT::Architectures::=armhf \
		-o Dir::State="$apt" -o Dir::State::lists="$apt/lists" \
		-o Dir::State::status="$apt/status" -o Dir::Cache="$apt" \
		-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "$@"
}

# One list of several may be out of step on a mirror; the install below says if it was needed.
armhf_apt_get update || printf 'armhf-root: going on with the lists that are there\n' >&2
# shellcheck disable=SC2086 # one word per package
armhf_apt_get install -y --no-install-recommends --download-only $packages

for deb in "$apt"/archives/*.deb; do
	case ${deb##*/} in
	libc6-dev_*) ;; # the cross compiler has its own
	*) dpkg-deb --extract "$deb" "$root" ;;
	esac
done
printf "[constants]\nroot = '%s'\n" "$(realpath "$root")" >"$root/root.ini"
printf '%s\n' "$packages" >"$root/packages"
