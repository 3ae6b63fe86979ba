//! What it costs to make the data of a claim: what the runner announces before it starts.

use anyhow::bail;
use experiments::plan::{self, estimate};
use experiments::report::format;
use experiments::spec;

use super::Claim;

/// Says of `claim` how long its command takes and what it writes, where the document leaves both to the experiment.
pub(super) fn fill_in(claim: &mut Claim) -> anyhow::Result<()> {
    match (claim.time.is_empty(), claim.disk.is_empty()) {
        (false, false) => return Ok(()),
        (true, true) => {}
        _ => {
            bail!("does not say its time and disk both; say both, or neither of an experiment of this build")
        }
    }
    let Some((experiment, size)) = claim.experiment().zip(claim.size) else {
        bail!("does not say its time and disk; only those of an experiment are known without");
    };
    let Some((spec, _)) = spec::find(experiment, size)? else {
        bail!("does not say its time and disk, and '{experiment}' is no experiment of this build; add both");
    };
    let cost = estimate::cost(&plan::plan(&spec, 0));
    claim.time = format!("about {}", format::duration(cost.time));
    claim.disk = format!("about {}", format::disk(cost.bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::claims::read;

    fn told(experiment: &str, size: &str) -> anyhow::Result<(String, String)> {
        let text = format!(
            "[[claim]]\nid = \"a\"\nsentence = \"A.\"\ncommand = \"c\"\nvalue = [\"experiments\", \"{experiment}\"]\n\
             size = \"{size}\"\n"
        );
        let claim = read(&text)?.remove(0);
        Ok((claim.time, claim.disk))
    }

    #[test]
    fn an_experiment_of_this_build_tells_its_time_and_disk_by_size() {
        let (quick, full) = (told("stream", "quick").unwrap(), told("stream", "full").unwrap());
        assert!(quick.0.starts_with("about ") && quick.0.contains(" min"), "{quick:?}");
        assert!(full.0.contains(" h ") && full.1 != quick.1, "{full:?}");
    }

    #[test]
    fn an_experiment_of_somebodys_own_has_to_say_them() {
        let error = format!("{:#}", told("mine", "quick").unwrap_err());
        assert!(error.contains("'mine' is no experiment of this build"), "{error}");
    }
}
