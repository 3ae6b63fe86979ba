//! Names of the kernel's functions, from /proc/kallsyms.

use std::cmp::Reverse;
use std::fs;

use anyhow::{Context, ensure};

const PATH: &str = "/proc/kallsyms";

/// Functions of the running kernel and its modules by address.
#[derive(Clone, Debug)]
pub struct KernelNames {
    /// Ascending, each with a name; a function ends where the next one begins.
    functions: Vec<(u64, Box<str>)>,
}

impl KernelNames {
    /// Those of the running kernel.
    ///
    /// # Errors
    /// When the kernel hides addresses from this process, with the remedy.
    pub fn read() -> anyhow::Result<Self> {
        Self::parse(&fs::read_to_string(PATH).with_context(|| format!("cannot read {PATH}"))?)
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut found: Vec<(u64, &str)> = text.lines().filter_map(function).collect();
        ensure!(
            found.iter().any(|(address, _)| *address > 0),
            "cannot name functions of the kernel: {PATH} hides their addresses; run as root, with sysctl -w \
             kernel.kptr_restrict=1 where that is 2"
        );
        found.sort_by_key(|&(address, name)| (address, rank(name)));
        found.dedup_by_key(|(address, _)| *address);
        Ok(Self { functions: found.into_iter().map(|(address, name)| (address, name.into())).collect() })
    }

    /// The function that `address` is in.
    pub fn name(&self, address: u64) -> &str {
        let after = self.functions.partition_point(|(start, _)| *start <= address);
        after.checked_sub(1).map_or("[unknown]", |index| &self.functions[index].1)
    }
}

/// The address and the name in a line such as `ffffffff81000000 T _text`, if it is one of a function.
fn function(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_ascii_whitespace();
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    let is_code = matches!(words.next()?, "t" | "T" | "w" | "W");
    is_code.then_some((address, words.next()?))
}

/// Of several names of one address, the plainest comes first: `memcpy` before `__memcpy`, the same one on every boot.
fn rank(name: &str) -> (usize, Reverse<usize>, &str) {
    (name.len() - name.trim_start_matches('_').len(), Reverse(name.len()), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
ffffffff81000100 T tcp_sendmsg
ffffffff81000000 t first
ffffffff81000080 T __memcpy
ffffffff81000080 W memcpy
ffffffff81000090 D some_data
ffffffffc0000000 t in_a_module\t[module]
";

    #[test]
    fn an_address_is_in_the_function_that_begins_last_before_it() {
        let names = KernelNames::parse(TEXT).unwrap();
        let name = |address: u64| names.name(0xffff_ffff_8100_0000 + address);
        assert_eq!(
            [name(0), name(0x7f), name(0x100), name(0x1234)],
            ["first", "first", "tcp_sendmsg", "tcp_sendmsg"]
        );
        assert_eq!(names.name(0xffff_ffff_c000_0010), "in_a_module");
        assert_eq!(names.name(5), "[unknown]");
    }

    #[test]
    fn data_is_no_function_and_of_two_names_the_plain_one_is_taken() {
        let names = KernelNames::parse(TEXT).unwrap();
        assert_eq!(names.name(0xffff_ffff_8100_0095), "memcpy");
    }

    #[test]
    fn a_kernel_that_hides_its_addresses_is_refused_with_the_remedy() {
        let hidden = "0000000000000000 T tcp_sendmsg\n0000000000000000 t first\n";
        let error = KernelNames::parse(hidden).unwrap_err().to_string();
        assert!(error.contains("kernel.kptr_restrict=1"), "{error}");
    }
}
