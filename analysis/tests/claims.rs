//! The claims of this project name what there will be: each finds its number and its figure in a recording of its
//! experiment, whose content is made up.

mod support;

use std::collections::BTreeMap;

use analysis::claims::{self, Claim, Verdict, check};
use analysis::figure::study::{Origin, chapters};
use analysis::study::Study;
use support::write_built_in;

/// A study of a recording of each experiment that `claims` are about, in the size that they are about.
fn made_up(claims: &[Claim]) -> Study {
    let results = tempfile::tempdir().unwrap();
    let experiments = claims.iter().filter_map(|claim| Some((claim.experiment()?, claim.size?)));
    let sizes: BTreeMap<_, _> = experiments.collect();
    let folders = sizes.into_iter().map(|(id, size)| write_built_in(id, size, results.path()));
    Study::read(&folders.collect::<Vec<_>>()).unwrap()
}

#[test]
fn every_claim_finds_its_number_and_its_figure() {
    let claims = claims::built_in().unwrap();
    let study = made_up(&claims);
    let values = serde_json::to_value(&study.values).unwrap();
    for check in check(&claims, &values) {
        let has_number =
            matches!(check.verdict, Verdict::Holds(_) | Verdict::Contradicted(_) | Verdict::NoRange(_));
        assert!(has_number, "{check}");
    }
    let chapters = chapters(&study, &Origin::default()).unwrap();
    let figures = chapters.iter().flat_map(|chapter| &chapter.figures);
    let stems: Vec<&str> = figures.map(|drawn| drawn.figure.stem.as_str()).collect();
    for Claim { id, figure, .. } in &claims {
        if let Some(figure) = figure {
            assert!(
                stems.contains(&figure.as_str()),
                "claim '{id}': no figure '{figure}'; there are {stems:?}"
            );
        }
    }
}
