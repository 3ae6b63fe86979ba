//! A minimal echo server on mio: what a competent engineer writes first, and what the epoll engine must not lose to.
//!
//! One thread, one 64 KiB buffer for all connections. A message is read and written back at once; what the socket
//! does not take is copied aside, and that connection is not read again until it is gone. No budget, no counters, no
//! orderly shutdown: SIGTERM simply ends it.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use uring_echo::cli::output;
use uring_echo::sys::{affinity, limits};
use uring_echo::units::Bytes;

const LISTENER: Token = Token(usize::MAX);
const EVENTS_PER_WAIT: usize = 1024;

/// Echoes TCP streams through mio.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// CPU to run on.
    #[arg(long)]
    cpu: Option<usize>,
    /// Size of the one buffer, hence the most that is read and written at a time.
    #[arg(long, default_value = "64K")]
    buffer_bytes: Bytes,
    /// TCP_NODELAY of accepted connections.
    #[arg(long, value_enum, default_value = "on")]
    nodelay: Switch,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

fn main() -> ExitCode {
    // Returned from here, an error would be printed with a backtrace whenever RUST_BACKTRACE is set.
    let done = Args::try_parse()
        .map_or_else(|told| output::tell(&told), |args| run(&args).map(|never| match never {}));
    done.unwrap_or_else(|error| {
        output::note(format_args!("baseline-mio: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Serves until a signal ends the process.
fn run(args: &Args) -> anyhow::Result<Infallible> {
    anyhow::ensure!(args.buffer_bytes.0 > 0, "--buffer-bytes must be at least 1");
    if let Some(cpu) = args.cpu {
        affinity::pin(&[cpu]).with_context(|| format!("cannot run on CPU {cpu}"))?;
    }
    // As both of our servers raise theirs: the soft limit is 1024 on many systems, and a load may want more.
    limits::raise_nofile(limits::nofile()?.hard)?;
    let poll = Poll::new().context("cannot open an epoll instance")?;
    let mut listener =
        TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    announce(listener.local_addr()?, args);
    let table = Table { open: Vec::new(), free: Vec::new(), nodelay: args.nodelay == Switch::On };
    serve(poll, &listener, table, &mut vec![0; args.buffer_bytes.0])
}

fn announce(bound: SocketAddr, args: &Args) {
    let nodelay = if args.nodelay == Switch::On { "on" } else { "off" };
    let cpu = args.cpu.map_or("any".into(), |cpu| cpu.to_string());
    let buffer_bytes = args.buffer_bytes;
    let line = format!(
        "listening on {bound} engine=mio buffer_bytes={buffer_bytes} nodelay={nodelay} trigger=edge cpu={cpu}\n"
    );
    // A closed standard output is no reason not to serve.
    drop(output::say(&line, "where it listens"));
}

fn serve(
    mut poll: Poll,
    listener: &TcpListener,
    mut table: Table,
    buffer: &mut [u8],
) -> anyhow::Result<Infallible> {
    let mut events = Events::with_capacity(EVENTS_PER_WAIT);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                table.accept_all(listener, poll.registry());
            } else {
                table.serve(event.token(), event.is_read_closed(), buffer);
            }
        }
    }
}

/// Connections by token; tokens of closed ones are used again.
struct Table {
    open: Vec<Option<Connection>>,
    free: Vec<usize>,
    nodelay: bool,
}

impl Table {
    /// Accepts until the backlog is empty, as edge triggering demands.
    fn accept_all(&mut self, listener: &TcpListener, registry: &Registry) {
        loop {
            match listener.accept().and_then(|(stream, _)| self.insert(stream, registry)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    output::note(format_args!("baseline-mio: cannot accept: {error}"));
                    return;
                }
            }
        }
    }

    fn insert(&mut self, mut stream: TcpStream, registry: &Registry) -> io::Result<()> {
        stream.set_nodelay(self.nodelay)?;
        let index = self.free.pop().unwrap_or_else(|| {
            self.open.push(None);
            self.open.len() - 1
        });
        registry.register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        self.open[index] = Some(Connection { stream, owed: Vec::new() });
        Ok(())
    }

    fn serve(&mut self, token: Token, peer_closed: bool, buffer: &mut [u8]) {
        let Some(connection) = &mut self.open[token.0] else { return };
        match connection.echo(peer_closed, buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(Stream::Open) => {}
            Ok(Stream::Ended) | Err(_) => {
                // Dropping the stream closes its descriptor, which also takes it out of the epoll instance.
                self.open[token.0] = None;
                self.free.push(token.0);
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// Read and not yet written: the part of a message that the socket did not take.
    owed: Vec<u8>,
}

enum Stream {
    Open,
    Ended,
}

impl Connection {
    /// Echoes until the socket is drained. WouldBlock means that the next edge brings us back.
    fn echo(&mut self, peer_closed: bool, buffer: &mut [u8]) -> io::Result<Stream> {
        if !self.owed.is_empty() {
            let sent = write(&mut self.stream, &self.owed)?;
            self.owed.drain(..sent);
            if !self.owed.is_empty() {
                return Ok(Stream::Open);
            }
        }
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Ok(Stream::Ended),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            let sent = write(&mut self.stream, &buffer[..count])?;
            if sent < count {
                self.owed.extend_from_slice(&buffer[sent..count]);
                return Ok(Stream::Open);
            }
            // A short read has emptied the socket (epoll(7)): what comes later is a new edge. An end of stream
            // that came along with the data is not, so then the 0 must still be read.
            if count < buffer.len() && !peer_closed {
                return Ok(Stream::Open);
            }
        }
    }
}

/// Writes until done or blocked; how many bytes the socket took.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
