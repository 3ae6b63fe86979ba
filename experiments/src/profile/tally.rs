//! Samples of a run, added up.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::classes::Class;
use super::kernel::KernelNames;
use super::program::ProgramNames;
use super::rules::{Context, Rules};
use super::sample::{Sample, Source};

/// What belongs to a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Time, in nanoseconds.
    pub ns: u64,
    /// Samples.
    pub samples: u64,
}

impl Share {
    fn add(&mut self, ns: u64) {
        self.ns += ns;
        self.samples += 1;
    }
}

/// What the samples of a window come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What each class took. Absent ones took nothing.
    pub classes: BTreeMap<Class, Share>,
    /// What was in the server's process, interrupts among it.
    pub server: Share,
    /// Samples of each stack, its functions joined by semicolons, the outermost first.
    pub stacks: BTreeMap<String, u64>,
    /// Samples of each innermost function of stacks that no rule knows.
    pub unknown: BTreeMap<String, u64>,
    /// Samples of each innermost function that has just switched interrupts on.
    pub enabling: BTreeMap<String, u64>,
}

/// How the samples are read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Names in the kernel.
    pub kernel: &'a KernelNames,
    /// Names in the server.
    pub program: &'a ProgramNames,
    /// What they mean.
    pub rules: &'a Rules,
    /// The server's process.
    pub pid: u32,
    /// What samples were taken by.
    pub source: Source,
    /// Time between two samples as it was asked for.
    pub period_ns: u64,
}

impl Reader<'_> {
    /// Adds up those of `samples`, which are in the order of time, that lie in `window`.
    ///
    /// Each stands for the time since the one before it: one that comes late, because interrupts were off or the hypervisor took the
    /// core away, stands for more. A core that idles counts no cycles; by cycles a sample stands for two periods at most.
    pub fn tally(&self, samples: &[Sample], window: Range<u64>) -> Tally {
        let most = match self.source {
            Source::Cycles => 2 * self.period_ns,
            Source::CpuClock => u64::MAX,
        };
        let mut tally = Tally::default();
        let mut names = HashMap::new();
        let mut before = window.start;
        for sample in samples.iter().filter(|sample| window.contains(&sample.at_ns)) {
            tally.add(self, sample, (sample.at_ns - before).min(most), &mut names);
            before = sample.at_ns;
        }
        tally
    }

    fn context(&self, sample: &Sample) -> Context {
        if sample.pid == self.pid { Context::Server } else { Context::Other }
    }
}

impl Tally {
    fn add(
        &mut self,
        reader: &Reader<'_>,
        sample: &Sample,
        ns: u64,
        names: &mut HashMap<u64, Option<String>>,
    ) {
        let kernel: Vec<&str> = sample.kernel.iter().map(|&address| reader.kernel.name(address)).collect();
        let context = reader.context(sample);
        let class = reader.rules.class(&kernel, context);
        self.classes.entry(class).or_default().add(ns);
        let mut user = Vec::new();
        if context == Context::Server {
            self.server.add(ns);
            // Without frame pointers the chain soon leaves what is code.
            let mut name =
                |address| names.entry(address).or_insert_with(|| reader.program.name(address)).clone();
            user = sample.user.iter().map_while(|&address| name(address)).collect();
        }
        let root = match (class, context) {
            (Class::Idle, _) => "idle",
            (_, Context::Server) => "server",
            (_, Context::Other) => "others",
        };
        *self.stacks.entry(folded(root, &user, &kernel)).or_default() += 1;
        let Some(innermost) = kernel.first() else { return };
        if class == Class::Unclassified {
            *self.unknown.entry((*innermost).to_owned()).or_default() += 1;
        }
        if class != Class::Idle && reader.rules.enables_interrupts(innermost) {
            *self.enabling.entry((*innermost).to_owned()).or_default() += 1;
        }
    }

    /// What `class` took.
    pub fn of(&self, class: Class) -> Share {
        self.classes.get(&class).copied().unwrap_or_default()
    }

    /// What all classes together took that are a cost.
    pub fn cost(&self) -> Share {
        Class::costs().map(|class| self.of(class)).fold(Share::default(), |sum, share| Share {
            ns: sum.ns + share.ns,
            samples: sum.samples + share.samples,
        })
    }

    /// The part of the cost that no rule knows, between 0 and 1.
    pub fn unclassified(&self) -> f64 {
        self.of(Class::Unclassified).samples as f64 / self.cost().samples.max(1) as f64
    }
}

/// The stack in one line, from `root` to the innermost function. The kernel's functions carry a mark, as other tools have it.
fn folded(root: &str, user: &[String], kernel: &[&str]) -> String {
    let user = user.iter().rev().map(|name| name.replace(';', ":"));
    let kernel = kernel.iter().rev().map(|name| format!("{name}_[k]"));
    [root.to_owned()].into_iter().chain(user).chain(kernel).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPY: u64 = 0x1000;
    const SEND: u64 = 0x2000;
    const NOBODY_KNOWS: u64 = 0x3000;
    const HALT: u64 = 0x4000;
    const IDLE: u64 = 0x5000;

    fn tally(source: Source, samples: &[Sample], window: Range<u64>) -> Tally {
        let kernel = KernelNames::parse(
            "1000 T rep_movs_alternative\n2000 T tcp_sendmsg\n3000 T nobody_knows\n4000 T halt\n5000 T do_idle\n",
        );
        let (kernel, rules) = (kernel.unwrap(), Rules::built_in());
        let program = ProgramNames::default();
        let reader =
            Reader { kernel: &kernel, program: &program, rules: &rules, pid: 7, source, period_ns: 100 };
        reader.tally(samples, window)
    }

    fn sample(at_ns: u64, pid: u32, kernel: &[u64]) -> Sample {
        Sample { at_ns, pid, kernel: kernel.into(), user: vec![0x10] }
    }

    #[test]
    fn a_sample_stands_for_the_time_since_the_one_before_it_in_the_window() {
        let samples = [
            sample(900, 7, &[]),
            sample(1100, 7, &[COPY, SEND]),
            sample(1500, 7, &[SEND]),
            sample(1600, 0, &[HALT, IDLE]),
        ];
        let tally = tally(Source::CpuClock, &samples, 1000..2000);
        assert_eq!(tally.of(Class::Copy), Share { ns: 100, samples: 1 });
        assert_eq!(tally.of(Class::TcpSend), Share { ns: 400, samples: 1 });
        assert_eq!(tally.of(Class::Idle), Share { ns: 100, samples: 1 });
        assert_eq!(tally.cost(), Share { ns: 500, samples: 2 }, "idling is no cost");
        assert_eq!(tally.server, Share { ns: 500, samples: 2 });
    }

    #[test]
    fn by_cycles_a_long_silence_was_idle_and_is_charged_to_nobody() {
        let samples = [sample(1100, 7, &[COPY]), sample(1900, 7, &[COPY])];
        let tally = tally(Source::Cycles, &samples, 1000..2000);
        assert_eq!(tally.of(Class::Copy), Share { ns: 300, samples: 2 });
    }

    #[test]
    fn equal_stacks_fold_into_one_line_with_the_outermost_function_first() {
        let samples = [sample(1, 7, &[COPY, SEND]), sample(2, 7, &[COPY, SEND]), sample(3, 9, &[SEND])];
        let tally = tally(Source::CpuClock, &samples, 0..10);
        let lines: Vec<_> = tally.stacks.iter().map(|(stack, count)| format!("{stack} {count}")).collect();
        assert_eq!(lines, ["others;tcp_sendmsg_[k] 1", "server;tcp_sendmsg_[k];rep_movs_alternative_[k] 2"]);
    }

    #[test]
    fn what_no_rule_knows_is_counted_by_its_innermost_function() {
        let tally = tally(Source::CpuClock, &[sample(1, 7, &[NOBODY_KNOWS]), sample(2, 7, &[SEND])], 0..10);
        assert_eq!(tally.unknown, BTreeMap::from([("nobody_knows".to_owned(), 1)]));
        assert!((tally.unclassified() - 0.5).abs() < 1e-12);
    }
}
