//! Names that changed. Old recordings have the old ones, and a command line may.

/// The experiment with the settings of the 2023 study, before and now. A seed is a random number alone.
pub const EXPERIMENT: [&str; 2] = ["seed", "study"];

/// Engines, before and now.
const ENGINES: [[&str; 2]; 2] = [["epoll-seed", "epoll-study"], ["uring-seed", "uring-study"]];

/// What is called now what was called `name`.
pub fn present(name: &str) -> &str {
    let renamed = ENGINES.iter().chain([&EXPERIMENT]);
    renamed.into_iter().find(|[before, _]| *before == name).map_or(name, |[_, now]| now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_renamed_has_another_name_now() {
        let names = ["seed", "epoll-seed", "uring-seed", "epoll", "seeds", "parity"];
        assert_eq!(names.map(present), ["study", "epoll-study", "uring-study", "epoll", "seeds", "parity"]);
    }
}
