//! The formats of proc(5) and of the kernel's sysfs documentation, as pure functions of text.

use crate::units::Bytes;

/// Value of `key` in the first record of /proc/cpuinfo, or in any file of `key : value` lines.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    fields(text, key).first().copied()
}

/// Every value of `key`.
fn fields<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim()).collect()
}

/// What tells one kind of processor from another in /proc/cpuinfo, by architecture. Source: its `arch/*/kernel`, where
/// each prints its own lines.
const SIGNATURES: [&[&str]; 8] = [
    // x86
    &["cpu family", "model", "stepping"],
    // Arm
    &["CPU implementer", "CPU variant", "CPU part", "CPU revision"],
    // RISC-V, since Linux 6.0, and before
    &["mvendorid", "marchid", "mimpid"],
    &["isa", "uarch"],
    // LoongArch
    &["CPU Family", "Model Name", "CPU Revision"],
    // POWER
    &["cpu", "revision"],
    // z: the identification beside it is the machine's own
    &["vendor_id", "machine"],
    // MIPS
    &["system type", "cpu model"],
];

/// What the processors of /proc/cpuinfo call themselves, `family/model/stepping` on x86. Cores of several kinds are all
/// named, in the order in which they appear.
pub(super) fn signature(cpuinfo: &str) -> Option<String> {
    SIGNATURES.iter().find_map(|keys| signature_of(cpuinfo, keys))
}

fn signature_of(cpuinfo: &str, keys: &[&str]) -> Option<String> {
    let values: Vec<Vec<&str>> = keys.iter().map(|key| fields(cpuinfo, key)).collect();
    let processors = values.iter().map(Vec::len).max()?;
    let mut kinds: Vec<String> = Vec::new();
    for processor in 0..processors {
        // What is said once holds for all.
        let of =
            |values: &Vec<&str>| values.get(processor).or(values.last()).map(|value| (*value).to_owned());
        let kind = values.iter().map(of).collect::<Option<Vec<_>>>()?.join("/");
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    (!kinds.is_empty()).then(|| kinds.join(" + "))
}

/// A quantity such as `16384 kB` (/proc/meminfo) or `32K` (a cache's size): both mean units of 1024 bytes.
pub(super) fn kibibytes(text: &str) -> Option<Bytes> {
    let digits = text.trim_end_matches("kB").trim_end_matches('K').trim_end();
    digits.parse::<usize>().ok()?.checked_mul(1024).map(Bytes)
}

/// The alternative in force of a list such as `always [madvise] never`.
pub(super) fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word.to_owned())
}

/// What the kernel was told at boot.
///
/// Everything after a lone `--` is for init and none of the kernel's business; it is left out because it may
/// hold what nobody meant to publish.
pub(super) fn kernel_parameters(cmdline: &str) -> String {
    let words = cmdline.split_ascii_whitespace().take_while(|&word| word != "--");
    words.collect::<Vec<_>>().join(" ")
}

/// Value of boot parameter `name`; empty when it was not given.
pub(super) fn boot_parameter(cmdline: &str, name: &str) -> String {
    let words = cmdline.split_ascii_whitespace().take_while(|&word| word != "--");
    let values = words.filter_map(|word| word.split_once('=').filter(|(key, _)| *key == name));
    // The last one wins, as in the kernel.
    values.last().map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// Soft and hard limit of the line of /proc/self/limits that starts with `name`, as text.
pub(super) fn limit<'a>(limits: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let values = limits.lines().find_map(|line| line.strip_prefix(name))?;
    let mut values = values.split_ascii_whitespace();
    Some((values.next()?, values.next()?))
}

/// `0` or `1`.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_whatever_the_padding() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC\nmicrocode\t: 0x1000065\n\nprocessor\t: 1\n";
        assert_eq!(field(cpuinfo, "model name"), Some("AMD EPYC"));
        assert_eq!(field(cpuinfo, "processor"), Some("0"));
        assert_eq!(field(cpuinfo, "model"), None);
    }

    #[test]
    fn processors_of_every_architecture_are_told_apart() {
        let arm = |part: &str| {
            format!(
                "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\n\
                 CPU part\t: {part}\nCPU revision\t: 1\n\n"
            )
        };
        assert_eq!(signature(&arm("0xd0c")).as_deref(), Some("0x41/0x3/0xd0c/1"));
        assert_ne!(signature(&arm("0xd0c")), signature(&arm("0xd40")));
        let riscv = "processor\t: 0\nhart\t: 1\nisa\t: rv64imafdc\nmmu\t: sv39\nuarch\t: sifive,u74-mc\n";
        assert_eq!(signature(riscv).as_deref(), Some("rv64imafdc/sifive,u74-mc"));
        let riscv =
            format!("{riscv}mvendorid\t: 0x489\nmarchid\t: 0x8000000000000007\nmimpid\t: 0x4210427\n");
        assert_eq!(signature(&riscv).as_deref(), Some("0x489/0x8000000000000007/0x4210427"));
        let power = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300MHz\nrevision\t: 2.2\n\nmachine\t\t: X\n";
        assert_eq!(signature(power).as_deref(), Some("POWER9, altivec supported/2.2"));
        let loong =
            "CPU Family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-3A5000\nCPU Revision\t\t: 0x10\n";
        assert_eq!(signature(loong).as_deref(), Some("Loongson-64bit/Loongson-3A5000/0x10"));
    }

    #[test]
    fn a_machine_of_z_is_told_without_what_identifies_it() {
        let z = "vendor_id       : IBM/S390\n# processors    : 2\n\ncpu number      : 0\nversion         : FF\n\
                 identification  : 123456\nmachine         : 3906\n\ncpu number      : 1\nmachine         : 3906\n";
        assert_eq!(signature(z).as_deref(), Some("IBM/S390/3906"));
    }

    #[test]
    fn cores_of_several_kinds_are_all_named_once() {
        let core = |part| {
            format!("CPU implementer : 0x41\nCPU variant : 0x0\nCPU part : {part}\nCPU revision : 4\n\n")
        };
        let cpuinfo = [core("0xd05"), core("0xd05"), core("0xd0b")].concat();
        assert_eq!(signature(&cpuinfo).as_deref(), Some("0x41/0x0/0xd05/4 + 0x41/0x0/0xd0b/4"));
        assert_eq!(signature("processor\t: 0\n"), None);
    }

    #[test]
    fn sizes_of_memory_and_caches_are_in_units_of_1024_bytes() {
        assert_eq!(kibibytes("24689140 kB"), Some(Bytes(24_689_140 * 1024)));
        assert_eq!(kibibytes("32768K"), Some(Bytes(32 << 20)));
        assert_eq!(kibibytes("plenty"), None);
    }

    #[test]
    fn the_bracketed_alternative_is_the_one_in_force() {
        assert_eq!(chosen("always [madvise] never").as_deref(), Some("madvise"));
        assert_eq!(chosen("always madvise never"), None);
    }

    #[test]
    fn arguments_of_init_are_left_out() {
        assert_eq!(kernel_parameters("quiet isolcpus=15 -- --token=secret"), "quiet isolcpus=15");
        assert_eq!(boot_parameter("quiet -- isolcpus=3", "isolcpus"), "");
    }

    #[test]
    fn the_last_of_a_repeated_boot_parameter_counts() {
        let cmdline = "root=/dev/vda rcu_nocbs=1-3 isolcpus=15 rcu_nocbs=2";
        assert_eq!(boot_parameter(cmdline, "rcu_nocbs"), "2");
        assert_eq!(boot_parameter(cmdline, "nohz_full"), "");
    }

    #[test]
    fn a_limit_has_a_soft_and_a_hard_side() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            20000                524288               files     \n\
                      Max locked memory         8388608              unlimited            bytes     \n";
        assert_eq!(limit(limits, "Max open files"), Some(("20000", "524288")));
        assert_eq!(limit(limits, "Max locked memory"), Some(("8388608", "unlimited")));
        assert_eq!(limit(limits, "Max nice priority"), None);
    }

    #[test]
    fn a_flag_is_nothing_but_0_or_1() {
        assert_eq!((flag("0"), flag("1"), flag("2")), (Some(false), Some(true), None));
    }
}
