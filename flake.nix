{
  description = "Two TCP echo servers, epoll and io_uring, and the experiments that compare them";

  # The lock pins one commit of this branch, see docs/decisions/0006-one-input-by-hand.md.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs = { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [ "x86_64-linux" "aarch64-linux" ];
      outputsFor = system: import ./nix { inherit self; pkgs = nixpkgs.legacyPackages.${system}; };
      forEach = kind: lib.genAttrs systems (system: (outputsFor system).${kind});
    in
    {
      packages = forEach "packages";
      apps = forEach "apps";
      checks = forEach "checks";
      devShells = forEach "devShells";
      formatter = forEach "formatter";
    };
}
