//! Properties of plans, whatever the experiment.

use std::collections::BTreeSet;

use super::*;
use crate::spec::{Size, built_in, find};

fn parity() -> Spec {
    find("parity", Size::Quick).unwrap().unwrap().0
}

fn measured(spec: &Spec, seed: u64) -> Vec<Run> {
    plan(spec, seed).into_iter().filter(|run| run.role == Role::Measured).collect()
}

fn label(run: &Run) -> String {
    format!("{:?} {:?} {} {} {}", run.role, run.arm, run.repetition, run.cell.factors.key(), run.engine.name)
}

/// Two cells, two engines, three repetitions, everything else as `extra` says.
fn spec(extra: &str) -> Spec {
    let text = format!(
        "id = 'tiny'\ntitle = 'T'\nquestion = 'Q?'\nengines = ['epoll', 'uring']\nmodes = ['req-res']\n\
         payload_bytes = [256]\nconnections = [1, 8]\nrepetitions = 3\nwarmup_s = 0\nwindow_s = 1\n\
         verify = 'full'\n{extra}"
    );
    Spec::parse("tiny.toml", &text, Size::Quick).unwrap()
}

fn of_role(runs: &[Run], role: Role) -> Vec<&Run> {
    runs.iter().filter(|run| run.role == role).collect()
}

#[test]
fn every_combination_comes_exactly_once_in_every_repetition() {
    for size in Size::ALL {
        for (spec, _) in built_in(size).unwrap() {
            let runs = plan(&spec, 1);
            let distinct: BTreeSet<_> = runs.iter().map(label).collect();
            // Each variant brings a run of what it is a variant of.
            let in_a_cell = spec.engines.len() + spec.variants().count();
            let measured = of_role(&runs, Role::Measured).len();
            assert_eq!(measured, in_a_cell * spec.cells.len() * spec.repetitions as usize);
            assert_eq!(distinct.len(), runs.len(), "{} {size}", spec.id);
            assert!(runs.iter().enumerate().all(|(index, run)| run.number == index + 1));
        }
    }
}

#[test]
fn a_seed_gives_its_order_and_environments_again_and_another_seed_others() {
    let spec = parity();
    assert_eq!(plan(&spec, 5), plan(&spec, 5));
    assert_ne!(plan(&spec, 5), plan(&spec, 6));
    let environments: BTreeSet<_> = plan(&spec, 5).iter().map(|run| run.environment_bytes).collect();
    assert!(environments.len() > 100 && environments.iter().all(|&bytes| bytes < ENVIRONMENT_BYTES_MAX));
}

#[test]
fn repetitions_follow_each_other_and_do_not_repeat_an_order() {
    let spec = parity();
    let runs = measured(&spec, 9);
    assert!(runs.is_sorted_by_key(|run| run.repetition));
    let order = |repetition| -> Vec<_> {
        let mut cells: Vec<_> = runs
            .iter()
            .filter(|run| run.repetition == repetition)
            .map(|run| run.cell.factors.key())
            .collect();
        cells.dedup();
        cells
    };
    assert_ne!(order(1), order(2));
    let listed: Vec<_> = spec.cells.iter().map(|cell| cell.factors.key()).collect();
    assert_ne!(order(1), listed);
}

#[test]
fn the_engines_of_a_cell_run_right_after_each_other_and_not_always_in_the_same_order() {
    let spec = parity();
    let runs = measured(&spec, 3);
    let groups: Vec<_> = runs.chunks(spec.engines.len()).collect();
    assert!(groups.iter().all(|group| group.iter().all(|run| run.cell == group[0].cell)));
    let leaders: BTreeSet<_> = groups.iter().map(|group| &group[0].engine.name).collect();
    assert_eq!(leaders.len(), spec.engines.len());
}

#[test]
fn a_variant_runs_right_before_or_after_what_it_is_a_variant_of_and_pairs_with_that_run_alone() {
    let spec = spec(
        "variants = [{ of = 'uring', name = 'x', args = [] }, { of = 'uring', name = 'y', args = [] }, \
         { of = 'epoll', name = 'z', args = [] }]",
    );
    let runs = measured(&spec, 3);
    // The plain pair and three variants with theirs, in two cells, three times.
    assert_eq!(runs.len(), 8 * 2 * 3);
    let mut orders = BTreeSet::new();
    for pair in runs.chunks(2) {
        assert_eq!((&pair[0].cell, pair[0].repetition), (&pair[1].cell, pair[1].repetition));
        let names: BTreeSet<_> = pair.iter().map(|run| run.engine.name.as_str()).collect();
        let is_variant = |run: &&Run| run.engine.variant_of.is_some();
        match pair.iter().find(is_variant) {
            Some(run) => assert!(names.contains(run.engine.variant_of.as_deref().unwrap()), "{names:?}"),
            None => assert_eq!(names, BTreeSet::from(["epoll", "uring"])),
        }
        orders.insert(pair.iter().position(|run| is_variant(&run)));
    }
    assert_eq!(orders, BTreeSet::from([None, Some(0), Some(1)]));
    let pairs: BTreeSet<_> = runs.iter().map(|run| (run.cell.factors.key(), run.repetition)).collect();
    assert_eq!(pairs.len(), runs.len() / 2, "a repetition of a cell is one pair");
}

#[test]
fn a_level_that_is_measured_beside_its_variants_is_not_measured_alone() {
    let text = "variants = [{ of = 'uring', name = 'x', args = [] }]";
    let mut spec = spec(text);
    spec.keep_engines(|level| level.name != "epoll");
    assert_eq!(measured(&spec, 1).len(), 2 * 2 * 3);
}

#[test]
fn each_program_is_primed_once_before_anything_else() {
    let runs = plan(&spec(""), 1);
    assert_eq!(of_role(&runs, Role::Priming).len(), 2);
    assert!(runs[..2].iter().all(|run| run.role == Role::Priming));
}

#[test]
fn capacity_is_measured_in_closed_loop_before_any_share_of_it_is_offered() {
    let spec = spec("load = [0.5, 0.9]\n[calibration]\nrepetitions = 2");
    let runs = plan(&spec, 1);
    let calibrations = of_role(&runs, Role::Calibration);
    // Two connection counts, two engines, two repetitions; the shares of load have one capacity in common.
    assert_eq!(calibrations.len(), 8);
    assert!(calibrations.iter().all(|run| run.cell.factors.load.is_none()));
    let first_measured = runs.iter().position(|run| run.role == Role::Measured).unwrap();
    assert!(calibrations.iter().all(|run| run.number <= first_measured));
}

#[test]
fn control_pairs_are_two_arms_of_one_engine_right_after_each_other_all_over_the_recording() {
    let runs = plan(&spec("[control]\ncells = 1\npairs = 5"), 1);
    let controls = of_role(&runs, Role::Control);
    assert_eq!(controls.len(), 10);
    for pair in controls.chunks(2) {
        assert_eq!((pair[0].number + 1, pair[0].repetition), (pair[1].number, pair[1].repetition));
        assert_eq!((&pair[0].engine, &pair[0].cell), (&pair[1].engine, &pair[1].cell));
        assert_ne!(pair[0].arm, pair[1].arm);
    }
    let pairs: BTreeSet<_> = controls.iter().map(|run| run.repetition).collect();
    assert_eq!(pairs, BTreeSet::from([1, 2, 3, 4, 5]));
    // Three rounds of the grid hold two, two and one of them.
    let span = controls[9].number - controls[0].number;
    assert!(span > runs.len() / 2, "they stand close together: {span} of {}", runs.len());
}

#[test]
fn each_depth_of_queues_has_a_control_of_its_own() {
    let text = "[[grid]]\nmodes = ['stream']\nin_flight_bytes = ['default', 'unbounded']\n[[grid]]\n\
                [control]\ncells = 1\npairs = 2";
    let runs = plan(&spec(text), 1);
    let controls = of_role(&runs, Role::Control);
    let deep = controls.iter().filter(|run| run.cell.factors.in_flight_bytes.is_some()).count();
    assert_eq!((controls.len(), deep), (8, 4));
}

#[test]
fn a_ceiling_does_not_depend_on_what_is_on_its_way() {
    let text = "[[grid]]\nmodes = ['stream']\nin_flight_bytes = ['default', 'unbounded']\n[ceiling]\n\
                connections = 8\nrepetitions = 1";
    assert_eq!(of_role(&plan(&spec(text), 1), Role::Ceiling).len(), 1);
}

#[test]
fn each_payload_of_a_stream_has_its_ceiling() {
    let text = "batch_bytes = [4096]\n[[grid]]\nmodes = ['stream']\npayload_bytes = [256, 512]\n[ceiling]\n\
                connections = 8\nrepetitions = 2";
    let runs = plan(&spec(text), 1);
    let ceilings = of_role(&runs, Role::Ceiling);
    assert_eq!(ceilings.len(), 4);
    assert!(ceilings.iter().all(|run| run.engine.engine == "discard"));
    assert!(ceilings.iter().all(|run| run.cell.factors.connections == 8));
}

#[test]
fn a_few_are_spread_evenly_over_many() {
    let items: Vec<_> = (0..10).collect();
    assert_eq!(spread(&items, 2).copied().collect::<Vec<_>>(), [2, 7]);
    assert_eq!(spread(&items, 99).count(), 10);
    assert_eq!(spread(&items[..1], 1).copied().collect::<Vec<_>>(), [0]);
}

#[test]
fn the_first_look_takes_less_than_three_minutes_and_all_quick_sizes_but_five_less_than_forty() {
    /// Whose cells are measured often, for ratios that are close to 1, or which has many engines.
    const LONG: [&str; 5] = ["parity", "pairs", "ablation", "fairness", "runtimes"];
    let minutes = |spec: &Spec| crate::plan::estimate::cost(&plan(spec, 0)).time.as_secs_f64() / 60.0;
    let all = built_in(Size::Quick).unwrap();
    let quick = all.iter().find(|(spec, _)| spec.id == "quick").unwrap();
    assert!(minutes(&quick.0) < 3.0);
    let short = all.iter().filter(|(spec, _)| !LONG.contains(&spec.id.as_str()));
    let sum: f64 = short.map(|(spec, _)| minutes(spec)).sum();
    assert!(sum < 40.0, "{sum} minutes");
    let ablation = all.iter().find(|(spec, _)| spec.id == "ablation").unwrap();
    assert!(minutes(&ablation.0) < 45.0, "{} minutes", minutes(&ablation.0));
}

#[test]
fn system_calls_are_counted_after_all_else_of_those_who_do_not_count_them() {
    let foreign =
        "engines = ['epoll', 'mio', { name = 'mine', command = 'srv {addr}' }]\ncount_syscalls = true";
    let own = spec("").engines;
    let text = "id = 'tiny'\ntitle = 'T'\nquestion = 'Q?'\nmodes = ['req-res']\npayload_bytes = [256]\n\
                connections = [1, 8]\nrepetitions = 1\nwarmup_s = 0\nwindow_s = 10\nverify = 'full'\n";
    let runs = plan(&Spec::parse("tiny.toml", &format!("{text}{foreign}"), Size::Quick).unwrap(), 1);
    let counted = of_role(&runs, Role::Counted);
    let names: BTreeSet<_> = counted.iter().map(|run| run.engine.name.as_str()).collect();
    assert_eq!((counted.len(), names), (4, BTreeSet::from(["mine", "mio"])));
    assert!(counted.iter().all(|run| run.cell.timing.window == Duration::from_millis(500)));
    let last = runs.iter().position(|run| run.role == Role::Counted).unwrap();
    assert!(runs[last..].iter().all(|run| run.role == Role::Counted));
    assert!(own.iter().all(|engine| engine.program.counts()), "ours count them themselves");
}
