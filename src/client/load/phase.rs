//! The phases of a run, which say whether flows send.

/// Where a run is. Phases follow each other in this order; [`Abort`](Self::Abort) may come at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Establish every connection, send nothing.
    Connect,
    /// Load; not measured.
    WarmUp,
    /// Load; measured.
    Window,
    /// Send nothing more, await what is outstanding.
    Drain,
    /// End the sending direction, expect the end of the stream and nothing else.
    Close,
    /// Drop everything and return.
    Abort,
}

impl Phase {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 6] =
        [Self::Connect, Self::WarmUp, Self::Window, Self::Drain, Self::Close, Self::Abort];

    /// The phase that comes after this one.
    pub(crate) const fn next(self) -> Self {
        Self::ALL[self as usize + 1]
    }

    /// Whether flows send.
    pub(crate) const fn sends(self) -> bool {
        matches!(self, Self::WarmUp | Self::Window)
    }
}
