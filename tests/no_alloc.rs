//! Neither server allocates while it serves: what it needs it has had since it started.
//!
//! The engine runs on the test's own thread, whose allocations are counted; its clients run on others. Warm-up iterations
//! come first, in which the system library sets up what it keeps for a thread.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use clap::Parser;
use uring_echo::cli::serve::ServeArgs;
use uring_echo::cli::{Cli, Command};
use uring_echo::server::epoll::EpollServer;
use uring_echo::server::uring::catalog;

/// The first clients: what is set up once, any of them sets up.
const CLIENTS_FIRST: usize = 2;
const CLIENTS: usize = 20;
const MESSAGES: usize = 50;

fn serve_args(engine: &str, more: &[&str]) -> ServeArgs {
    let args = ["uring-echo", "serve", engine, "--listen", "127.0.0.1:0", "--max-connections", "256"];
    let cli = Cli::parse_from(args.into_iter().chain(["--backlog", "64"]).chain(more.iter().copied()));
    let Command::Serve(args) = cli.command else { panic!("'serve' was parsed as something else") };
    args
}

/// Small echoes, one large one that blocks the server's send, and an abrupt end.
fn client(addr: SocketAddr) {
    let mut stream = TcpStream::connect(addr).unwrap();
    let mut echo = [0; 300];
    for message in 0..MESSAGES {
        let sent = [message as u8; 300];
        stream.write_all(&sent).unwrap();
        stream.read_exact(&mut echo).unwrap();
        assert_eq!(echo, sent);
    }
    let mut writer = stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        writer.write_all(&vec![7; 12 << 20]).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    thread::sleep(std::time::Duration::from_millis(50));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 12 << 20);
    sending.join().unwrap();
}

/// Iterates until a round of `clients` is done; returns how often this thread allocated meanwhile.
fn allocations_of_a_round(addr: SocketAddr, clients: usize, mut iterate: impl FnMut()) -> u64 {
    let clients = thread::spawn(move || {
        let clients: Vec<_> = (0..clients).map(|_| thread::spawn(move || client(addr))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    let counted = allocation_counter::measure(|| {
        while !clients.is_finished() {
            iterate();
        }
    });
    clients.join().unwrap();
    counted.count_total
}

/// Ends the process of a server that waits for ever: the thread that would fail is the one that waits.
fn watch_for_standstill() {
    thread::spawn(|| {
        thread::sleep(std::time::Duration::from_secs(300));
        eprintln!("no_alloc: the server waits for ever");
        std::process::abort();
    });
}

/// Keeps the server's wait from lasting: connects now and then, so that each iteration ends.
fn knock(addr: SocketAddr) {
    thread::spawn(move || {
        while TcpStream::connect(addr).is_ok() {
            thread::sleep(std::time::Duration::from_millis(20));
        }
    });
}

#[test]
fn the_epoll_server_allocates_nothing_in_an_iteration() {
    watch_for_standstill();
    let ServeArgs::Epoll(args) = serve_args("epoll", &[]) else {
        panic!("epoll was parsed as another engine")
    };
    let mut server = EpollServer::start(&args.config()).unwrap();
    let addr = server.addr();
    knock(addr);
    allocations_of_a_round(addr, CLIENTS_FIRST, || server.iterate().unwrap());
    assert_eq!(allocations_of_a_round(addr, CLIENTS, || server.iterate().unwrap()), 0);
}

#[test]
fn the_io_uring_server_allocates_nothing_in_an_iteration_whatever_its_strategy() {
    watch_for_standstill();
    for entry in catalog::STRATEGIES.iter().filter(|entry| entry.described.require().is_ok()) {
        let name = entry.described.name;
        let ServeArgs::Uring(args) = serve_args("uring", &["--strategy", name]) else {
            panic!("uring was parsed as another engine");
        };
        let mut server = catalog::start(&args.config()).unwrap();
        let addr = server.addr();
        knock(addr);
        allocations_of_a_round(addr, CLIENTS_FIRST, || server.iterate().unwrap());
        assert_eq!(allocations_of_a_round(addr, CLIENTS, || server.iterate().unwrap()), 0, "{name}");
    }
}
