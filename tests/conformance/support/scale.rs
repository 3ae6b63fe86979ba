//! How much load a case brings. `URING_ECHO_SCALE` shrinks counts and volumes where the machine is slow or small, an
//! emulated one above all; bounds on time widen by as much.

use std::sync::LazyLock;
use std::time::Duration;

static SCALE: LazyLock<f64> = LazyLock::new(|| match std::env::var("URING_ECHO_SCALE") {
    Ok(text) => match text.parse() {
        Ok(scale) if scale > 0.0 && scale <= 1.0 => scale,
        _ => panic!("URING_ECHO_SCALE is '{text}'; it is a fraction above 0 and at most 1, such as 0.1"),
    },
    Err(_) => 1.0,
});

/// `full` counts or bytes at full scale; at least one.
pub(crate) fn scaled(full: usize) -> usize {
    ((full as f64 * *SCALE).ceil() as usize).max(1)
}

/// A bound on time that holds on a machine of full scale, widened for the machine at hand.
pub(crate) fn widened(full: Duration) -> Duration {
    full.mul_f64((1.0 / *SCALE).min(20.0))
}

/// How long anything may take before it counts as hung.
pub(crate) fn patience() -> Duration {
    widened(Duration::from_secs(60))
}
