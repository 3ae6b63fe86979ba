//! Samples of whatever runs on one core: perf_event_open(2) for all processes there, so that work which an interrupt does in
//! nobody's name is seen, too.

use std::fs;
use std::io;
use std::io::ErrorKind;

use anyhow::anyhow;
use perf_event::data::Record;
use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Clock, SampleFlag};
use serde::Serialize;

/// What a sample is taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The processor's cycle counter, whose interrupt nothing masks. It stands still while the core is idle.
    Cycles,
    /// A timer of the kernel, whose interrupt waits while interrupts are off.
    CpuClock,
}

/// Where the core was at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub at_ns: u64,
    /// The process in whose context it was. 0 for the idle loop, and for a process that this one's namespace does not show.
    pub pid: u32,
    /// Addresses in the kernel, the innermost first.
    pub kernel: Vec<u64>,
    /// Addresses in the process, the innermost first.
    pub user: Vec<u64>,
}

/// Takes samples of a core until it is dropped.
#[derive(Debug)]
pub struct Sampler {
    ring: Ring,
    /// What they are taken by.
    pub source: Source,
    samples: Vec<Sample>,
    lost: u64,
}

/// perf-event2's own type shows nothing of itself.
struct Ring(perf_event::Sampler);

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ring")
    }
}

/// Room for what comes between two looks at it: at 5 kHz and a hundred frames a sample, 40 KB in 10 ms.
const RING_BYTES: usize = 1 << 20;

impl Sampler {
    /// Samples what runs on `cpu`, `frequency` times a second, by cycles where the machine counts them.
    ///
    /// # Errors
    /// When the kernel does not permit it, with the remedy.
    pub fn start(cpu: usize, frequency: u64) -> anyhow::Result<Self> {
        let by_cycles = open(Hardware::CPU_CYCLES, cpu, frequency).map(|ring| (ring, Source::Cycles));
        let opened = by_cycles
            .or_else(|_| open(Software::CPU_CLOCK, cpu, frequency).map(|ring| (ring, Source::CpuClock)));
        let (ring, source) = opened.map_err(|error| refused(cpu, frequency, &error))?;
        Ok(Self { ring: Ring(ring), source, samples: Vec::new(), lost: 0 })
    }

    /// Takes what has come out of the ring, which has little room.
    pub fn drain(&mut self) {
        while let Some(record) = self.ring.0.next_record() {
            match record.parse_record() {
                Ok(Record::Sample(sample)) => self.samples.push(Sample::of(&sample)),
                Ok(Record::Lost(lost)) => self.lost += lost.lost,
                Ok(Record::LostSamples(lost)) => self.lost += lost.lost,
                _ => {}
            }
        }
    }

    /// How many of the samples so far are of process `pid`.
    #[cfg(test)]
    pub(super) fn of_process(&self, pid: u32) -> usize {
        self.samples.iter().filter(|sample| sample.pid == pid).count()
    }

    /// The samples in the order of time, and how many the ring had no room for.
    pub fn finish(mut self) -> (Vec<Sample>, u64) {
        self.drain();
        self.samples.sort_by_key(|sample| sample.at_ns);
        (self.samples, self.lost)
    }
}

fn open(event: impl Event, cpu: usize, frequency: u64) -> io::Result<perf_event::Sampler> {
    let mut builder = Builder::new(event);
    builder.any_pid().one_cpu(cpu).include_kernel().sample_frequency(frequency).enabled(true);
    builder.sample(SampleFlag::TID | SampleFlag::TIME | SampleFlag::CALLCHAIN);
    // The clock of the client's record, which says when the window was.
    builder.clockid(Clock::MONOTONIC);
    builder.build()?.sampled(RING_BYTES)
}

fn refused(cpu: usize, frequency: u64, error: &io::Error) -> anyhow::Error {
    let setting = |name: &str| {
        let value = fs::read_to_string(format!("/proc/sys/kernel/{name}"));
        value.map_or_else(|_| "unknown".into(), |value| value.trim().to_owned())
    };
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "it takes root, CAP_PERFMON, or sysctl -w kernel.perf_event_paranoid=-1 (it is {})",
            setting("perf_event_paranoid")
        ),
        ErrorKind::InvalidInput => format!(
            "{frequency} samples a second may be too many: kernel.perf_event_max_sample_rate is {}",
            setting("perf_event_max_sample_rate")
        ),
        _ => "it takes a kernel with CONFIG_PERF_EVENTS, and a container that lets perf_event_open(2) pass"
            .into(),
    };
    anyhow!("cannot sample CPU {cpu}: perf_event_open: {error}; {remedy}")
}

impl Sample {
    fn of(sample: &perf_event::data::Sample<'_>) -> Self {
        let (kernel, user) = split(sample.callchain().unwrap_or_default());
        Self { at_ns: sample.time().unwrap_or(0), pid: sample.pid().unwrap_or(0), kernel, user }
    }
}

/// The addresses of `chain` that are the kernel's and those of the process. Marks between them say whose the next ones are.
/// Source: `enum perf_callchain_context` in linux/perf_event.h.
fn split(chain: &[u64]) -> (Vec<u64>, Vec<u64>) {
    const LEAST_MARK: u64 = -4095_i64 as u64;
    const KERNEL: u64 = -128_i64 as u64;
    const USER: u64 = -512_i64 as u64;
    let (mut kernel, mut user, mut whose) = (Vec::new(), Vec::new(), 0);
    for &word in chain {
        match (word, whose) {
            (LEAST_MARK.., _) => whose = word,
            (_, KERNEL) => kernel.push(word),
            (_, USER) => user.push(word),
            _ => {}
        }
    }
    (kernel, user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_addresses_of_the_kernel_from_those_of_the_process() {
        let (kernel, user) = (-128_i64 as u64, -512_i64 as u64);
        assert_eq!(split(&[kernel, 1, 2, user, 3]), (vec![1, 2], vec![3]));
        assert_eq!(split(&[user, 3, 4]), (vec![], vec![3, 4]));
        assert_eq!(split(&[]), (vec![], vec![]));
    }

    #[test]
    fn a_refusal_names_the_cpu_the_cause_and_the_remedy() {
        let said = refused(3, 4999, &ErrorKind::PermissionDenied.into()).to_string();
        assert!(said.contains("CPU 3") && said.contains("perf_event_paranoid=-1 (it is "), "{said}");
        let said = refused(3, 999_999, &ErrorKind::InvalidInput.into()).to_string();
        assert!(said.contains("999999 samples a second may be too many"), "{said}");
    }
}
