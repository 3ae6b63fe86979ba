//! The formats of proc(5) and of the kernel's sysfs documentation, as pure functions of text.

use crate::units::Bytes;

/// Value of `key` in the first record of /proc/cpuinfo, or in any file of `key : value` lines.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// `family/model/stepping` of the first processor in an x86's /proc/cpuinfo; other architectures have no such lines.
pub(super) fn signature(cpuinfo: &str) -> Option<String> {
    let parts = ["cpu family", "model", "stepping"].map(|key| field(cpuinfo, key));
    let parts: Option<Vec<&str>> = parts.into_iter().collect();
    parts.map(|parts| parts.join("/"))
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

/// How many CPUs a list such as `0-3,8` names. The empty list names none.
pub(super) fn cpu_count(list: &str) -> Option<usize> {
    list.split(',').filter(|part| !part.is_empty()).try_fold(0, |count, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(count + last.checked_sub(first)? + 1)
    })
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
    fn a_cpu_list_is_counted() {
        assert_eq!(cpu_count("0-1"), Some(2));
        assert_eq!(cpu_count("0,2-5,15"), Some(6));
        assert_eq!(cpu_count(""), Some(0));
        assert_eq!(cpu_count("5-2"), None);
        assert_eq!(cpu_count("all"), None);
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
