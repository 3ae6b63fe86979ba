//! What tells the machines of recordings apart.

use uring_echo::measure::host::{Cache, Host, Known};
use uring_echo::units::Bytes;

/// A machine, as far as a recording knows it. Clouds sell several generations under one name; CPUID and caches differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    /// Its family/model/stepping.
    pub(crate) signature: String,
    /// The caches that its first CPU sees, from the nearest on, without those of instructions.
    pub(crate) caches: String,
    /// Idle driver and governor: how dear a wake-up is.
    pub(crate) idle: String,
    pub(crate) kernel: String,
}

impl Machine {
    /// The machine that `host` describes; without a description, one of which nothing is known.
    pub(crate) fn of(host: Option<&Host>) -> Self {
        let text = |fact: fn(&Host) -> &Known<String>| host.map_or_else(unknown, |host| known(fact(host)));
        Self {
            processor: text(|host| &host.cpu.model),
            signature: text(|host| &host.cpu.signature),
            caches: host
                .and_then(|host| host.cpu.caches.value())
                .map_or_else(unknown, |caches| sizes(caches)),
            idle: text(|host| &host.cpu.idle),
            kernel: text(|host| &host.kernel.release),
        }
    }

    /// Takes `other` in if it can be the same machine: earlier records did not keep the signature, and an unknown one tells
    /// nothing apart.
    pub(crate) fn absorb(&mut self, other: &Self) -> bool {
        let either = |one: &str, other: &str| if one == UNKNOWN { other } else { one }.to_owned();
        let here = Self { signature: either(&self.signature, &other.signature), ..self.clone() };
        let there = Self { signature: either(&other.signature, &self.signature), ..other.clone() };
        let is_same = here == there;
        if is_same {
            *self = here;
        }
        is_same
    }
}

const UNKNOWN: &str = "unknown";

fn unknown() -> String {
    UNKNOWN.to_owned()
}

fn known(fact: &Known<String>) -> String {
    fact.value().cloned().unwrap_or_else(unknown)
}

fn sizes(caches: &[Cache]) -> String {
    let of_data = caches.iter().filter(|cache| cache.kind.value().is_none_or(|kind| kind != "Instruction"));
    let sizes: Vec<String> =
        of_data.map(|cache| cache.size_bytes.value().map_or_else(unknown, |size| in_words(*size))).collect();
    sizes.join(", ")
}

fn in_words(size: Bytes) -> String {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    match size.0 {
        whole if whole % MIB == 0 => format!("{} MiB", whole / MIB),
        other => format!("{} KiB", other / KIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits_whole() {
        let words = [48 << 10, 1 << 20, 32 << 20, 1536 << 10].map(|size| in_words(Bytes(size)));
        assert_eq!(words, ["48 KiB", "1 MiB", "32 MiB", "1536 KiB"]);
    }

    #[test]
    fn a_signature_that_one_record_lacks_is_learned_from_another_and_two_tell_machines_apart() {
        let machine = |signature: &str| Machine { signature: signature.into(), ..Machine::of(None) };
        let mut first = machine(UNKNOWN);
        assert!(first.absorb(&machine("23/1/2")) && first.absorb(&machine(UNKNOWN)));
        assert_eq!(first.signature, "23/1/2");
        assert!(!first.absorb(&machine("26/2/1")));
        assert!(!first.absorb(&Machine { kernel: "6.1.0".into(), ..machine("23/1/2") }));
    }

    #[test]
    fn nothing_is_made_up_of_a_machine_that_was_not_described() {
        let machine = Machine::of(None);
        assert_eq!(
            [machine.processor, machine.signature, machine.caches, machine.idle, machine.kernel],
            [const { "unknown" }; 5]
        );
    }
}
