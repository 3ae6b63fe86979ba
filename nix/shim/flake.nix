{
  description = "A stand-in for nixpkgs, built with the tools of the host: see nix/README.md for what it proves";

  outputs = _: {
    lib = import ./lib.nix;
    legacyPackages.x86_64-linux = import ./packages.nix { };
    # Evaluated only: there is no such host to build on.
    legacyPackages.aarch64-linux = import ./packages.nix { system = "aarch64-linux"; };
  };
}
