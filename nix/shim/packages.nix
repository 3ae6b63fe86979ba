# The packages that the flake uses, made with what the host has.
#
# What a builder has to know of the host comes from host.nix, which nix/check.sh writes beside this file: where programs,
# crates and kernels are, and a target folder, so that crates are built once and not once a derivation.
{ system ? "x86_64-linux" }:
let
  lib = import ./lib.nix;
  arguments = import ./arguments.nix;
  host = import ./host.nix;

  # A derivation whose builder is a script in the host's bash. Whatever it writes last, the script ends with success or
  # with the status of what failed: a builder that ends in a program that closes its output can hang its caller.
  scripted = { name, script, meta ? { }, environment ? { } }:
    (derivation (environment // {
      inherit name system;
      builder = "/bin/bash";
      args = [ "-c" "set -euo pipefail\nexport PATH=${host.path}\n${script}\nexit 0\n" ];
    })) // { meta = arguments.meta meta; };

  pathOf = inputs: lib.concatMap (input: if input ? noPrograms then [ ] else [ "${input}/bin" ]) inputs;
  exportPath = inputs: "export PATH=${builtins.concatStringsSep ":" (pathOf inputs ++ [ "$PATH" ])}";

  # A package that is a program of the host, linked under its name.
  hostProgram = name: scripted {
    name = "host-${name}";
    script = ''
      program=$(command -v ${name}) || { echo "the host has no ${name}" >&2; exit 1; }
      mkdir -p "$out/bin"
      ln -s "$program" "$out/bin/${name}"
    '';
    meta = { description = "${name} of the host"; mainProgram = name; };
  };

  noPrograms = name: scripted { inherit name; script = ''mkdir "$out"''; } // { noPrograms = true; };

  kernels = import ./kernels.nix { inherit host scripted; };
in
{
  inherit lib;

  stdenv.hostPlatform = {
    inherit system;
    isx86_64 = system == "x86_64-linux";
    linux-kernel.target = if system == "x86_64-linux" then "bzImage" else "Image";
  };

  rustPackages_1_95 = {
    rustPlatform.buildRustPackage = import ./build-rust-package.nix { inherit lib arguments host scripted; };
    cargo = hostProgram "cargo";
    clippy = hostProgram "cargo-clippy";
    rustc = hostProgram "rustc";
    rustfmt = hostProgram "cargo-fmt";
  };

  writeShellApplication = input:
    let args = arguments.writeShellApplication input; in
    scripted {
      inherit (args) name;
      meta = { mainProgram = args.name; } // args.meta or { };
      environment.text = ''
        #!/bin/bash
        set -o errexit
        set -o nounset
        set -o pipefail
        ${if args ? runtimeInputs then exportPath args.runtimeInputs else ""}

        ${args.text}
      '';
      script = ''
        mkdir -p "$out/bin"
        printf '%s' "$text" >"$out/bin/${args.name}"
        chmod +x "$out/bin/${args.name}"
        bash -n "$out/bin/${args.name}"
      '';
    };

  runCommand = name: input: command:
    let args = arguments.runCommand input; in
    scripted {
      inherit name;
      script = "${exportPath (args.nativeBuildInputs or [ ])}\nexport TMPDIR=$NIX_BUILD_TOP\ncd \"$TMPDIR\"\n${command}";
    };

  mkShell = input:
    let args = arguments.mkShell input; in
    scripted {
      name = "shell";
      script = "${exportPath (args.packages or [ ])}\nmkdir \"$out\"";
    };

  linuxKernel.packages = kernels;
  glibc.static = noPrograms "glibc-static-of-the-host";
  qemu = hostProgram "qemu-system-x86_64";
} // builtins.listToAttrs (map (name: { inherit name; value = hostProgram name; })
  [ "cargo-deny" "deadnix" "git" "nixpkgs-fmt" "strace" ])
