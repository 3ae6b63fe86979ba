# Debian's kernels in place of those of nixpkgs. Of a series that Debian 12 has not, there is a package that cannot be
# built, so that the flake evaluates and nobody takes another kernel for it.
{ host, scripted }:
let
  of = version: {
    kernel = scripted {
      name = "linux-${version}-of-the-host";
      script =
        if host.kernels ? ${version} then ''
          mkdir "$out"
          cp ${host.kernels.${version}} "$out/bzImage"
        '' else ''
          echo "the shim has no Linux ${version}: Debian 12 does not package it" >&2
          exit 1
        '';
    };
  };
in
{
  linux_6_1 = of "6.1";
  linux_6_6 = of "6.6";
  linux_6_12 = of "6.12";
  linux_6_18 = of "6.18";
}
