//! The specifications that the binary carries, so that it needs no checkout to run.

use super::{Size, Spec, SpecError};

macro_rules! carried {
    ($($name:literal),+) => { [$(($name, include_str!(concat!("../../", $name)))),+] };
}

const FILES: [(&str, &str); 15] = carried![
    "quick.toml",
    "stream.toml",
    "req-res.toml",
    "study.toml",
    "fairness.toml",
    "instructions.toml",
    "gate.toml",
    "kernels.toml",
    "latency.toml",
    "scale.toml",
    "aa.toml",
    "parity.toml",
    "pairs.toml",
    "ablation.toml",
    "runtimes.toml"
];

/// Every built-in specification in `size` with the text it was read from, in the order to present them.
///
/// # Errors
/// The first fault in a built-in file, which a test keeps from being shipped.
pub fn built_in(size: Size) -> Result<Vec<(Spec, &'static str)>, SpecError> {
    FILES.into_iter().map(|(file, text)| Ok((Spec::parse(file, text, size)?, text))).collect()
}

/// The built-in specification `id` with its text.
///
/// # Errors
/// As [`built_in`].
pub fn find(id: &str, size: Size) -> Result<Option<(Spec, &'static str)>, SpecError> {
    Ok(built_in(size)?.into_iter().find(|(spec, _)| spec.id == id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_specification_beside_the_manifest_is_carried_and_named_after_its_id() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut on_disk: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                name.ends_with(".toml") && !["Cargo.toml", "engines.toml"].contains(&name.as_str())
            })
            .collect();
        let mut carried: Vec<_> =
            built_in(Size::Quick).unwrap().iter().map(|(spec, _)| format!("{}.toml", spec.id)).collect();
        on_disk.sort();
        carried.sort();
        assert_eq!(on_disk, carried);
    }
}
