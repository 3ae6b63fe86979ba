//! Each way to echo that this kernel has is an echo server; each that it lacks is refused in one line.

use std::thread;

use uring_echo::server::strategies;

use crate::support::{Engine, Launch, beside_others};
use crate::variants::loses_nothing;

pub(crate) fn launch(engine: &str, name: &str) -> Launch {
    match engine {
        "epoll" => Launch::new(Engine::Epoll).args(&format!("--strategy {name}")),
        _ => Launch::new(Engine::Uring).strategy(name),
    }
}

#[test]
fn every_strategy_that_this_kernel_has_loses_nothing() {
    let here: Vec<_> = strategies::all().filter(|one| one.require().is_ok()).collect();
    // Each waits for its peers most of the time.
    for some in here.chunks(3) {
        beside_others(|| {
            thread::scope(|scope| {
                for one in some {
                    let thread = thread::Builder::new().name(format!("{} {}", one.engine, one.name));
                    let serves = || loses_nothing(launch(one.engine, one.name));
                    thread.spawn_scoped(scope, serves).expect("a thread can be had");
                }
            });
        });
    }
}

#[test]
fn every_strategy_that_wants_deferred_completion_work_refuses_another_set_up() {
    for one in strategies::all().filter(|one| one.deferred && one.require().is_ok()) {
        for setup in ["coop", "plain"] {
            let line = launch(one.engine, one.name).args(&format!("--setup {setup}")).refused();
            assert!(line.contains("choose --setup defer"), "{}: {line}", one.name);
        }
    }
}

#[test]
fn every_strategy_that_this_kernel_lacks_is_refused_by_the_release_that_brought_it() {
    for one in strategies::all().filter(|one| one.require().is_err()) {
        let line = launch(one.engine, one.name).refused();
        assert!(line.contains(&one.since.to_string()), "{}: {line}", one.name);
    }
}
