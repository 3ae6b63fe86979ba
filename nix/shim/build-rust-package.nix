# rustPlatform.buildRustPackage with the host's cargo: flags and phases as there, the profile and the target folder not.
#
# The real one builds every derivation from nothing, optimised and without a network. Here a target folder is shared and
# programs for the host are built with the development profile, so that a whole check takes minutes. Static programs are
# optimised, as an emulated CPU runs them.
{ lib, arguments, host, scripted }:
input:
let
  args = arguments.buildRustPackage input;
  cargoLock = arguments.cargoLock args.cargoLock;
  flags = (arguments.env (args.env or { })).RUSTFLAGS or "";
  isStatic = flags != "";
  target = "x86_64-unknown-linux-gnu";
  # As the real build, a static one names its target: then build scripts and procedural macros stay dynamic.
  profile = if isStatic then "--release --target ${target}" else "--profile dev";
  releaseDir = if isStatic then "target/${target}/release" else "target/debug";
  words = list: lib.concatMap (word: [ "'${word}'" ]) list;
  quoted = list: builtins.concatStringsSep " " (words list);
in
assert cargoLock.lockFile != null;
scripted {
  name = "${args.pname}-${args.version}";
  inherit (args) meta;
  environment = { inherit (args) src; RUSTFLAGS = flags; };
  script = ''
    export CARGO_HOME=${host.cargoHome} RUSTUP_HOME=${host.rustupHome} HOME=$NIX_BUILD_TOP
    export CARGO_TARGET_DIR=${host.targetDir}${if isStatic then "/vm" else ""}
    cmp ${cargoLock.lockFile} "$src/Cargo.lock"
    build=$NIX_BUILD_TOP/build
    mkdir -p "$build" "$CARGO_TARGET_DIR"
    ln -s "$CARGO_TARGET_DIR" "$build/target"
    cd "$build"

    cargo build ${profile} --locked --manifest-path "$src/Cargo.toml" --message-format=json-render-diagnostics \
      ${quoted args.cargoBuildFlags} >messages
    ${if args.doCheck or true then ''
      cargo test ${profile} --locked --manifest-path "$src/Cargo.toml" ${quoted (args.cargoTestFlags or [ ])} \
        -- ${host.testFilter} ${quoted (args.checkFlags or [ ])}
    '' else ""}
    ${args.installPhase or ''
      mkdir -p "$out/bin"
      # Only what this build made: the folder is shared, and holds what others made too.
      grep -o '"executable":"[^"]*"' messages | cut -d'"' -f4 >executables
      while read -r program; do
        if [[ $(dirname "$program") == "$(realpath ${releaseDir})" ]]; then
          cp "$program" "$out/bin/"
        fi
      done <executables
    ''}
    ${args.postInstall or ""}
  '';
}
