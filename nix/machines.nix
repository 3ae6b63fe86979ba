# A program for each pinned kernel, which boots it and runs the guest's programs in it.
{ pkgs, programs }:
let
  inherit (pkgs) lib;

  # The oldest long-term kernel that the servers run on, and each one since that is still maintained.
  series = [ "6.1" "6.6" "6.12" "6.18" ];

  nameOf = version: builtins.replaceStrings [ "." ] [ "_" ] version;

  machine = name: version:
    let
      kernel = pkgs.linuxKernel.packages."linux_${nameOf version}".kernel;
      image = "${kernel}/${pkgs.stdenv.hostPlatform.linux-kernel.target}";
    in
    pkgs.writeShellApplication {
      inherit name;
      runtimeInputs = [ pkgs.qemu ];
      text = ''
        exec ${lib.getExe programs.experiments} vm --kernel ${image} --guest-bin-dir ${programs.guest}/bin "$@"
      '';
      meta = {
        description = "Boot Linux ${version} and run the conformance suite, the probe or an experiment in it";
        mainProgram = name;
        platforms = [ "x86_64-linux" ];
      };
    };

  named = map (version: rec { name = "vm-${nameOf version}"; value = machine name version; }) series;
in
lib.listToAttrs named // { vm = machine "vm" "6.1"; }
