# What the flake offers on one system.
{ self, pkgs }:
let
  inherit (pkgs) lib;

  programs = import ./programs.nix { inherit pkgs; };

  # The machine that is emulated is a PC, so its kernels are x86 ones.
  machines = lib.optionalAttrs pkgs.stdenv.hostPlatform.isx86_64
    (import ./machines.nix { inherit pkgs programs; });

  packages = {
    inherit (programs) uring-echo experiments analysis paper;
    default = programs.uring-echo;
  } // lib.optionalAttrs (machines != { }) {
    inherit (programs) guest;
  } // machines;

  appOf = package: {
    type = "app";
    program = lib.getExe package;
    meta.description = package.meta.description;
  };
in
{
  inherit packages;

  # The guest's programs run in a guest only.
  apps = lib.mapAttrs (_: appOf) (removeAttrs packages [ "guest" ]);

  checks = import ./checks.nix { inherit self pkgs programs machines; };

  devShells.default = import ./shell.nix { inherit pkgs; };

  formatter = pkgs.nixpkgs-fmt;
}
