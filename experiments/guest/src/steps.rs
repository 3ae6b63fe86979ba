//! The steps that have a name of their own. Any other name is a program of the initramfs, run with the plan's arguments.

/// The conformance suite of both servers.
pub const CONFORMANCE: &str = "conformance";

/// What the kernel offers, as a table for people.
pub const PROBE: &str = "probe";

/// The same as JSON, which the host holds against what this kernel should offer.
pub const FEATURES: &str = "features";

/// A server asked for a feature that came with Linux 6.6: an older kernel has to refuse it in one line.
pub const REFUSAL: &str = "refusal";

/// The experiment of this name, recorded in the guest and handed back.
pub const QUICK: &str = "quick";

/// The runner of experiments, with the plan's arguments.
pub const EXPERIMENTS: &str = "experiments";

/// A prompt on the console, for people.
pub const CONSOLE: &str = "console";

/// Memory is taken until there is none: for the test of how that is told. An example of this crate.
pub const GLUTTON: &str = "glutton";

/// What a guest runs that is told nothing else.
pub const DEFAULT: [&str; 4] = [CONFORMANCE, PROBE, FEATURES, REFUSAL];

/// How long the server of [`REFUSAL`] may take to refuse, in seconds. It serves for this long where the feature is there.
pub const REFUSAL_DEADLINE_S: u64 = 5;

/// Whether the step `name` starts the runner of experiments.
pub fn runs_experiments(name: &str) -> bool {
    [QUICK, CONSOLE, EXPERIMENTS].contains(&name)
}
