//! How a server is started, told ready and stopped: as data, for any server.

use std::sync::LazyLock;

use serde::Deserialize;

/// What the runner fills in.
const PLACEHOLDERS: [&str; 5] = ["addr", "port", "cpu", "stats", "threads"];

/// A server's program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerProgram {
    /// The words of its command, as a shell would read them.
    command: String,
    /// How it tells that it serves.
    #[serde(default)]
    pub ready: Ready,
    /// What becomes of it on SIGTERM.
    #[serde(default)]
    pub ends: Ends,
    /// Its option for how many connections it may have. `None` where it needs no telling.
    pub connections: Option<String>,
    /// What figures and tables call it, if not by its name in the table.
    called: Option<String>,
}

/// How a server tells that it serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// It prints `listening on ADDRESS` and chooses its port.
    Line,
    /// It listens on the port that it is given.
    #[default]
    Port,
}

/// What becomes of a server on SIGTERM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// It serves what it owes and exits with 0.
    Drained,
    /// It ends, with whatever status.
    #[default]
    Any,
}

/// What is filled into a command.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// Where to listen: port 0 leaves it to the server.
    pub port: u16,
    /// The server's core.
    pub cpu: usize,
    /// The file of its counters.
    pub stats: &'a str,
}

/// The servers that a specification can name.
static TABLE: LazyLock<Vec<(String, ServerProgram)>> = LazyLock::new(|| {
    let table: toml::Table = include_str!("../../engines.toml").parse().expect("a test reads the table");
    let program = |value: toml::Value| value.try_into().expect("a test reads the table");
    table.into_iter().map(|(name, value)| (name, program(value))).collect()
});

impl ServerProgram {
    /// The one that the table calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|(own, _)| own == name).map(|(_, program)| program.clone())
    }

    /// The names in the table of those that echo, in its order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "discard")
    }

    /// What figures and tables call the server that a specification calls `name`: where that begins with a name of the
    /// table, as `uring-coop` does, what that one is called stands there.
    pub fn called(name: &str) -> String {
        let is_of =
            |own: &str| name.strip_prefix(own).filter(|rest| rest.is_empty() || rest.starts_with('-'));
        let mut called =
            TABLE.iter().filter_map(|(own, program)| Some((program.called.as_ref()?, is_of(own)?)));
        called.next().map_or_else(|| name.to_owned(), |(called, rest)| format!("{called}{rest}"))
    }

    /// A program of the user's own.
    ///
    /// # Errors
    /// What is wrong with `command`.
    pub fn own(command: &str, ready: Ready, ends: Ends) -> Result<Self, String> {
        let program = Self { command: command.into(), ready, ends, connections: None, called: None };
        program.check()?;
        Ok(program)
    }

    /// Whether its command can be filled in.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let command = &self.command;
        let words = shlex::split(command).ok_or_else(|| format!("'{command}' leaves a quote open"))?;
        if words.is_empty() {
            return Err("its command is empty".into());
        }
        let unknown =
            words.iter().flat_map(|word| placeholders(word)).find(|name| !PLACEHOLDERS.contains(name));
        if let Some(name) = unknown {
            let known = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(" ");
            return Err(format!("{{{name}}} in '{command}' is none of {known}"));
        }
        if !self.takes("addr") && !self.takes("port") {
            return Err(format!(
                "'{command}' does not say where to listen: write {{addr}} or {{port}} there"
            ));
        }
        Ok(())
    }

    /// Its command as it was given.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// What its executable is called, or where it is.
    pub fn executable(&self) -> String {
        self.words().swap_remove(0)
    }

    /// Whether it counts its system calls.
    pub fn counts(&self) -> bool {
        self.takes("stats")
    }

    /// Whether it goes to its core by itself.
    pub fn pins(&self) -> bool {
        self.takes("cpu")
    }

    /// What comes after the executable.
    pub fn arguments(&self, fill: Fill<'_>) -> Vec<String> {
        let addr = format!("127.0.0.1:{}", fill.port);
        let (port, cpu) = (fill.port.to_string(), fill.cpu.to_string());
        let values = [addr.as_str(), &port, &cpu, fill.stats, "1"];
        let filled = |word: String| {
            let pairs = PLACEHOLDERS.iter().zip(values);
            pairs.fold(word, |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
        };
        self.words().into_iter().skip(1).map(filled).collect()
    }

    fn words(&self) -> Vec<String> {
        shlex::split(&self.command).expect("the command was checked")
    }

    fn takes(&self, name: &str) -> bool {
        self.command.contains(&format!("{{{name}}}"))
    }
}

/// The names in braces in `word`. Braces around anything but a name stand for themselves.
fn placeholders(word: &str) -> impl Iterator<Item = &str> {
    let inside = word.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    inside.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_filled_in() {
        let names: Vec<_> = ServerProgram::names().collect();
        assert!(
            ["epoll", "mio", "tokio-tuned", "uring"].iter().all(|name| names.contains(name)),
            "{names:?}"
        );
        TABLE.iter().for_each(|(_, program)| program.check().unwrap());
        assert_eq!(names[..3], ["epoll", "uring", "mio"], "the order of colours");
    }

    #[test]
    fn a_reader_knows_a_server_by_what_it_is_called() {
        let called = ["uring", "uring-coop", "epoll-4k", "uringo"].map(ServerProgram::called);
        assert_eq!(called, ["io_uring", "io_uring-coop", "epoll-4k", "uringo"]);
    }

    #[test]
    fn a_command_is_read_as_a_shell_would_and_filled_in() {
        let own = |command| ServerProgram::own(command, Ready::Port, Ends::Any);
        let program = own("socat TCP-LISTEN:{port},fork 'EXEC:cat -u'").unwrap();
        let fill = Fill { port: 4711, cpu: 3, stats: "/tmp/s" };
        assert_eq!(program.executable(), "socat");
        assert_eq!(program.arguments(fill), ["TCP-LISTEN:4711,fork", "EXEC:cat -u"]);
        assert!(!program.pins() && !program.counts());
        let program = own("srv {addr} --on={cpu} --to {stats} -t{threads}").unwrap();
        assert_eq!(program.arguments(fill), ["127.0.0.1:4711", "--on=3", "--to", "/tmp/s", "-t1"]);
        assert!(program.pins() && program.counts());
        assert_eq!(own("sh -c 'x={}; y={ a; }; srv {port}'").map(|_| ()), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_a_command_is_said() {
        let refusal = |command| ServerProgram::own(command, Ready::Port, Ends::Any).unwrap_err();
        assert_eq!(refusal(""), "its command is empty");
        assert_eq!(refusal("srv 'a {addr}"), "'srv 'a {addr}' leaves a quote open");
        assert_eq!(
            refusal("srv {adr}"),
            "{adr} in 'srv {adr}' is none of {addr} {port} {cpu} {stats} {threads}"
        );
        assert_eq!(refusal("srv"), "'srv' does not say where to listen: write {addr} or {port} there");
    }
}
