# The arguments of each function of nixpkgs that the shim offers: those that its source has (nix/README.md says where) and
# that the shim heeds. A name outside of its list is a fault in the flake, or something that the shim does not stand for.
let
  checked = function: allowed: args:
    let unknown = removeAttrs args allowed; in
    if unknown == { } then args
    else throw "shim: ${function} is not known to take: ${toString (builtins.attrNames unknown)}";
in
{
  buildRustPackage = checked "buildRustPackage" [
    "pname"
    "version"
    "src"
    "cargoLock"
    "buildType"
    "cargoBuildFlags"
    "doCheck"
    "cargoTestFlags"
    "nativeCheckInputs"
    "checkFlags"
    "installPhase"
    "postInstall"
    "buildInputs"
    "env"
    "meta"
  ];
  cargoLock = checked "buildRustPackage.cargoLock" [ "lockFile" ];
  env = checked "buildRustPackage.env" [ "RUSTFLAGS" ];
  writeShellApplication = checked "writeShellApplication" [ "name" "text" "runtimeInputs" "meta" ];
  runCommand = checked "runCommand" [ "nativeBuildInputs" ];
  mkShell = checked "mkShell" [ "packages" "buildInputs" ];
  meta = checked "meta" [ "description" "license" "mainProgram" "platforms" ];
}
