# The functions of nixpkgs' library that the flake uses, and no other: one that is missing here is an error there.
rec {
  inherit (builtins) concatMap listToAttrs mapAttrs;

  genAttrs = names: function: listToAttrs (map (name: { inherit name; value = function name; }) names);

  optionalAttrs = condition: set: if condition then set else { };

  # Strict where nixpkgs guesses with a warning: a package without a main program is a fault in the flake.
  getExe = package:
    if package ? meta.mainProgram then "${package}/bin/${package.meta.mainProgram}"
    else throw "getExe: ${package.name} has no meta.mainProgram";

  licenses.mit = { spdxId = "MIT"; };
  platforms.linux = [ "x86_64-linux" "aarch64-linux" ];

  fileset = rec {
    unions = sets: { paths = concatMap pathsOf sets; };

    toSource = { root, fileset }:
      let
        paths = map toString (pathsOf fileset);
        isBelow = path: parent: path == parent || builtins.substring 0 (builtins.stringLength parent + 1) path == parent + "/";
      in
      builtins.path {
        path = root;
        name = "source";
        filter = path: _: builtins.any (chosen: isBelow path chosen || isBelow chosen path) paths;
      };

    pathsOf = set:
      if !builtins.isPath set then set.paths
      else if builtins.pathExists set then [ set ]
      else throw "fileset: ${toString set} does not exist";
  };
}
