//! What settings change: a forest plot of ratios around 1.

use experiments::report::format as number;

use crate::chart::{
    Axis, Better, Body, Estimate, Extent, Format, Panel, Reference, Role, Row, RowMark, Rows, Sheet, Start,
};

use super::input::{About, family, reader_name};

/// One server variant over what it is held against.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) of: String,
    pub(crate) to: String,
    /// Each cell by its name; empty where there are too many to show one by one.
    pub(crate) cells: Vec<(String, Option<Estimate>)>,
    /// The geometric mean over all cells.
    pub(crate) mean: Option<Estimate>,
    pub(crate) cell_count: usize,
}

/// The ratio that a forest plot shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// What is measured, as a title says it.
    pub(crate) title: String,
    pub(crate) better: Better,
}

/// A forest plot of ratios around 1, a panel a workload, with the `noise` of the recording in words.
pub(crate) fn forest(
    what: &Quantity,
    workloads: &[(String, Vec<Effect>)],
    noise: String,
    about: &About,
) -> Sheet {
    let panels = workloads
        .iter()
        .map(|(title, effects)| Panel { title: title.clone(), body: Body::Rows(rows(what, effects)) });
    let said = workloads.iter().flat_map(|(title, effects)| effects.iter().map(move |of| say(title, of)));
    let title = format!("{}: each variant against another", what.title);
    let description = format!("{}, ratios. {}", what.title, said.collect::<Vec<String>>().join("; "));
    Sheet {
        notes: vec!["An interval that contains 1 claims nothing.".to_owned(), noise],
        columns: 1,
        one_scale: true,
        ..about.sheet(title, description, panels.collect())
    }
}

fn rows(what: &Quantity, effects: &[Effect]) -> Rows {
    let (left, right) = match what.better {
        Better::Lower => ("cheaper", "dearer"),
        Better::Higher => ("slower", "faster"),
    };
    Rows {
        x: Axis::new("ratio (log)", Extent::Ratio, Format::Ratio),
        reference: Some(Reference { value: 1.0, sides: (left.to_owned(), right.to_owned()), band: None }),
        rows: effects.iter().flat_map(Effect::rows).collect(),
    }
}

impl Effect {
    fn name(&self) -> String {
        format!("{} ÷ {}", reader_name(&self.of), reader_name(&self.to))
    }

    /// Below a heading every cell that is shown, and the mean.
    fn rows(&self) -> Vec<Row> {
        let mean = (format!("mean of {} cells", self.cell_count), self.mean);
        let all = self.cells.iter().cloned().chain([mean]).enumerate();
        let rows = all.map(|(index, (label, ratio))| {
            let start = if index == 0 { Start::Under(self.name()) } else { Start::Within };
            self.row(label, ratio, start)
        });
        rows.collect()
    }

    fn row(&self, label: String, ratio: Option<Estimate>, start: Start) -> Row {
        let (name, role) = self.series();
        let marks = vec![RowMark { name: name.to_owned(), role, value: ratio }];
        Row { label, start, marks, verdict: in_numbers(ratio) }
    }

    /// What is compared: variants of one engine in its colour, anything else in another.
    fn series(&self) -> (&'static str, Role) {
        match (family(&self.of), family(&self.to)) {
            (Some(Role::Epoll), Some(Role::Epoll)) => ("epoll to epoll", Role::Epoll),
            (Some(Role::Uring), Some(Role::Uring)) => ("io_uring to io_uring", Role::Uring),
            (Some(Role::Uring), Some(Role::Epoll)) => ("io_uring to epoll", Role::Other(0)),
            _ => ("other servers", Role::Other(1)),
        }
    }
}

fn in_numbers(ratio: Option<Estimate>) -> String {
    let say = number::ratio;
    match ratio.map(|ratio| (ratio.value(), ratio.interval())) {
        Some((value, Some((low, high)))) => format!("{} [{}, {}]", say(value), say(low), say(high)),
        Some((value, None)) => say(value),
        None => "no pair of valid runs".to_owned(),
    }
}

fn say(workload: &str, effect: &Effect) -> String {
    format!("{workload}, {}: {}", effect.name(), in_numbers(effect.mean))
}
