# What must hold; `nix flake check` builds all of it.
{ self, pkgs, programs, machines }:
let
  inherit (pkgs) lib;
  rust = pkgs.rustPackages_1_95;

  # A short stay in each kernel: the whole suite takes minutes where the CPU is emulated, and `nix run .#vm` runs it.
  smoke = name: machine: pkgs.runCommand "smoke-${name}" { nativeBuildInputs = [ machine ]; } ''
    ${name} --run probe,features,refusal,conformance --out boot -- half_close
    mkdir "$out"
    cp boot/vm.json boot/console.log "$out"
  '';
in
{
  # Wants a kernel with io_uring under the builder, and loopback, which the sandbox has.
  tests = programs.build {
    pname = "uring-echo-tests";
    members = [ ];
    description = "The tests of the workspace";
    # Some hold the documents to what they promise.
    src = self;
    buildType = "debug";
    cargoBuildFlags = [ "--workspace" ];
    cargoTestFlags = [ "--workspace" ];
    doCheck = true;
    # A test makes repositories to be built from.
    nativeCheckInputs = [ pkgs.git ];
    installPhase = ''
      mkdir "$out"
    '';
  };

  formatting = pkgs.runCommand "formatting" { nativeBuildInputs = [ rust.cargo rust.rustfmt pkgs.nixpkgs-fmt pkgs.deadnix ]; } ''
    cd ${self}
    HOME=$TMPDIR cargo fmt --all --check
    nixpkgs-fmt --check flake.nix nix
    deadnix --fail flake.nix nix
    touch "$out"
  '';
} // lib.mapAttrs smoke (removeAttrs machines [ "vm" ])
