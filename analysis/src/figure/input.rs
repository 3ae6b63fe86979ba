//! The numbers that figures are made of: plain, and already reduced to one estimate a place.

use experiments::report::format as number;

use crate::chart::{Cell, Estimate, Role};

/// How clients behave in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// The client writes without waiting for echoes.
    Stream,
    /// The client waits for the echo before it writes again.
    ReqRes,
}

impl Workload {
    /// Its name in the names of files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::ReqRes => "req-res",
        }
    }

    /// Its name in a title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Stream => "Streaming",
            Self::ReqRes => "Request-response",
        }
    }
}

/// A place of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// How clients behave.
    pub workload: Workload,
    /// Size of a message.
    pub payload_bytes: u64,
    /// Connections.
    pub connections: u64,
}

impl At {
    /// Payload and connections in words.
    #[must_use]
    pub fn say(&self) -> String {
        format!("{} × {}", number::label_bytes(self.payload_bytes), self.connections)
    }
}

/// What one server measured in a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The place.
    pub at: At,
    /// The server.
    pub engine: String,
    /// What it measured; `None` without a valid run.
    pub value: Option<Estimate>,
}

/// How two servers compare in a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The place.
    pub at: At,
    /// io_uring divided by epoll.
    pub ratio: Cell,
}

/// What all figures of a recording have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Whether the recording is of the size `quick`.
    pub quick: bool,
    /// What an interval is and on how many runs it stands.
    pub interval: String,
    /// The servers of a ratio, where they are variants: what is divided and by what.
    pub variants: Option<(String, String)>,
}

impl About {
    /// What a ratio is of, in words.
    #[must_use]
    pub fn ratio(&self) -> String {
        match &self.variants {
            Some((of, to)) => format!("{} ÷ {}", reader_name(of), reader_name(to)),
            None => "io_uring ÷ epoll".to_owned(),
        }
    }
}

/// The engine that the server called `engine` is, a variant or not; `None` for another server.
#[must_use]
pub fn family(engine: &str) -> Option<Role> {
    match engine {
        name if name.starts_with("epoll") => Some(Role::Epoll),
        name if name.starts_with("uring") || name.starts_with("io_uring") => Some(Role::Uring),
        _ => None,
    }
}

/// The roles of the series called `engines`. An engine has its colour under its own name; where only variants of it are
/// shown, the first has it. Everything else has others.
#[must_use]
pub fn roles(engines: &[String]) -> Vec<Role> {
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
#[must_use]
pub fn reader_name(engine: &str) -> String {
    match engine.strip_prefix("uring") {
        Some(variant) => format!("io_uring{variant}"),
        None => engine.to_owned(),
    }
}

/// The different values of `of` among `items`, in order.
pub fn distinct<T, V: Ord>(items: &[T], of: impl Fn(&T) -> V) -> Vec<V> {
    let mut values: Vec<V> = items.iter().map(of).collect();
    values.sort();
    values.dedup();
    values
}

/// The different names among `items`, in the order of their first appearance.
pub fn names<T>(items: &[T], of: impl Fn(&T) -> &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        if !names.iter().any(|name| name == of(item)) {
            names.push(of(item).to_owned());
        }
    }
    names
}
