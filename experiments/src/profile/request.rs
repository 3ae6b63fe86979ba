//! What is to be profiled: a specification made of the command line.

use std::path::PathBuf;

use clap::{Args, value_parser};
use serde::Serialize;
use uring_echo::cpu_list::CpuList;
use uring_echo::record::{Mode, Verify};

use crate::compare::{Engine, ServerArg, named};
use crate::spec::{Size, Spec};

/// What to profile, and under which loads.
#[derive(Clone, Debug, Args)]
pub struct ProfileArgs {
    /// A server, as NAME='COMMAND {addr}', or the name alone of one in the box, such as epoll, uring or mio
    #[arg(long = "server", value_name = "NAME[=COMMAND]", default_values = ["epoll", "uring"])]
    pub servers: Vec<ServerArg>,
    /// Loads: stream, req-res [default: four cells, or req-res if --payload-bytes or --connections is given]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = named::<Mode>)]
    pub mode: Vec<Mode>,
    /// Sizes of a message [default: four cells, or 256]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub payload_bytes: Vec<usize>,
    /// Numbers of connections [default: four cells, or 8]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub connections: Vec<usize>,
    /// Seconds that are sampled of each server in each cell
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    pub seconds: f64,
    /// Samples a second
    #[arg(long, value_name = "HZ", default_value_t = 4999, value_parser = value_parser!(u64).range(1..=100_000))]
    pub frequency: u64,
    /// Core of the server [default: the last of the fastest permitted]
    #[arg(long, value_name = "N")]
    pub server_cpu: Option<usize>,
    /// Cores of the client, such as 0 or 1,4-6 [default: the first other one of its kind]
    #[arg(long, value_name = "LIST")]
    pub client_cpus: Option<CpuList>,
    /// Folder for the document, the stacks and the figures [default: results/profile/TIME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The specification as a file would have it.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    title: &'a str,
    question: &'a str,
    repetitions: u32,
    warmup_s: f64,
    window_s: f64,
    verify: Verify,
    engines: Vec<Engine<'a>>,
    grid: Vec<Grid>,
}

#[derive(Serialize)]
struct Grid {
    modes: Vec<Mode>,
    payload_bytes: Vec<usize>,
    connections: Vec<usize>,
}

impl ProfileArgs {
    /// The specification.
    ///
    /// # Errors
    /// When one of the values makes no sense.
    pub fn spec(&self) -> anyhow::Result<Spec> {
        let document = Document {
            id: "profile",
            title: "Where the time goes",
            question: "What does the server's core spend a message's time on?",
            repetitions: 1,
            warmup_s: 0.5,
            window_s: self.seconds,
            verify: Verify::Full,
            engines: self.servers.iter().map(|server| server.engine("port")).collect(),
            grid: self.grids(),
        };
        Ok(Spec::parse("the command line", &toml::to_string(&document)?, Size::Quick)?)
    }

    fn grids(&self) -> Vec<Grid> {
        let grid = |modes: &[Mode], payload_bytes: &[usize], connections: &[usize]| Grid {
            modes: modes.into(),
            payload_bytes: payload_bytes.into(),
            connections: connections.into(),
        };
        if self.mode.is_empty() && self.payload_bytes.is_empty() && self.connections.is_empty() {
            return vec![
                grid(&[Mode::ReqRes], &[256], &[8, 512]),
                grid(&[Mode::Stream], &[256, 16_384], &[8]),
            ];
        }
        vec![grid(
            given(&self.mode, &[Mode::ReqRes]),
            given(&self.payload_bytes, &[256]),
            given(&self.connections, &[8]),
        )]
    }
}

fn given<'a, T>(asked_for: &'a [T], default: &'a [T]) -> &'a [T] {
    if asked_for.is_empty() { default } else { asked_for }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        profile: ProfileArgs,
    }

    fn spec(line: &str) -> anyhow::Result<Spec> {
        let words = shlex::split(line).unwrap();
        Line::try_parse_from(["profile".to_owned()].into_iter().chain(words))?.profile.spec()
    }

    fn cells(spec: &Spec) -> Vec<String> {
        spec.cells.iter().map(|cell| cell.factors.key()).collect()
    }

    #[test]
    fn without_options_both_servers_have_four_cells() {
        let spec = spec("").unwrap();
        assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["epoll", "uring"]);
        assert_eq!(
            cells(&spec),
            ["req-res/256B/c8", "req-res/256B/c512", "stream/256B/c8", "stream/16384B/c8"]
        );
    }

    #[test]
    fn options_multiply_and_one_server_alone_has_a_profile() {
        let spec =
            spec("--server uring --mode stream --payload-bytes 64,256 --connections 1,2 --seconds 0.5");
        let spec = spec.unwrap();
        assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["uring"]);
        let four = ["64B/c1", "64B/c2", "256B/c1", "256B/c2"].map(|cell| format!("stream/{cell}"));
        assert_eq!(cells(&spec), four);
        assert!((spec.cells[0].timing.window.as_secs_f64() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_no_client_offers_is_refused() {
        assert!(spec("--seconds 0").is_err());
        assert!(spec("--payload-bytes 0").is_err());
        assert!(spec("--server kqueue").is_err());
    }
}
