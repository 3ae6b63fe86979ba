//! What got in the way of a run.

use serde::{Deserialize, Serialize};

use super::CoreUse;
use crate::measure::noise::{NoiseReading, Switches};
use crate::units::Nanos;

/// What others did in the window: the raw material of a noise gate. `None` is what could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// Time in which some task anywhere on the machine waited for a CPU. `None` where the kernel keeps no pressure
    /// stall information.
    pub psi_cpu_some_ns: Option<Nanos>,
    /// How often a thread of the server had to leave its CPU with work left. `None` without the server's pid.
    pub server_involuntary_switches: Option<u64>,
    /// The same of the client's load threads.
    pub client_involuntary_switches: Option<u64>,
    /// Soft interrupts on the server's core, those of the load itself included. `None` unless the server is pinned to
    /// exactly one.
    pub server_core_softirq_ns: Option<Nanos>,
    /// Time of the server's core that the hypervisor gave to others. `None` like the above.
    pub steal_ns: Option<Nanos>,
}

impl Noise {
    /// From readings at both ends of the window, and how the server's core spent it.
    pub fn between(begin: &NoiseReading, end: &NoiseReading, server_core: Option<CoreUse>) -> Self {
        let switches = |reader: fn(&NoiseReading) -> Option<&Switches>| {
            reader(begin).zip(reader(end)).map(|(begin, end)| begin.until(end))
        };
        Self {
            psi_cpu_some_ns: begin
                .psi_cpu_some
                .zip(end.psi_cpu_some)
                .map(|(begin, end)| end.saturating_sub(begin)),
            server_involuntary_switches: switches(|reading| reading.server.as_ref()),
            client_involuntary_switches: switches(|reading| reading.client.as_ref()),
            server_core_softirq_ns: server_core.map(|core| core.softirq_ns),
            steal_ns: server_core.map(|core| core.steal_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_what_was_added_between_the_readings() {
        let begin = NoiseReading { psi_cpu_some: Some(Nanos(5)), ..NoiseReading::default() };
        let end = NoiseReading { psi_cpu_some: Some(Nanos(9)), ..NoiseReading::default() };
        let noise = Noise::between(&begin, &end, None);
        assert_eq!(noise.psi_cpu_some_ns, Some(Nanos(4)));
        assert_eq!((noise.steal_ns, noise.server_core_softirq_ns), (None, None));
    }

    #[test]
    fn what_one_reading_lacks_is_unknown_and_not_zero() {
        let known = NoiseReading {
            psi_cpu_some: Some(Nanos(5)),
            server: Some(Switches::default()),
            client: Some(Switches::default()),
        };
        let noise = Noise::between(&known, &NoiseReading::default(), None);
        assert_eq!((noise.psi_cpu_some_ns, noise.server_involuntary_switches), (None, None));
        assert_eq!(Noise::between(&known, &known, None).client_involuntary_switches, Some(0));
    }
}
