# The workspace's programs, each built from the same source by the toolchain of rust-toolchain.toml.
{ pkgs }:
let
  inherit (pkgs) lib;
  inherit (pkgs.rustPackages_1_95) rustPlatform;

  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);

  # What cargo reads. It wants the manifest of every member, whichever it builds.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.toml
      ../Cargo.lock
      ../build.rs
      ../flake.lock
      ../src
      ../tests
      ../experiments
      ../analysis
      ../paper
    ];
  };

  # The recordings that the published results stand on.
  recordings = lib.fileset.toSource { root = ../results; fileset = ../results; };

  build = { pname, members, description, ... }@args:
    rustPlatform.buildRustPackage ({
      inherit src;
      version = manifest.workspace.package.version;
      cargoLock.lockFile = ../Cargo.lock;
      cargoBuildFlags = lib.concatMap (member: [ "--package" member ]) members ++ [ "--bins" ];
      # `nix flake check` runs the tests: they want a kernel with io_uring, which using the programs may not.
      doCheck = false;
      meta = {
        inherit description;
        license = lib.licenses.mit;
        mainProgram = pname;
        platforms = lib.platforms.linux;
      };
    } // removeAttrs args [ "members" "description" ]);

  # A program with what it needs beside it; the user's own environment still wins.
  wrapped = { name, package, text }: pkgs.writeShellApplication {
    inherit name;
    text = ''
      ${text}
      exec ${lib.getExe package} "$@"
    '';
    meta = { inherit (package.meta) description; mainProgram = name; };
  };

  uring-echo = build {
    pname = "uring-echo";
    members = [ "uring-echo" ];
    description = "Two TCP echo servers, epoll and io_uring, and a load client that measures them";
  };

  experiments-unwrapped = build {
    pname = "experiments";
    members = [ "experiments" "baseline-mio" ];
    description = "Run experiments that compare the servers, and keep their recordings";
  };

  analysis-unwrapped = build {
    pname = "analysis";
    members = [ "analysis" ];
    # A study is analysed in seconds even so, and an optimised build of the data frames takes longer than all else.
    buildType = "debug";
    description = "Turn recordings into tables, figures, a report and checked claims";
  };

  paper-unwrapped = build {
    pname = "paper";
    members = [ "paper" ];
    buildType = "debug";
    description = "Compile the write-up to PDF";
  };
in
{
  inherit build uring-echo;

  experiments = wrapped {
    name = "experiments";
    package = experiments-unwrapped;
    text = ''
      export URING_ECHO_BIN="''${URING_ECHO_BIN:-${lib.getExe uring-echo}}"
      export BASELINE_MIO_BIN="''${BASELINE_MIO_BIN:-${experiments-unwrapped}/bin/baseline-mio}"
    '';
  };

  analysis = wrapped {
    name = "analysis";
    package = analysis-unwrapped;
    text = ''
      # Outside of a checkout, and asked for nothing else: the recordings that the published results stand on.
      if [[ $# -eq 0 && ! -d results ]]; then
        set -- --results ${recordings}
      fi
    '';
  };

  paper = wrapped {
    name = "paper";
    package = paper-unwrapped;
    text = ''
      # Without values and asked for nothing else: those of the recordings here, or else of the published ones.
      if [[ $# -eq 0 && ! -e out/values.json ]]; then
        recordings=results
        [[ -d results ]] || recordings=${recordings}
        ${lib.getExe analysis-unwrapped} --results "$recordings" --out out
      fi
    '';
  };

  # Static, because a guest has no file but these: the first process, what it can start, and the conformance suite.
  guest = build {
    pname = "uring-echo-guest";
    members = [ "guest" "uring-echo" "experiments" "baseline-mio" ];
    description = "Static programs for the kernel-test VM";
    cargoBuildFlags = [
      "--package"
      "guest"
      "--package"
      "uring-echo"
      "--package"
      "experiments"
      "--package"
      "baseline-mio"
      "--bins"
      "--test"
      "conformance"
    ];
    buildInputs = [ pkgs.glibc.static ];
    env.RUSTFLAGS = "-C target-feature=+crt-static";
    # Cargo puts a test's program among the dependencies, under a name with a hash.
    postInstall = ''
      find target/ -path '*/deps/conformance-*' -type f -executable -printf '%T@ %p\n' \
        | sort --numeric-sort | tail --lines=1 | cut --delimiter=' ' --fields=2 \
        | xargs --replace install -m 755 '{}' "$out/bin/conformance"
    '';
  };
}
