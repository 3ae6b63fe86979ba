#!/usr/bin/env bash
# Evaluates every output of the flake with a newer Nix than Debian 12's: the one of Debian 13, unpacked into a folder of its
# own and started by its own loader. Nothing is installed, and apt's own configuration and state stay as they are.
#
# Usage: nix/newer-nix.sh SHIM    with the folder of a shim that knows its host, as nix/check.sh makes it
set -euo pipefail
exec </dev/null
shim=$(realpath "${1:?the folder of the shim}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# The mirror that this machine uses, whichever it is.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | sort --unique | tail --lines=1)

# An apt that knows Debian 13 and believes that nothing is installed, so that it fetches every library too.
mkdir -p "$work"/apt/{lists,cache/archives}/partial "$work/unpacked"
touch "$work/apt/status"
cat >"$work/apt/sources.list" <<SOURCES
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main
SOURCES
cat >"$work/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$work/apt/apt.conf
apt-get update --quiet=2
apt-get install --yes --quiet=2 --download-only --no-install-recommends nix-bin >/dev/null
# The packages it runs on, and not what they in turn would configure.
for package in "$work"/apt/cache/archives/{lib,nix-bin}*.deb; do
    dpkg-deb --extract "$package" "$work/unpacked"
done

libraries=$work/unpacked/usr/lib/x86_64-linux-gnu
nix() {
    "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" --argv0 nix "$work/unpacked/usr/bin/nix" "$@"
}
nix --version
# A store of its own: a newer Nix changes the database of an older one's.
nix --store "$work/store" flake check --no-build --all-systems --override-input nixpkgs "path:$shim" --no-write-lock-file .
