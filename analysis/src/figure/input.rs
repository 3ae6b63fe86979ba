//! The numbers that figures are made of: plain, and already reduced to one estimate a place.

use experiments::report::format as number;

use crate::chart::{Cell, Estimate, Role};

/// How clients behave in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// The client writes without waiting for echoes.
    Stream,
    /// The client waits for the echo before it writes again.
    ReqRes,
}

impl Workload {
    /// Its name in the names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::ReqRes => "req-res",
        }
    }

    /// Its name in a title.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Stream => "Streaming",
            Self::ReqRes => "Request-response",
        }
    }
}

/// A place of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) workload: Workload,
    pub(crate) payload_bytes: u64,
    pub(crate) connections: u64,
}

impl At {
    /// Payload and connections in words.
    pub(crate) fn say(&self) -> String {
        format!("{} × {}", number::label_bytes(self.payload_bytes), self.connections)
    }
}

/// What one server measured in a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) at: At,
    pub(crate) engine: String,
    /// What it measured; `None` without a valid run.
    pub(crate) value: Option<Estimate>,
}

/// How two servers compare in a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    pub(crate) at: At,
    /// io_uring divided by epoll.
    pub(crate) ratio: Cell,
}

/// What all figures of a recording have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) quick: bool,
    /// What an interval is and on how many runs it stands.
    pub(crate) interval: String,
    /// The servers of a ratio, where they are variants: what is divided and by what.
    pub(crate) variants: Option<(String, String)>,
}

impl About {
    /// What a ratio is of, in words.
    pub(crate) fn ratio(&self) -> String {
        match &self.variants {
            Some((of, to)) => format!("{} ÷ {}", reader_name(of), reader_name(to)),
            None => "io_uring ÷ epoll".to_owned(),
        }
    }
}

/// The engine that the server called `engine` is, a variant or not; `None` for another server.
pub(crate) fn family(engine: &str) -> Option<Role> {
    match engine {
        name if name.starts_with("epoll") => Some(Role::Epoll),
        name if name.starts_with("uring") || name.starts_with("io_uring") => Some(Role::Uring),
        _ => None,
    }
}

/// The roles of the series called `engines`. An engine has its colour under its own name; where only variants of it are
/// shown, the first has it. Everything else has others.
pub(crate) fn roles(engines: &[String]) -> Vec<Role> {
    let is_plain = |engine: &str| matches!(engine, "epoll" | "uring" | "io_uring");
    let plain: Vec<Role> =
        engines.iter().filter(|engine| is_plain(engine)).filter_map(|engine| family(engine)).collect();
    let (mut roles, mut others) = (Vec::new(), 0);
    for engine in engines {
        let own = family(engine)
            .filter(|role| !roles.contains(role) && (is_plain(engine) || !plain.contains(role)));
        let role = own.unwrap_or(Role::Other(others));
        others += u8::from(own.is_none());
        roles.push(role);
    }
    roles
}

/// Name of `engine` as a reader knows it: the programs say `uring` for short.
pub(crate) fn reader_name(engine: &str) -> String {
    match engine.strip_prefix("uring") {
        Some(variant) => format!("io_uring{variant}"),
        None => engine.to_owned(),
    }
}

/// The different values of `of` among `items`, in order.
pub(crate) fn distinct<T, V: Ord>(items: &[T], of: impl Fn(&T) -> V) -> Vec<V> {
    let mut values: Vec<V> = items.iter().map(of).collect();
    values.sort();
    values.dedup();
    values
}

/// The different names among `items`, in the order of their first appearance.
pub(crate) fn names<T>(items: &[T], of: impl Fn(&T) -> &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        if !names.iter().any(|name| name == of(item)) {
            names.push(of(item).to_owned());
        }
    }
    names
}
