//! When descriptors run out or the table is full, whoever comes waits: the server neither dies nor spins nor fills
//! the disk with complaints, and goes on when room is made.

use std::thread;
use std::time::Duration;

use crate::both_engines;
use crate::support::fleet::{Fleet, SocketBuffers};
use crate::support::procfs::lowest_free_descriptor;
use crate::support::scale::widened;
use crate::support::{Engine, Launch, Server, kernel};

both_engines! {
    beside_others: [
        a_full_table_makes_newcomers_wait_and_serves_them_when_others_leave,
        a_server_out_of_descriptors_rests_and_recovers,
        sixty_four_descriptors_are_enough_for_thirty_two_connections,
    ],
}

/// Lines that a server may log in a second of being exhausted.
const LOG_LINES_MAX: usize = 10;

/// Fails unless `server` is quiet for a second, on the CPU and in its log.
fn assert_rests(server: &Server) {
    let (cpu, lines) = (server.cpu(), server.log().lines().count());
    thread::sleep(Duration::from_secs(1));
    let used = server.cpu() - cpu;
    assert!(used < widened(Duration::from_millis(50)), "{used:?} of CPU time in a second of waiting");
    let logged = server.log().lines().count() - lines;
    assert!(logged <= LOG_LINES_MAX, "{logged} lines logged in a second of waiting:\n{}", server.log());
}

fn a_full_table_makes_newcomers_wait_and_serves_them_when_others_leave(engine: Engine) {
    let server = Launch::new(engine).args("--max-connections 32 --backlog 16").nofile(64, 64).start();
    let mut served = Fleet::connect(server.addr, 32, SocketBuffers::default());
    served.echo(100);
    let mut waiting = Fleet::connect(server.addr, 16, SocketBuffers::default());
    assert_eq!(
        waiting.answered_within(100, Duration::from_millis(300)),
        0,
        "newcomers served by a full table"
    );
    assert_rests(&server);
    served.echo(100);
    served.finish();
    waiting.drain();
    waiting.finish();
    assert_eq!(server.stop_clean().accepted, 48);
}

fn a_server_out_of_descriptors_rests_and_recovers(engine: Engine) {
    let mut launch = Launch::new(engine).args("--max-connections 32 --backlog 16").nofile(64, 64);
    if engine == Engine::Uring {
        // Direct descriptors take none of the process's: with plain ones both engines can run out of them.
        launch = launch.args("--files plain");
    }
    let server = launch.start();
    let mut served = Fleet::connect(server.addr, 8, SocketBuffers::default());
    served.echo(100);
    kernel::set_nofile_of(server.pid(), lowest_free_descriptor(server.pid()), 64);
    let mut waiting = Fleet::connect(server.addr, 8, SocketBuffers::default());
    // An accept that io_uring had armed before was granted a descriptor under the old limit.
    let granted = usize::from(engine == Engine::Uring);
    let answered = waiting.answered_within(100, Duration::from_millis(300));
    assert!(answered <= granted, "{answered} served without a descriptor");
    assert_rests(&server);
    served.echo(100);
    served.finish();
    waiting.drain();
    kernel::set_nofile_of(server.pid(), 64, 64);
    waiting.finish();
    server.assert_serves();
    assert!(server.stop_clean().accept_pauses > 0, "running out was not counted");
}

fn sixty_four_descriptors_are_enough_for_thirty_two_connections(engine: Engine) {
    let server = Launch::new(engine).args("--max-connections 32").nofile(64, 64).start();
    for _ in 0..10 {
        let mut fleet = Fleet::connect(server.addr, 32, SocketBuffers::default());
        fleet.echo(10_000);
        fleet.finish();
    }
    server.stop_clean();
}
