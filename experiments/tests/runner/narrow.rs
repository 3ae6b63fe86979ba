//! The runner where there is little: few descriptors, few ports, no room for temporary files, a view of a container.

use std::fs;
use std::process::{Command, Output};

use crate::bench::{Bench, SHORT_SPEC, text};
use experiments::recording::manifest::Status;

/// What `sh` says to `script`, which finds the runner in `$0`.
fn shell(bench: &Bench, script: &str) -> Output {
    in_front_of(bench, &["sh", "-c", script])
}

/// The same in namespaces of its own, of the kinds that `flags` of unshare(1) name. `None` when this user may not have them.
fn shell_in_own(bench: &Bench, flags: &str, script: &str) -> Option<Output> {
    let may = Command::new("unshare")
        .args([flags, "--mount-proc", "true"])
        .output()
        .is_ok_and(|it| it.status.success());
    if !may {
        eprintln!("skipped: this user may not have namespaces of its own");
    }
    may.then(|| in_front_of(bench, &["unshare", flags, "--mount-proc", "sh", "-c", script]))
}

fn in_front_of(bench: &Bench, words: &[&str]) -> Output {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(env!("CARGO_BIN_EXE_experiments"));
    command.current_dir(bench.path()).env("TMPDIR", bench.path()).output().unwrap()
}

/// The experiment was refused for this `reason` before there was a recording.
fn assert_refused(bench: &Bench, output: &Output, reason: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(reason), "{stderr}");
    assert!(bench.find_recording().is_none(), "{stderr}");
}

#[test]
fn a_server_gets_no_more_connections_than_a_low_limit_of_descriptors_allows() {
    let bench = Bench::new("short", SHORT_SPEC);
    let output = shell(&bench, r#"ulimit -n 1024; "$0" run --spec spec.toml"#);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let manifest = bench.manifest();
    assert_eq!(manifest.count(Status::Valid), manifest.runs.len());
}

#[test]
fn the_yardstick_raises_its_soft_limit_of_descriptors_as_the_servers_do() {
    let spec = SHORT_SPEC.replace(r#""epoll", "uring""#, r#""epoll", "mio""#);
    let bench = Bench::new("short", &spec.replace("uring/epoll", "mio/epoll").replace("[2, 3]", "[40]"));
    let output = shell(&bench, r#"ulimit -S -n 32; "$0" run --spec spec.toml"#);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn connections_beyond_the_limit_of_descriptors_are_refused_in_advance() {
    let bench = Bench::new("short", &SHORT_SPEC.replace("[2, 3]", "[2, 990]"));
    let output = shell(&bench, r#"ulimit -n 1024; "$0" run --spec spec.toml"#);
    assert_refused(&bench, &output, "needs 1057 descriptors and the hard limit is 1024");
}

#[test]
fn ports_that_are_reserved_do_not_count() {
    let bench = Bench::new("short", &SHORT_SPEC.replace("[2, 3]", "[2, 512]"));
    let script = r#"cd /proc/sys/net/ipv4 && echo 40000 40799 >ip_local_port_range &&
        echo 40100-40699 >ip_local_reserved_ports && cd "$TMPDIR" && "$0" run --spec spec.toml"#;
    let Some(output) = shell_in_own(&bench, "-rnpf", script) else { return };
    assert_refused(&bench, &output, "needs 513 local ports and there are 200");
}

#[test]
fn a_temporary_folder_without_room_is_named_before_there_is_a_recording() {
    let bench = Bench::new("short", SHORT_SPEC);
    let script = r#"mkdir full && mount -t tmpfs -o size=8k none full && head -c 8k /dev/zero >full/filler &&
        TMPDIR=$TMPDIR/full "$0" run --spec spec.toml"#;
    let Some(output) = shell_in_own(&bench, "-rmpf", script) else { return };
    assert_refused(&bench, &output, "/full; make room there or set TMPDIR to another: No space left");
}

#[test]
fn a_temporary_folder_that_is_not_there_is_named_before_there_is_a_recording() {
    let bench = Bench::new("short", SHORT_SPEC);
    let output = shell(&bench, r#"TMPDIR=/nonexistent "$0" run --spec spec.toml"#);
    assert_refused(&bench, &output, "cannot write to the temporary folder /nonexistent; make room there");
}

#[test]
fn what_another_process_of_the_same_id_left_behind_is_not_in_the_way() {
    let bench = Bench::new("short", SHORT_SPEC);
    let script =
        r#"mkdir "$TMPDIR/uring-echo-experiments-$$"; exec "$0" run --spec spec.toml --filter connections=2"#;
    let output = shell(&bench, script);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn in_a_container_the_doctor_does_not_say_that_nothing_else_runs() {
    let bench = Bench::new("short", SHORT_SPEC);
    let script = r#""$0" doctor --json --watch-ms 1 >found"#;
    if shell_in_own(&bench, "-rpf", script).is_none() {
        return;
    }
    let found = fs::read(bench.path().join("found")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
    let of = |check: &str| {
        found["findings"].as_array().unwrap().iter().find(|it| it["check"] == check).unwrap().clone()
    };
    for check in ["processes", "irqbalance"] {
        assert_eq!(of(check)["level"], "unavailable", "{check}");
    }
}
