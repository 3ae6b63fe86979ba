#!/usr/bin/env bash
# Holds the flake to all that can be held without nixpkgs and its binary cache: its lock, its syntax, its style, and by a
# stand-in for nixpkgs (nix/shim) that its packages, apps and checks do what they say. README.md beside this file says what
# that proves and what it does not.
#
# Wants Debian 12, a Rust toolchain and qemu-system-x86_64, and root for Nix's store. Installs Nix and two linters if they
# are missing. Takes about five minutes on two cores, most of them in cargo and in emulated guests.
set -euo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The pin, as it was verified; flake.lock has to say the same.
readonly PIN='{"lastModified":1784432872,"narHash":"sha256-n3gKTBIV4ZA5VQpUakffBe3KGu4+mhPoA34rrqS0GkA=","owner":"NixOS","repo":"nixpkgs","rev":"fd1462031fdee08f65fd0b4c6b64e22239a77870","type":"github"}'

# Kernels that Debian 12 has, of those that the flake pins.
readonly SERIES=(6.1 6.12)

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export NIX_CONF_DIR=$WORK/conf

say() {
    printf '\n--> [%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"
}

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Runs a command that has to fail, and to say why.
refuses() {
    local reason=$1 status=0
    shift
    "$@" >"$WORK/refusal" 2>&1 || status=$?
    if ((status == 0)) || ! grep --quiet --fixed-strings -- "$reason" "$WORK/refusal"; then
        cat "$WORK/refusal"
        fail "this should have failed and said '$reason': $*"
    fi
    echo "refused as it should be: $reason"
}

need_nix() {
    if ! command -v nix >/dev/null; then
        ((EUID == 0)) || fail 'there is no nix; install it first: apt-get install nix-bin'
        apt-get install --yes --quiet=2 --no-install-recommends nix-bin
    fi
    [[ -w /nix || (! -e /nix && -w /) ]] || fail '/nix cannot be written to; run this as root'
    mkdir -p "$NIX_CONF_DIR"
    cat >"$NIX_CONF_DIR/nix.conf" <<'CONF'
experimental-features = nix-command flakes
sandbox = false
substituters =
build-users-group =
flake-registry =
CONF
}

# Unoptimised: each looks at a dozen small files.
need_linters() {
    export PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    nixpkgs-fmt --version >/dev/null 2>&1 || cargo install --quiet --debug --locked nixpkgs-fmt@1.3.0
    deadnix --version >/dev/null 2>&1 || cargo install --quiet --debug --locked deadnix@1.3.1
}

check_lock() {
    local found
    found=$(nix eval --impure --raw --expr \
        "builtins.toJSON (builtins.fromJSON (builtins.readFile ./flake.lock)).nodes.nixpkgs.locked")
    [[ $found == "$PIN" ]] || fail "flake.lock pins $found, and what was verified is $PIN"
    # Fails where an input of flake.nix is not in the lock, and asks no server if all are.
    nix flake metadata --no-update-lock-file . >/dev/null
    echo 'the lock has the verified pin and covers every input'
}

check_style() {
    find flake.nix nix -name '*.nix' -exec nix-instantiate --parse '{}' + >/dev/null
    deadnix --fail flake.nix nix
    nixpkgs-fmt --check flake.nix nix
}

# A copy of the shim that knows this machine.
make_shim() {
    local target toolchain series kernels=''
    target=$(cargo metadata --no-deps --format-version=1 --locked | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)
    toolchain=$(rustc --print sysroot)
    for series in "${SERIES[@]}"; do
        kernels+="\"$series\" = \"$(cargo run --quiet --locked --package experiments -- vm --kernel "debian:$series" --fetch-only)\"; "
    done
    cp -r nix/shim "$WORK/shim"
    cat >"$WORK/shim/host.nix" <<HOST
{
  path = "$toolchain/bin:$PATH";
  cargoHome = "${CARGO_HOME:-$HOME/.cargo}";
  rustupHome = "${RUSTUP_HOME:-$HOME/.rustup}";
  targetDir = "$target";
  testFilter = "half_close";
  kernels = { $kernels};
}
HOST
}

# Nix on the flake in folder $1, with the shim for nixpkgs.
flake_in() {
    local folder=$1
    local -a words
    read -r -a words <<<"$2"
    shift 2
    # Each call warns that the lock stays as it is; anything else that Nix says is let through.
    {
        nix "${words[@]}" "$folder$1" --override-input nixpkgs "path:$WORK/shim" --no-write-lock-file "${@:2}" 2>&1 >&3 \
            | sed --regexp-extended "/^warning: (not writing|Git tree)|^• Updated|^ +('github|→)/d" >&2
    } 3>&1
}

flake() {
    local command=$1
    shift
    flake_in . "$command" "$@"
}

check_outputs() {
    # Evaluates every output on both systems; those of this one are built below, where the shim has what they need.
    flake 'flake check' '' --no-build
    local series name
    for name in formatting tests; do
        flake build "#checks.x86_64-linux.$name" --no-link
        echo "passed: $name"
    done
    for series in "${SERIES[@]}"; do
        flake build "#checks.x86_64-linux.vm-${series/./_}" --out-link "$WORK/vm-$series"
        grep --max-count=1 '"release"' "$WORK/vm-$series/vm.json"
        echo "passed: vm-${series/./_}"
    done
    refuses 'the shim has no Linux 6.6' flake build '#checks.x86_64-linux.vm-6_6' --no-link
}

# What the shim is for: a copy of the flake with a fault in it does not evaluate.
check_refusals() {
    local copy=$WORK/copy
    mkdir "$copy"
    git ls-files -z | xargs --null cp --parents --target-directory "$copy"
    sed --in-place 's/cargoBuildFlags = lib/cargoBuildFlag = lib/' "$copy/nix/programs.nix"
    refuses 'not known to take: cargoBuildFlag' flake_in "path:$copy" eval '#packages.x86_64-linux.uring-echo.drvPath'
    cp nix/programs.nix "$copy/nix/"
    sed --in-place 's/pkgs.strace/pkgs.straec/' "$copy/nix/shell.nix"
    refuses "attribute 'straec' missing" flake_in "path:$copy" eval '#devShells.x86_64-linux.default.drvPath'
    sed --in-place "s|^  inputs.nixpkgs.url.*|&  inputs.other.url = \"path:$WORK/shim\";|" "$copy/flake.nix"
    refuses 'requires lock file changes' nix flake metadata --no-update-lock-file "path:$copy"
}

check_runs() {
    flake run '#uring-echo' -- probe
    flake run '#experiments' -- quick --repetitions 1 --filter mode=req-res,payload_bytes=256,connections=8 \
        --out "$WORK/results"
    # Outside of the checkout, so that what they read is what the flake gives them.
    (
        checkout=$PWD
        mkdir "$WORK/elsewhere" && cd "$WORK/elsewhere"
        flake_in "$checkout" run '#analysis'
        flake_in "$checkout" run '#paper' -- --help
    )
    flake run '#vm' -- --run probe,features,refusal
}

need_nix
need_linters
say 'lock'
check_lock
say 'syntax and style'
check_style
say 'the shim'
make_shim
say 'outputs'
check_outputs
say 'apps'
check_runs
say 'faults'
check_refusals
say 'a newer Nix'
nix/newer-nix.sh "$WORK/shim" >"$WORK/newer" 2>&1 || {
    cat "$WORK/newer"
    fail 'a newer Nix does not accept the flake'
}
grep '^nix ' "$WORK/newer"
echo "derivations evaluated: $(grep --count 'derivation evaluated' "$WORK/newer")"
say 'all passed'
