//! Which cores are alike: some processors mix fast ones with efficient ones.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use uring_echo::measure::host::Tree;

use uring_echo::cpu_list::CpuList;

/// Groups that Linux makes of the cores of a hybrid x86 processor, each with its own performance counters.
const GROUPS: [&str; 3] = ["cpu_core", "cpu_atom", "cpu_lowpower"];

/// The kinds of CPUs. One of which nothing is known is like any other.
#[derive(Clone, Debug, Default)]
pub struct Kinds(BTreeMap<usize, Kind>);

/// What Linux tells of a core's kind, each where the processor has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kind {
    /// One of [`GROUPS`].
    group: Option<&'static str>,
    /// Implementer and part number of an Arm core.
    part: Option<u64>,
    speed: Option<Speed>,
}

/// How fast a core is beside its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speed {
    /// Of the fastest core's 1024, at its highest frequency.
    Capacity(u64),
    /// The highest frequency.
    Kilohertz(u64),
}

impl Kinds {
    /// Looks at `cpus`.
    pub fn read(tree: &Tree, cpus: &[usize]) -> Self {
        let groups = GROUPS.map(|group| {
            let list = tree.parsed(&format!("/sys/devices/{group}/cpus"), |list| list.parse().ok());
            (group, list.value().map_or_else(Vec::new, |CpuList(cpus)| cpus.clone()))
        });
        let kind = |&cpu: &usize| {
            let group = groups.iter().find(|(_, cpus)| cpus.contains(&cpu)).map(|(group, _)| *group);
            (cpu, Kind { group, part: part(tree, cpu), speed: speed(tree, cpu) })
        };
        Self(cpus.iter().map(kind).collect())
    }

    /// Those of `permitted` that both ends may be chosen from: what is like `chosen`, else the fastest that are at least
    /// two of a kind, else all.
    pub fn candidates(&self, permitted: &[usize], chosen: Option<usize>) -> Vec<usize> {
        let like = |cpu: &usize| -> Vec<usize> {
            let kind = self.of(*cpu);
            permitted.iter().copied().filter(|&other| kind.is_like(&self.of(other))).collect()
        };
        let mut fastest = permitted.to_vec();
        fastest.sort_by_key(|&cpu| Reverse(self.of(cpu).speed.map(Speed::magnitude)));
        let model = chosen.or_else(|| fastest.into_iter().find(|cpu| like(cpu).len() > 1));
        model.map_or_else(|| permitted.to_vec(), |cpu| like(&cpu))
    }

    /// How the cores of the `client` differ in kind from that of the `server`, if they do.
    pub fn difference(&self, server: usize, client: &[usize]) -> Option<String> {
        let kind = self.of(server);
        let other = client.iter().find(|&&cpu| !self.of(cpu).is_like(&kind))?;
        Some(format!("server {server}: {kind}; client {other}: {}", self.of(*other)))
    }

    fn of(&self, cpu: usize) -> Kind {
        self.0.get(&cpu).cloned().unwrap_or_default()
    }
}

impl Kind {
    /// Whether a measurement may take the one core for the other.
    fn is_like(&self, other: &Self) -> bool {
        let is_as_fast = match (self.speed, other.speed) {
            (Some(one), Some(other)) => one.is_near(other),
            _ => true,
        };
        self.group == other.group && self.part == other.part && is_as_fast
    }
}

impl Speed {
    const fn magnitude(self) -> u64 {
        match self {
            Self::Capacity(speed) | Self::Kilohertz(speed) => speed,
        }
    }

    /// Within a tenth. Cores of one kind differ by a twentieth where some may run faster for a while; those of another
    /// kind are slower by a quarter and more.
    const fn is_near(self, other: Self) -> bool {
        let (one, other) = (self.magnitude(), other.magnitude());
        one * 10 >= other * 9 && other * 10 >= one * 9
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = self.speed.map(|speed| match speed {
            Speed::Capacity(capacity) => format!("capacity {capacity}"),
            Speed::Kilohertz(frequency) => format!("{} MHz", frequency / 1000),
        });
        let part = self.part.map(|part| format!("part {part:#x}"));
        let told: Vec<_> = [self.group.map(str::to_owned), part, speed].into_iter().flatten().collect();
        f.write_str(if told.is_empty() { "unknown" } else { "" })?;
        f.write_str(&told.join(", "))
    }
}

/// The register that names an Arm core, less what tells its steppings apart. Source: Arm ARM, MIDR_EL1.
fn part(tree: &Tree, cpu: usize) -> Option<u64> {
    const IMPLEMENTER_AND_PART: u64 = 0xff00_fff0;
    let file = format!("/sys/devices/system/cpu/cpu{cpu}/regs/identification/midr_el1");
    let register = tree.parsed(&file, |text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    register.value().map(|register| register & IMPLEMENTER_AND_PART)
}

fn speed(tree: &Tree, cpu: usize) -> Option<Speed> {
    let number = |file: &str| {
        let number =
            tree.parsed(&format!("/sys/devices/system/cpu/cpu{cpu}/{file}"), |text| text.parse().ok());
        number.value().copied()
    };
    let frequency = || number("cpufreq/cpuinfo_max_freq").map(Speed::Kilohertz);
    number("cpu_capacity").map(Speed::Capacity).or_else(frequency)
}

#[cfg(test)]
pub(crate) mod testing {
    //! Machines of several kinds of cores, as files and what is in them.

    type Files = Vec<(String, String)>;

    fn each(cpus: std::ops::Range<usize>, file: &str, text: &str) -> Files {
        cpus.map(|cpu| (format!("sys/devices/system/cpu/cpu{cpu}/{file}"), format!("{text}\n"))).collect()
    }

    /// A Core i9-13900K: eight performance cores of two threads, two of them favoured, and sixteen efficient ones.
    pub(crate) fn i9_13900k() -> Files {
        const FREQUENCY: &str = "cpufreq/cpuinfo_max_freq";
        let groups = [("cpu_core", "0-15"), ("cpu_atom", "16-31")];
        let groups = groups.map(|(group, cpus)| (format!("sys/devices/{group}/cpus"), format!("{cpus}\n")));
        let (favoured, others) = (each(8..12, FREQUENCY, "5800000"), each(0..8, FREQUENCY, "5500000"));
        let (last, efficient) = (each(12..16, FREQUENCY, "5500000"), each(16..32, FREQUENCY, "4300000"));
        [groups.into(), others, favoured, last, efficient].concat()
    }

    /// Four Cortex-A55, three Cortex-A78 and one Cortex-X1, whose register names them.
    pub(crate) fn big_little() -> Files {
        let kinds = [
            (0..4, "250", "0x00000000412fd050"),
            (4..7, "931", "0x00000000411fd410"),
            (7..8, "1024", "0x411fd440"),
        ];
        let files = kinds.map(|(cpus, capacity, register)| {
            let registers = each(cpus.clone(), "regs/identification/midr_el1", register);
            [each(cpus, "cpu_capacity", capacity), registers].concat()
        });
        files.concat()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::run::cores::Cores;

    fn machine(files: Vec<(String, String)>) -> (tempfile::TempDir, Tree) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::new(root.path());
        (root, tree)
    }

    fn chosen(
        files: Vec<(String, String)>,
        cpus: usize,
        server: Option<usize>,
        client: &[usize],
    ) -> (usize, Vec<usize>) {
        let (_root, tree) = machine(files);
        let permitted: Vec<usize> = (0..cpus).collect();
        let cores = Cores::choose(&permitted, &Kinds::read(&tree, &permitted), server, client).unwrap();
        (cores.server, cores.client)
    }

    #[test]
    fn both_ends_get_the_fastest_cores_that_are_two_of_a_kind() {
        assert_eq!(chosen(testing::i9_13900k(), 32, None, &[]), (15, vec![0]));
        assert_eq!(chosen(testing::big_little(), 8, None, &[]), (6, vec![4]));
    }

    #[test]
    fn the_end_that_is_not_chosen_follows_the_one_that_is() {
        assert_eq!(chosen(testing::i9_13900k(), 32, Some(20), &[]), (20, vec![16]));
        assert_eq!(chosen(testing::i9_13900k(), 32, None, &[16, 17]), (31, vec![16, 17]));
        assert_eq!(chosen(testing::big_little(), 8, Some(1), &[]), (1, vec![0]));
    }

    #[test]
    fn a_core_that_is_alone_of_its_kind_gets_a_partner_all_the_same() {
        assert_eq!(chosen(testing::big_little(), 8, Some(7), &[]), (7, vec![0]));
    }

    #[test]
    fn only_cores_of_different_kinds_are_called_so() {
        let difference = |files, server, client: &[usize]| {
            let (_root, tree) = machine(files);
            let all: Vec<usize> = (0..32).collect();
            Kinds::read(&tree, &all).difference(server, client)
        };
        assert_eq!(difference(testing::i9_13900k(), 8, &[0]), None, "one of the two is favoured");
        assert_eq!(
            difference(testing::i9_13900k(), 31, &[30, 0]).as_deref(),
            Some("server 31: cpu_atom, 4300 MHz; client 0: cpu_core, 5500 MHz")
        );
        assert_eq!(
            difference(testing::big_little(), 6, &[7]).as_deref(),
            Some("server 6: part 0x4100d410, capacity 931; client 7: part 0x4100d440, capacity 1024")
        );
        let mut slower = testing::i9_13900k().split_off(2);
        slower[0].1 = "4000000\n".into();
        assert!(difference(slower.clone(), 0, &[1]).is_some(), "the frequency alone tells");
        assert_eq!(difference(Vec::new(), 0, &[1]), None);
    }
}
