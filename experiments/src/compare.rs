//! Any servers side by side: a specification made of a command line, run and recorded like every other.

use std::str::FromStr;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};
use uring_echo::record::{Mode, Verify};

use crate::spec::server_program::{Ready, ServerProgram};
use crate::spec::{Size, Spec};

/// The experiment that a comparison is recorded as.
pub const ID: &str = "compare";

/// What to compare, and under which loads.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// A server, as NAME='COMMAND {addr}', or the name alone of one in the box, such as epoll, uring or mio. Give two or more: the others are
    /// compared with the first. {addr} becomes 127.0.0.1:PORT, {port} the port, {cpu} the server's core, {threads} 1
    #[arg(long = "server", value_name = "NAME[=COMMAND]", required_unless_present = "resume")]
    pub servers: Vec<ServerArg>,
    /// Loads: stream, req-res
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "stream,req-res", value_parser = named::<Mode>)]
    pub mode: Vec<Mode>,
    /// Sizes of a message
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "256,65536")]
    pub payload_bytes: Vec<usize>,
    /// Numbers of connections
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "8,512")]
    pub connections: Vec<usize>,
    /// How much of what comes back is compared with what was sent
    #[arg(long, value_name = "full|sample|off", default_value = "full", value_parser = named::<Verify>)]
    pub verify: Verify,
    /// Seconds of load before each measured window [default: by size]
    #[arg(long, value_name = "S")]
    pub warmup_s: Option<f64>,
    /// Seconds that are measured in each run [default: by size]
    #[arg(long, value_name = "S")]
    pub window_s: Option<f64>,
    /// Count the system calls of servers that do not count them, in runs of their own; it takes root
    #[arg(long)]
    pub count_syscalls: bool,
    /// Servers say that they are ready by printing `listening on ADDRESS`, and choose their port themselves
    #[arg(long)]
    pub ready_line: bool,
}

/// Reads a value as a specification writes it.
pub(crate) fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(StrDeserializer::<ValueError>::new(text)).map_err(|error| error.to_string())
}

/// A server of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerArg {
    name: String,
    /// `None` for one of the table.
    command: Option<String>,
}

impl FromStr for ServerArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, command)) = text.split_once('=') else {
            let known = || ServerProgram::names().collect::<Vec<_>>().join(", ");
            ServerProgram::named(text).ok_or_else(|| {
                format!(
                    "no server in the box is called '{text}', there are {}; say NAME='COMMAND {{addr}}'",
                    known()
                )
            })?;
            return Ok(Self { name: text.into(), command: None });
        };
        ServerProgram::own(command, Ready::default(), Default::default())?;
        Ok(Self { name: name.into(), command: Some(command.into()) })
    }
}

/// The specification as a file would have it.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    title: &'a str,
    question: &'a str,
    table: &'a str,
    ratios: Vec<String>,
    modes: &'a [Mode],
    payload_bytes: &'a [usize],
    connections: &'a [usize],
    repetitions: u32,
    warmup_s: f64,
    window_s: f64,
    verify: Verify,
    count_syscalls: bool,
    engines: Vec<Engine<'a>>,
    control: Control,
    size: Sizes,
}

/// A server as a specification has it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Engine<'a> {
    InTheBox(&'a str),
    Own { name: &'a str, command: &'a str, ready: &'a str },
}

#[derive(Serialize)]
struct Control {
    cells: usize,
    pairs: u32,
}

#[derive(Serialize)]
struct Sizes {
    full: Full,
}

#[derive(Serialize)]
struct Full {
    repetitions: u32,
    warmup_s: f64,
    window_s: f64,
    control: Control,
}

impl CompareArgs {
    /// The specification of this comparison in `size`, and its text, which a recording keeps.
    ///
    /// # Errors
    /// When there are not two servers, or one of the values makes no sense.
    pub fn spec(&self, size: Size) -> anyhow::Result<(Spec, String)> {
        ensure!(
            self.servers.len() > 1,
            "one server alone is compared with nothing: give another --server, such as --server epoll"
        );
        let text = toml::to_string(&self.document())?;
        Ok((Spec::parse("the command line", &text, size)?, text))
    }

    fn document(&self) -> Document<'_> {
        let names = || self.servers.iter().map(|server| &server.name);
        let first = &self.servers[0].name;
        let ready = if self.ready_line { "line" } else { "port" };
        Document {
            id: ID,
            title: "Servers side by side",
            question: "What does a message cost each server, how many does it echo, and whom does it keep waiting?",
            table: "grid",
            ratios: names().skip(1).map(|name| format!("{name}/{first}")).collect(),
            modes: &self.mode,
            payload_bytes: &self.payload_bytes,
            connections: &self.connections,
            repetitions: 5,
            warmup_s: self.warmup_s.unwrap_or(0.5),
            window_s: self.window_s.unwrap_or(1.0),
            verify: self.verify,
            count_syscalls: self.count_syscalls,
            engines: self.servers.iter().map(|server| server.engine(ready)).collect(),
            control: Control { cells: 2, pairs: 3 },
            size: Sizes {
                full: Full {
                    repetitions: 11,
                    warmup_s: self.warmup_s.unwrap_or(2.0),
                    window_s: self.window_s.unwrap_or(10.0),
                    control: Control { cells: 2, pairs: 10 },
                },
            },
        }
    }
}

impl ServerArg {
    /// As a specification has it; `ready` says how one of the user's own tells that it listens.
    pub(crate) fn engine<'a>(&'a self, ready: &'a str) -> Engine<'a> {
        match &self.command {
            None => Engine::InTheBox(&self.name),
            Some(command) => Engine::Own { name: &self.name, command, ready },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        compare: CompareArgs,
        #[arg(long)]
        resume: bool,
    }

    fn spec(line: &str) -> anyhow::Result<Spec> {
        let words = shlex::split(line).unwrap();
        let line = Line::try_parse_from(["compare".to_owned()].into_iter().chain(words))?;
        line.compare.spec(Size::Quick).map(|(spec, _)| spec)
    }

    #[test]
    fn servers_of_the_box_and_of_others_are_levels_and_the_first_is_what_they_are_compared_with() {
        let line = "--server epoll --server 'cat=socat TCP-LISTEN:{port},fork EXEC:cat' --server uring --connections 8";
        let spec = spec(line).unwrap();
        assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["epoll", "cat", "uring"]);
        let sides = |at: &crate::spec::Comparison| [at.of, at.to].map(|at| spec.engines[at].name.as_str());
        assert_eq!(
            spec.comparisons.iter().map(sides).collect::<Vec<_>>(),
            [["cat", "epoll"], ["uring", "epoll"]]
        );
        assert_eq!(spec.engines[1].program.executable(), "socat");
        assert_eq!((spec.cells.len(), spec.cells[0].timing.verify), (4, Verify::Full));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_the_reason() {
        let refusal = |line: &str| spec(line).unwrap_err().to_string();
        assert!(refusal("--server epoll").contains("give another --server"));
        assert!(refusal("--server epoll --server kqueue").contains("there are epoll, uring, "));
        assert!(refusal("--server epoll --server a='srv {adr}'").contains("{adr} in 'srv {adr}' is none of"));
        assert!(refusal("--server epoll --server A='srv {addr}'").contains("'A' must be lower-case letters"));
        assert!(
            refusal("--server epoll --server epoll='srv {addr}'").contains("names a server of the table")
        );
        assert!(refusal("--server epoll --server epoll").contains("listed twice"));
        assert!(refusal("").contains("--server"));
    }
}
