//! A wrong specification is refused before anything runs, and the message says where to look.

use experiments::spec::{Engine, Spec};
use uring_echo::record::Mode;

const VALID: &str = r#"id = "tiny"
title = "Tiny"
question = "Does it parse?"
engines = ["epoll", { name = "uring-32", engine = "uring", args = ["--buffers", "32"] }]
ratios = ["uring-32/epoll"]
modes = ["stream", "req-res"]
payload_bytes = [256]
connections = [8, 512]
repetitions = 2
warmup_s = 0
window_s = 0.5
verify = "full"
[mode.stream]
window_s = 5.0
"#;

/// The message for `VALID` with `from` replaced by `to`.
fn refusal(from: &str, to: &str) -> String {
    assert!(VALID.contains(from), "nothing to replace: {from}");
    Spec::parse("tiny.toml", &VALID.replacen(from, to, 1)).expect_err(to).to_string()
}

#[test]
fn an_engine_is_a_name_or_a_table_with_arguments() {
    let spec = Spec::parse("tiny.toml", VALID).unwrap();
    assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["epoll", "uring-32"]);
    assert_eq!(spec.engines[1].engine, Engine::Uring);
    assert_eq!(spec.engines[1].args, ["--buffers", "32"]);
}

#[test]
fn a_mode_overrides_what_holds_for_all() {
    let spec = Spec::parse("tiny.toml", VALID).unwrap();
    let windows: Vec<_> = spec.workloads.iter().map(|w| (w.mode, w.window.as_secs_f64())).collect();
    assert_eq!(windows, [(Mode::Stream, 5.0), (Mode::ReqRes, 0.5)]);
}

#[test]
fn a_misspelt_key_is_named_with_its_line() {
    let message = refusal("repetitions", "repetition");
    assert!(message.starts_with("tiny.toml:9: repetition: unknown field"), "{message}");
    assert!(message.contains("repetitions"), "{message}");
}

#[test]
fn a_misspelt_key_of_a_mode_is_named_with_its_line() {
    let message = refusal("window_s = 5.0", "windows = 5.0");
    assert!(message.starts_with("tiny.toml:14: windows: unknown field"), "{message}");
}

#[test]
fn a_missing_key_is_named() {
    let message = refusal("title = \"Tiny\"\n", "");
    assert!(message.starts_with("tiny.toml:1: title: missing field"), "{message}");
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_key_and_line() {
    let message = refusal("[256]", "[\"many\"]");
    assert!(message.starts_with("tiny.toml:7: payload_bytes: invalid type"), "{message}");
}

#[test]
fn an_unknown_engine_is_refused_with_those_that_exist() {
    let message = refusal("\"epoll\",", "\"kqueue\",");
    assert!(message.starts_with("tiny.toml:4: engines: unknown variant `kqueue`"), "{message}");
    assert!(message.contains("`epoll`, `uring`, `mio`"), "{message}");
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let message = refusal("[8, 512]", "[8, 0]");
    assert_eq!(message, "tiny.toml:8: connections: 0 is outside 1 to 60000");
    let message = refusal("window_s = 5.0", "window_s = 0.01");
    assert_eq!(message, "tiny.toml:14: mode.stream.window_s: 0.01 is outside 0.05 to 3600");
}

#[test]
fn not_a_number_is_out_of_range() {
    let message = refusal("window_s = 0.5", "window_s = nan");
    assert_eq!(message, "tiny.toml:11: window_s: NaN is outside 0.05 to 3600");
}

#[test]
fn an_empty_list_and_a_repeated_level_are_refused() {
    assert!(refusal("[256]", "[]").starts_with("tiny.toml:7: payload_bytes: lists nothing"));
    assert_eq!(refusal("[8, 512]", "[8, 8]"), "tiny.toml:8: connections: 8 is listed twice");
    assert_eq!(
        refusal("name = \"uring-32\"", "name = \"epoll\""),
        "tiny.toml:4: engines: 'epoll' is listed twice"
    );
}

#[test]
fn a_ratio_must_name_two_different_engines() {
    assert!(refusal("uring-32/epoll", "uring/epoll").contains("'uring' is not among the engines"));
    assert!(refusal("uring-32/epoll", "epoll/epoll").contains("always 1"));
    assert!(
        refusal("uring-32/epoll", "epoll").starts_with("tiny.toml:5: ratios: 'epoll' is not of the form")
    );
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let message = refusal("connections = [8, 512]", "connections = [8,, 512]");
    assert!(message.starts_with("tiny.toml:8: "), "{message}");
}
