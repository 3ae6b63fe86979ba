//! Lists of CPUs, as users and the kernel write them.

use std::str::FromStr;

/// CPUs in the order in which they were named, each once: `1`, `0,2`, `1,4-6`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// No machine has as many; keeps `0-99999999999` from being written out. Source: NR_CPUS of Linux is at most 8192.
const CPUS_MAX: usize = 8192;

impl FromStr for CpuList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cpus = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse().ok().filter(|&cpu: &usize| cpu < CPUS_MAX);
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => {
                    cpus.extend((first..=last).filter(|cpu| !cpus.contains(cpu)).collect::<Vec<_>>());
                }
                _ => {
                    return Err(format!(
                        "'{text}' is not a list of CPUs below {CPUS_MAX} such as 0 or 1,3-5"
                    ));
                }
            }
        }
        Ok(Self(cpus))
    }
}

/// `cpus` as a list that is read back: `1`, `0,2`. Without ranges.
pub fn written(cpus: &[usize]) -> String {
    let numbers: Vec<_> = cpus.iter().map(usize::to_string).collect();
    numbers.join(",")
}

impl CpuList {
    /// The CPUs of a list that the kernel wrote, which may name none.
    pub fn of_kernel(text: &str) -> Option<Self> {
        if text.is_empty() { Some(Self::default()) } else { text.parse().ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_ranges_and_keeps_its_order_without_repeats() {
        assert_eq!("1,3-5,4,0".parse(), Ok(CpuList(vec![1, 3, 4, 5, 0])));
        assert_eq!("7".parse(), Ok(CpuList(vec![7])));
    }

    #[test]
    fn a_list_that_was_written_is_read_back() {
        assert_eq!([vec![1, 4, 0], vec![7], vec![]].map(|cpus| written(&cpus)), ["1,4,0", "7", ""]);
        assert_eq!(written(&[1, 4, 0]).parse(), Ok(CpuList(vec![1, 4, 0])));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for wrong in ["", "a", "1,", "3-1", "-1", "1-", "0-8192", "0-99999999999999999999"] {
            assert!(wrong.parse::<CpuList>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_kernel_may_name_none() {
        assert_eq!(CpuList::of_kernel(""), Some(CpuList(vec![])));
        assert_eq!(CpuList::of_kernel("0,2-5,15").map(|list| list.0.len()), Some(6));
        assert_eq!(CpuList::of_kernel("all"), None);
    }
}
