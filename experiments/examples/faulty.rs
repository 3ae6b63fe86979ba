//! An echo server with a fault that can be chosen, for tests of the runner: `serve … [--fault FAULT]`.
//!
//! It takes the arguments of a real server, announces itself, counts and stops as one, so that nothing but the fault
//! can void a run. As `client` it hands over to the program named by `FAULTY_CLIENT`; with `--fault fewer` it asks
//! that one for a connection less than it was asked for.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, thread};

use uring_echo::measure::counters::{Counters, Settings, StatsLine};
use uring_echo::sys::signal::{Signal, Signals};
use uring_echo::sys::{affinity, clock};

/// Where in the stream of a connection a fault shows: inside of the third message of a kibibyte.
const FAULT_AT: usize = 3000;

/// How often signals are looked for.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Leaves out a byte of each connection.
    Drop,
    /// Gives each of two connections what the other one sends.
    Swap,
    /// Sends a byte of each connection twice.
    Double,
    /// Says something before it is asked.
    Early,
    /// Drops what it received last before the end of a stream.
    Truncate,
    /// Leaves the second connection without an echo from some byte on.
    Stall,
    /// Serves the first connection only.
    One,
    /// Serves the next connection when the one before it has ended.
    Sequence,
    /// Closes every connection after the 1024th.
    Limit,
    /// Ends each connection while there is more to come.
    Close,
    /// Ends itself.
    Die,
    /// Does not start, as a server that lacks something.
    Refuse,
    /// Does not start, as a server that does not understand its arguments.
    Misunderstand,
}

impl Fault {
    fn named(name: &str) -> io::Result<Self> {
        Ok(match name {
            "none" => Self::None,
            "drop" => Self::Drop,
            "swap" => Self::Swap,
            "double" => Self::Double,
            "early" => Self::Early,
            "truncate" => Self::Truncate,
            "stall" => Self::Stall,
            "one" => Self::One,
            "sequence" => Self::Sequence,
            "limit" => Self::Limit,
            "close" => Self::Close,
            "die" => Self::Die,
            "refuse" => Self::Refuse,
            "misunderstand" => Self::Misunderstand,
            _ => return Err(io::Error::other(format!("no fault is called {name}"))),
        })
    }
}

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(&arguments),
        _ => Err(hand_over(&mut arguments)),
    }
}

/// Becomes the real client. Returns only if that fails.
fn hand_over(arguments: &mut Vec<String>) -> io::Error {
    let place = |arguments: &[String], name: &str| arguments.iter().position(|argument| argument == name);
    if let Some(at) = place(arguments, "--fault") {
        arguments.drain(at..at + 2);
        let connections = place(arguments, "--connections").and_then(|at| arguments.get_mut(at + 1));
        let connections = connections.expect("the runner says how many");
        let asked: usize = connections.parse().expect("a number");
        *connections = (asked - 1).to_string();
    }
    let real = env::var_os("FAULTY_CLIENT").expect("FAULTY_CLIENT names the real client");
    Command::new(real).args(arguments).exec()
}

fn serve(arguments: &[String]) -> io::Result<()> {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let signals = Signals::open()?;
    if let Some(cpu) = value("--cpu") {
        affinity::pin(&[cpu.parse().map_err(io::Error::other)?])?;
    }
    let fault = Fault::named(value("--fault").unwrap_or("none"))?;
    if let Fault::Refuse | Fault::Misunderstand = fault {
        eprintln!("uring-echo: this kernel has no echo; boot another");
        exit(if fault == Fault::Refuse { 1 } else { 2 });
    }
    let listener = TcpListener::bind(value("--listen").unwrap_or("127.0.0.1:0"))?;
    let stats = value("--stats").map(ToOwned::to_owned);
    let settings = Settings::from([("engine".to_owned(), "faulty".to_owned())]);
    append(stats.as_deref(), &StatsLine::Start { pid: std::process::id(), settings })?;
    println!("listening on {} engine=faulty fault={fault:?}", listener.local_addr()?);
    let counters = Arc::new(Mutex::new(Counters::default()));
    let counted = Arc::clone(&counters);
    thread::spawn(move || accept(&listener, fault, &counted));
    attend(&signals, stats.as_deref(), &counters)
}

/// Answers signals until the one to stop.
fn attend(signals: &Signals, stats: Option<&str>, counters: &Mutex<Counters>) -> io::Result<()> {
    loop {
        let signal = signals.next()?;
        let counters = *counters.lock().unwrap_or_else(PoisonError::into_inner);
        let at_ns = clock::monotonic();
        match signal {
            Some(Signal::Snapshot) => {
                let connections = counters.accepted - counters.closed;
                append(stats, &StatsLine::Snapshot { at_ns, connections, counters })?;
            }
            Some(Signal::Stop) => return append(stats, &StatsLine::Exit { at_ns, counters }),
            Some(Signal::Urgent) => {}
            None => thread::sleep(PAUSE),
        }
    }
}

fn append(stats: Option<&str>, line: &StatsLine) -> io::Result<()> {
    let Some(path) = stats else { return Ok(()) };
    let text = serde_json::to_string(line)? + "\n";
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

fn accept(listener: &TcpListener, fault: Fault, counters: &Arc<Mutex<Counters>>) {
    const LIMIT: usize = 1024;
    let mut kept: Vec<TcpStream> = Vec::new();
    for (number, stream) in listener.incoming().flatten().enumerate() {
        count(counters, |counters| counters.accepted += 1);
        let fault = if fault == Fault::Stall && number != 2 { Fault::None } else { fault };
        let last = kept.pop().filter(|other| !is_at_its_end(other).unwrap_or(true));
        match (fault, last) {
            (Fault::Limit, _) if number >= LIMIT => drop(stream),
            (Fault::Sequence, _) => {
                let _ = stream.try_clone().and_then(|from| echo(from, stream, fault, counters));
            }
            (Fault::Swap, Some(other)) => {
                copy(stream.try_clone(), other.try_clone(), fault, counters);
                copy(Ok(other), Ok(stream), fault, counters);
            }
            (Fault::Swap, None) => kept.push(stream),
            (Fault::One, Some(first)) => kept.extend([first, stream]),
            (Fault::One, None) => {
                copy(stream.try_clone(), stream.try_clone(), fault, counters);
                kept.push(stream);
            }
            (_, _) => copy(stream.try_clone(), Ok(stream), fault, counters),
        }
    }
}

/// Sends to the one what comes from the other, in a thread of its own.
fn copy(
    from: io::Result<TcpStream>,
    to: io::Result<TcpStream>,
    fault: Fault,
    counters: &Arc<Mutex<Counters>>,
) {
    let counters = Arc::clone(counters);
    thread::spawn(move || {
        // A client that is gone ends the connection, and that is all it does.
        let _ = echo(from?, to?, fault, &counters);
        count(&counters, |counters| counters.closed += 1);
        io::Result::Ok(())
    });
}

fn echo(mut from: TcpStream, mut to: TcpStream, fault: Fault, counters: &Mutex<Counters>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut position = 0;
    if fault == Fault::Early {
        to.write_all(b"hello")?;
    }
    loop {
        let received = from.read(&mut buffer)?;
        if received == 0 {
            return to.shutdown(Shutdown::Write);
        }
        let mut bytes = buffer[..received].to_vec();
        let is_hit = (position..position + received).contains(&FAULT_AT);
        position += received;
        match fault {
            Fault::Truncate if is_at_its_end(&from)? => return to.shutdown(Shutdown::Write),
            Fault::Double if is_hit => {
                bytes.insert(FAULT_AT + received - position, bytes[FAULT_AT + received - position]);
            }
            Fault::Stall if is_hit => loop {
                thread::park();
            },
            Fault::Drop if is_hit => drop(bytes.remove(FAULT_AT + received - position)),
            Fault::Close if is_hit => {
                to.shutdown(Shutdown::Write)?;
                return io::copy(&mut from, &mut io::sink()).map(drop);
            }
            Fault::Die if is_hit => exit(3),
            _ => {}
        }
        to.write_all(&bytes)?;
        count(counters, |counters| {
            counters.receives += 1;
            counters.syscalls += 2;
            counters.received_bytes += received as u64;
            counters.sent_bytes += bytes.len() as u64;
        });
    }
}

/// Whether its peer has ended the stream and nothing is left of it.
fn is_at_its_end(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let ahead = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(matches!(ahead, Ok(0)))
}

fn count(counters: &Mutex<Counters>, add: impl FnOnce(&mut Counters)) {
    add(&mut counters.lock().unwrap_or_else(PoisonError::into_inner));
}
