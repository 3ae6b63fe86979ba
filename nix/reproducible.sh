#!/usr/bin/env bash
# Builds the static binary twice, in folders of different names and with nothing shared but the crates' sources, and
# compares the two bit by bit.
#
# Usage: nix/reproducible.sh [FOLDER]    keeps the binary in FOLDER. About three minutes on two cores.
set -euo pipefail
exec </dev/null
keep=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TARGET=x86_64-unknown-linux-gnu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo_home=${CARGO_HOME:-$HOME/.cargo}

# Prints the SHA-256 of the binary that a copy of the tracked files in the folder $1 gives.
build() {
    local folder=$work/$1
    mkdir -p "$folder"
    git ls-files -z | xargs --null cp --parents --target-directory "$folder"
    # What a panic message or a line table says of a file must not depend on where it was.
    local flags="-C target-feature=+crt-static --remap-path-prefix=$folder=. --remap-path-prefix=$cargo_home=cargo"
    (
        cd "$folder"
        RUSTFLAGS=$flags CARGO_TARGET_DIR=$folder/target cargo build --quiet --release --locked --target "$TARGET" \
            --package uring-echo --bin uring-echo
    )
    sha256sum "$folder/target/$TARGET/release/uring-echo" | cut --delimiter=' ' --fields=1
}

first=$(build one)
second=$(build another/place)
printf '%s  first\n%s  second\n' "$first" "$second"
if [[ $first != "$second" ]]; then
    echo 'error: the two differ; where:' >&2
    cmp "$work/one/target/$TARGET/release/uring-echo" "$work/another/place/target/$TARGET/release/uring-echo" >&2 || true
    exit 1
fi
if grep --quiet --fixed-strings "$work" "$work/one/target/$TARGET/release/uring-echo"; then
    echo "error: they are the same and still name $work" >&2
    exit 1
fi
if [[ -n $keep ]]; then
    mkdir -p "$keep"
    cp "$work/one/target/$TARGET/release/uring-echo" "$keep/"
fi
rustc --version
echo 'bit-identical'
