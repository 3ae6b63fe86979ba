# The pinned toolchain and every tool that CI uses.
{ pkgs }:
let
  rust = pkgs.rustPackages_1_95;
in
pkgs.mkShell {
  packages = [
    rust.cargo
    rust.clippy
    rust.rustc
    rust.rustfmt
    pkgs.cargo-deny
    pkgs.deadnix
    pkgs.git
    pkgs.nixpkgs-fmt
    pkgs.qemu
    pkgs.strace
  ];
  # `experiments vm` links the guest's programs statically.
  buildInputs = [ pkgs.glibc.static ];
}
