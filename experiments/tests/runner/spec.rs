//! A wrong specification is refused before anything runs, and the message says where to look.

use experiments::spec::server_program::{Ends, Ready};
use experiments::spec::{Size, Spec};
use uring_echo::client::{CONNECTIONS_MAX, DEPTH_MAX, PAYLOAD_MAX, RATE_MAX};
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
    Spec::parse("tiny.toml", &VALID.replacen(from, to, 1), Size::Quick).expect_err(to).to_string()
}

#[test]
fn the_specifications_behind_the_measurements_can_still_be_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/measurements");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let specs: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "toml")).collect();
    assert!(!specs.is_empty(), "{folder} has no specification");
    for path in specs {
        let text = std::fs::read_to_string(&path).unwrap();
        Spec::parse(&path.display().to_string(), &text, Size::Quick).unwrap();
    }
}

#[test]
fn an_engine_is_a_name_or_a_table_with_arguments() {
    let spec = Spec::parse("tiny.toml", VALID, Size::Quick).unwrap();
    assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["epoll", "uring-32"]);
    assert_eq!(spec.engines[1].engine, "uring");
    assert_eq!(spec.engines[1].args, ["--buffers", "32"]);
}

#[test]
fn a_mode_overrides_what_holds_for_all() {
    let spec = Spec::parse("tiny.toml", VALID, Size::Quick).unwrap();
    let window = |mode| {
        let cell = spec.cells.iter().find(|cell| cell.factors.mode == mode).unwrap();
        cell.timing.window.as_secs_f64()
    };
    assert_eq!((window(Mode::Stream), window(Mode::ReqRes)), (5.0, 0.5));
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
    assert!(
        message
            .starts_with("tiny.toml:4: engines: no server is called 'kqueue': there are epoll, uring, mio, "),
        "{message}"
    );
}

#[test]
fn an_engine_may_bring_its_own_command_and_is_refused_what_makes_no_sense() {
    let own = |table: &str| {
        VALID.replace("\"epoll\",", &format!("{table},")).replace("uring-32/epoll", "uring-32/mine")
    };
    let text = own("{ name = 'mine', command = 'mine --on {addr}', ready = 'line', args = ['-v'] }");
    let spec = Spec::parse("tiny.toml", &text, Size::Quick).unwrap();
    let mine = &spec.engines[0];
    assert_eq!((mine.engine.as_str(), mine.program.executable().as_str()), ("mine", "mine"));
    assert_eq!((mine.program.ready, mine.program.ends), (Ready::Line, Ends::Any));
    let refusal =
        |table: &str| Spec::parse("tiny.toml", &own(table), Size::Quick).expect_err(table).to_string();
    let message = refusal("{ name = 'mine', command = 'mine' }");
    assert_eq!(
        message,
        "tiny.toml:4: engines: 'mine' does not say where to listen: write {addr} or {port} there"
    );
    let message = refusal("{ name = 'mio', command = 'mine {addr}' }");
    assert!(message.contains("'mio' names a server of the table"), "{message}");
    let message = refusal("{ name = 'mine', engine = 'mio', command = 'mine {addr}' }");
    assert!(message.contains("an engine or a command is wanted, one of the two"), "{message}");
    let message = refusal("{ name = 'mine', engine = 'discard' }");
    assert!(message.contains("no server is called 'discard'"), "{message}");
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let message = refusal("[8, 512]", "[8, 0]");
    assert_eq!(message, "tiny.toml:8: connections: 0 is outside 1 to 60000");
    let message = refusal("window_s = 5.0", "window_s = 0.01");
    assert_eq!(message, "tiny.toml:14: mode.stream.window_s: 0.01 is outside 0.05 to 3600");
}

/// Above what the client takes, by key; the client's own bounds, so that neither can move without the other.
#[test]
fn what_the_client_would_refuse_is_refused_when_the_specification_is_read() {
    let grid = |key: &str, level: u64| {
        refusal_of(&format!("[[grid]]\nmodes = ['req-res']\nconnections = [8]\n{key} = [{level}]\n"))
    };
    let beyond = [
        ("payload_bytes", PAYLOAD_MAX.0 as u64),
        ("depth", DEPTH_MAX.into()),
        ("rate_per_s", RATE_MAX),
        ("idle", CONNECTIONS_MAX as u64),
    ];
    for (key, max) in beyond {
        let message = grid(key, max + 1);
        assert!(message.contains(&format!("{key}: {} is outside ", max + 1)), "{message}");
        assert!(message.ends_with(&format!(" to {max}")), "{message}");
    }
    let message = refusal("[256]", "[33554432]");
    assert_eq!(message, "tiny.toml:7: payload_bytes: 33554432 is outside 1 to 16777216");
}

#[test]
fn connections_of_all_kinds_together_must_fit_one_client() {
    let most = CONNECTIONS_MAX - 8;
    let grid = |idle: usize| format!("[[grid]]\nmodes = ['req-res']\nconnections = [8]\nidle = [{idle}]\n");
    assert_eq!(cells(&grid(most), Size::Quick).len(), 1);
    let message = refusal_of(&grid(most + 1));
    assert!(
        message.starts_with("tiny.toml:17: connections: req-res 256 B x 8, 59993 idle has 60001"),
        "{message}"
    );
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

/// `VALID` with these `variants`.
fn with_variants(variants: &str) -> String {
    VALID.replacen("modes =", &format!("variants = [{variants}]\nmodes ="), 1)
}

#[test]
fn a_variant_is_a_level_with_one_thing_different_and_compared_with_what_it_is_of() {
    let text = with_variants("{ of = 'uring-32', name = 'coop', args = ['--setup', 'coop'] }");
    let spec = Spec::parse("tiny.toml", &text, Size::Quick).unwrap();
    let variant = &spec.engines[2];
    assert_eq!((variant.name.as_str(), variant.engine.as_str()), ("uring-32-coop", "uring"));
    assert_eq!(variant.args, ["--buffers", "32", "--setup", "coop"]);
    assert_eq!(variant.variant_of.as_deref(), Some("uring-32"));
    let sides = |of: &experiments::spec::Comparison| [of.of, of.to].map(|at| spec.engines[at].name.clone());
    let compared: Vec<_> = spec.comparisons.iter().map(sides).collect();
    assert_eq!(compared, [["uring-32", "epoll"], ["uring-32-coop", "uring-32"]]);
    let once = text.replace("ratios = [", "ratios = [\"uring-32-coop/uring-32\", ");
    assert_eq!(Spec::parse("tiny.toml", &once, Size::Quick).unwrap().comparisons.len(), 2);
}

#[test]
fn a_variant_of_nothing_or_of_a_variant_or_without_a_name_of_its_own_is_refused() {
    let refusal = |variants: &str| {
        Spec::parse("tiny.toml", &with_variants(variants), Size::Quick).expect_err(variants).to_string()
    };
    let coop = "{ of = 'epoll', name = 'x', args = [] }";
    let message = refusal("{ of = 'uring', name = 'x', args = [] }");
    assert_eq!(message, "tiny.toml:6: variants: 'uring' is not among the engines, which are epoll, uring-32");
    assert!(
        refusal(&format!("{coop}, {{ of = 'epoll-x', name = 'y', args = [] }}")).contains("'epoll-x' is not")
    );
    assert!(refusal(&format!("{coop}, {coop}")).contains("'epoll-x' is listed twice"));
    assert!(refusal("{ of = 'epoll', name = 'X', args = [] }").contains("must be lower-case"));
    assert!(refusal("{ of = 'epoll', name = 'x' }").contains("missing field `args`"));
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

/// The keys of the cells of `VALID` with `extra` behind it.
fn cells(extra: &str, size: Size) -> Vec<String> {
    let spec = Spec::parse("tiny.toml", &format!("{VALID}{extra}"), size).unwrap();
    spec.cells.iter().map(|cell| cell.factors.key()).collect()
}

/// The message for `VALID` with `extra` behind it.
fn refusal_of(extra: &str) -> String {
    let text = format!("{VALID}{extra}");
    Spec::parse("tiny.toml", &text, Size::Quick).expect_err(extra).to_string()
}

#[test]
fn a_size_overrides_what_stands_at_the_top_and_leaves_the_rest() {
    let extra = "[size.full]\nconnections = [1]\nrepetitions = 9\nmode.stream.window_s = 7\n";
    assert_eq!(cells(extra, Size::Quick).len(), 4);
    assert_eq!(cells(extra, Size::Full), ["stream/256B/c1", "req-res/256B/c1"]);
    let full = Spec::parse("tiny.toml", &format!("{VALID}{extra}"), Size::Full).unwrap();
    assert_eq!((full.repetitions, full.cells[0].timing.window.as_secs()), (9, 7));
}

#[test]
fn a_size_that_is_not_asked_for_is_checked_with_its_place() {
    let message = refusal_of("[size.full]\nconnections = [0]\n");
    assert_eq!(message, "tiny.toml:16: connections: 0 is outside 1 to 60000");
    let message = refusal_of("[size.huge]\nrepetitions = 1\n");
    assert_eq!(message, "tiny.toml:15: size: unknown size `huge`; there are quick and full");
    let message = refusal_of("[size.full]\nwindows_s = 1\n");
    assert!(message.starts_with("tiny.toml:16: windows_s: unknown field"), "{message}");
}

#[test]
fn grids_are_crossed_each_for_itself() {
    let extra = "[[grid]]\nmodes = ['req-res']\nconnections = [1000]\n\
                 [[grid]]\nmodes = ['req-res']\nconnections = [8]\nidle = [1000, 9000]\n";
    let expected = ["req-res/256B/c1000", "req-res/256B/c8/idle1000", "req-res/256B/c8/idle9000"];
    assert_eq!(cells(extra, Size::Quick), expected);
}

#[test]
fn a_grid_with_a_key_of_its_own_or_a_cell_of_another_is_refused() {
    let message = refusal_of("[[grid]]\nrepetitions = 1\n");
    assert!(message.starts_with("tiny.toml:16: grid: a grid has no `repetitions`"), "{message}");
    let message = refusal_of("[[grid]]\nconnections = [8]\n[[grid]]\nidle = [0]\n");
    assert!(message.contains("another grid has stream/256B/c8, too"), "{message}");
    assert!(refusal_of("[grid]\nconnections = [8]\n").contains("write [[grid]]"));
}

#[test]
fn what_one_mode_alone_understands_is_refused_for_the_other() {
    let message = refusal_of("[[grid]]\ndepth = [4]\n");
    assert!(message.starts_with("tiny.toml:16: depth: means nothing in stream"), "{message}");
    let message = refusal_of("[[grid]]\nmodes = ['req-res']\nbatch_bytes = [4096]\n");
    assert!(message.starts_with("tiny.toml:17: batch_bytes: means nothing in req-res"), "{message}");
}

#[test]
fn what_a_stream_has_on_its_way_is_a_level_of_its_own_and_the_clients_default_has_no_name() {
    let grid = |levels: &str| {
        format!("[[grid]]\nmodes = ['stream']\nconnections = [8]\nin_flight_bytes = [{levels}]\n")
    };
    let keys = cells(&grid("'default', 4096, '16M', 'unbounded'"), Size::Quick);
    let expected = ["", "/inflight4096", "/inflight16777216", "/inflight-unbounded"];
    assert_eq!(keys, expected.map(|further| format!("stream/256B/c8{further}")));
    let message = refusal_of(&grid("'4K', 4096"));
    assert_eq!(message, "tiny.toml:18: in_flight_bytes: is listed twice");
    let message = refusal_of(&grid("'2G'"));
    assert!(message.ends_with("in_flight_bytes: 2147483648 is outside 1 to 1073741824"), "{message}");
    assert!(refusal_of(&grid("'deep'")).contains("nor \"unbounded\""));
    let message = refusal_of("[[grid]]\nmodes = ['req-res']\nin_flight_bytes = ['unbounded']\n");
    assert!(message.starts_with("tiny.toml:17: in_flight_bytes: means nothing in req-res"), "{message}");
}

#[test]
fn a_share_of_load_needs_a_calibration_and_no_second_rate() {
    let grid = "[[grid]]\nmodes = ['req-res']\nconnections = [8]\nload = [0.5, 0.95]\n";
    let message = refusal_of(grid);
    assert!(
        message.starts_with("tiny.toml:18: load: is a share of a capacity that nothing measures"),
        "{message}"
    );
    let calibrated = format!("{grid}[calibration]\nrepetitions = 1\n");
    assert_eq!(cells(&calibrated, Size::Quick), ["req-res/256B/c8/load0.5", "req-res/256B/c8/load0.95"]);
    let message = refusal_of(&calibrated.replace("load = [", "rate_per_s = [1000]\nload = ["));
    assert!(message.contains("rate_per_s: the load is given already"), "{message}");
}

#[test]
fn hogs_have_a_kind_and_a_number_or_neither() {
    let grid = |hogs: &str| format!("[[grid]]\nmodes = ['req-res']\nconnections = [8]\nhogs = [{hogs}]\n");
    let both = grid("{ connections = 0 }, { kind = 'greedy', connections = 2 }");
    assert_eq!(cells(&both, Size::Quick), ["req-res/256B/c8", "req-res/256B/c8/hogs2-greedy"]);
    assert!(refusal_of(&grid("{ kind = 'greedy', connections = 0 }")).contains("0 is outside 1 to"));
    assert!(refusal_of(&grid("{ connections = 2 }")).contains("2 is outside 0 to 0"));
    assert!(refusal_of(&grid("{ kind = 'idle', connections = 2 }")).contains("unknown variant `idle`"));
}

#[test]
fn noise_limits_name_a_field_and_its_most() {
    let extra = "[[noise]]\nfield = 'noise.steal_ns'\nmax = 0.02\nper = 'window'\n";
    let spec = Spec::parse("tiny.toml", &format!("{VALID}{extra}"), Size::Quick).unwrap();
    let limits: Vec<_> = spec.noise.iter().map(ToString::to_string).collect();
    assert_eq!(limits, ["noise.steal_ns / window <= 0.02"]);
    assert!(refusal_of("[[noise]]\nfield = 'noise..x'\nmax = 1\n").contains("is not the path of"));
    assert!(refusal_of("[[noise]]\nfield = 'x'\nmax = -1\n").contains("noise.max: -1 is outside"));
}
